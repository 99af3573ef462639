"""Which of a user's findings are entered together: capital and limits are given out once."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from trading.core.allocation import Claimant, allocate
from trading.core.sizing import plannable
from trading.services.appraise import leverage_of
from trading.services.limits import exposure_scope
from trading.services.standing import Standing
from trading.services.user_scan import Finding

ONE = Decimal(1)


def take(
    findings: Sequence[Finding], standing: Standing, rung: Sequence[Finding] = ()
) -> list[Finding]:
    """Return the findings to enter now, the most worthwhile first, at sizes that fit together.

    `rung` are on their way to become positions: they keep their part, and are not rung again.
    """
    p = standing.parameters
    waiting = [finding for finding in rung if finding.base not in standing.live]
    on_their_way = {finding.base for finding in waiting}
    findings = [finding for finding in findings if finding.base not in on_their_way]
    open_ones = [finding for finding in findings if finding.refusal is None]
    open_ones.sort(key=lambda each: _rank(each, standing), reverse=True)
    claimants = [_claimant(finding, standing) for finding in open_ones]
    most = p.max_open_positions - len(standing.live) - len(waiting)
    sizes = allocate(claimants, _pools(standing, waiting), most=most)
    return [
        finding.at(sizes[claimant.key])
        for finding, claimant in zip(open_ones, claimants, strict=True)
        if claimant.key in sizes
    ]


def _rank(finding: Finding, standing: Standing) -> Decimal:
    assert finding.candidate is not None  # noqa: S101  (it may be entered)
    return finding.candidate.rank(standing.parameters.ranking)


def _claimant(finding: Finding, standing: Standing) -> Claimant:
    candidate = finding.candidate
    assert candidate is not None  # noqa: S101  (it may be entered)
    uses = {"user": ONE, exposure_scope(candidate.open_reason): ONE}
    for leg in finding.legs:
        instrument = leg.paired.instrument
        margin = leg.ratio / leverage_of(instrument, finding.legs, standing.parameters)
        for pool, use in (
            (f"margin:{instrument.venue}", margin),
            (f"venue:{instrument.venue}", leg.ratio),
        ):
            uses[pool] = uses.get(pool, Decimal(0)) + use
    return Claimant(
        key=finding.base,
        size_usd=finding.size_usd,
        uses=uses,
        least_usd=max(_least_usd(finding), standing.parameters.min_position_usd),
    )


def _least_usd(finding: Finding) -> Decimal:
    """Return the size at which every leg is an order that its venue takes."""
    return max(
        max(one.min_notional, one.min_base_quantity * facts.mid) / leg.ratio
        for leg, facts in zip(finding.legs, finding.appraisal.facts, strict=True)
        for one in (facts.instrument,)
    )


def _pools(standing: Standing, waiting: Sequence[Finding]) -> dict[str, Decimal]:
    """Return what is left of each limit, and the planned part of each account's active capital."""
    p = standing.parameters
    pools = {f"venue:{venue}": standing.limit_left(f"venue:{venue}") for venue in standing.capital}
    pools["user"] = standing.limit_left("user")
    for reason in ("basis", "funding"):
        pools[exposure_scope(reason)] = standing.limit_left(exposure_scope(reason))
    for venue, capital in standing.capital.items():
        pools[f"margin:{venue}"] = plannable(capital, standing.equity, p)
    for finding in waiting:
        for pool, use in _claimant(finding, standing).uses.items():
            if pool in pools:
                pools[pool] -= use * finding.size_usd
    return pools
