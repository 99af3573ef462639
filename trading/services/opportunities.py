"""Write what the scan found, few rows for many scans.

One row per user, pair and outcome lives for one funding interval: what is found again renews it,
another reason or another interval begins a new one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from trading.core.costs import HOUR
from trading.core.refusal import Refusal
from trading.models import Engine, Opportunity, Position
from trading.models.opportunity import OpportunityQuerySet
from trading.services.entry_legs import EntryLeg
from trading.services.finding_details import details_of
from trading.services.universe import PairedLeg
from trading.services.user_scan import Finding

# What was passed over is of no use to anyone after that.
PASSED_KEPT = timedelta(days=2)
SHORTEST_ROW = timedelta(minutes=2)
# A doorbell is answered in less.
LATELY = timedelta(minutes=2)

Outcome = tuple[str, str, UUID, UUID, str, str]


def record(user_id: UUID, findings: Iterable[Finding], *, hold: timedelta, now: datetime) -> int:
    """Write the findings of one scan of one user; return how many rows are new."""
    known = _known(user_id, now)
    new = []
    for finding in findings:
        figures = _figures(finding, hold) | {
            "details": details_of(finding, now) | {"hold_hours": str(_hours(hold))},
            # Of more than two legs the row's two columns do not tell the others.
            "legs": [leg_row(leg) for leg in finding.legs],
        }
        row = known.get(_outcome(finding))
        if row is not None and now - row.found_at < _row_lives(finding):
            reason = finding.refusal.sentence if finding.refusal else ""
            Opportunity.objects.filter(pk=row.pk).update(
                **figures, reason=reason[:300], seen_at=now
            )
        else:
            new.append(_row(user_id, finding, figures, now))
    Opportunity.objects.bulk_create(new)
    Engine.objects.filter(user_id=user_id).update(last_scan_at=now)
    return len(new)


def note_taken(position: Position, legs: Sequence[EntryLeg], *, now: datetime) -> None:
    """Mark what the scans found lately of these legs as what became the position."""
    _found_lately(position.user_id, position.strategy, position.base, legs, now).update(
        status=Opportunity.Status.TAKEN, position=position
    )


def note_refused(
    user_id: UUID,
    strategy: str,
    base: str,
    legs: Sequence[EntryLeg],
    refusal: Refusal,
    *,
    now: datetime,
) -> None:
    """Keep why what the scan let through was not entered: a row beside that of the scan.

    The same refusal of the same legs renews its row.
    """
    found = _found_lately(user_id, strategy, base, legs, now).order_by("-seen_at").first()
    if found is None:
        return
    reason = refusal.sentence[:300]
    noted = Opportunity.objects.filter(
        user_id=user_id,
        strategy=strategy,
        base=base,
        long_instrument=found.long_instrument_id,
        short_instrument=found.short_instrument_id,
        status=Opportunity.Status.PASSED,
        reason_code=refusal.code,
        found_at__gte=found.found_at,
    )
    if noted.update(reason=reason, seen_at=now):
        return
    found.pk = uuid4()
    found.status, found.reason_code, found.reason = found.Status.PASSED, refusal.code, reason
    found.found_at = found.seen_at = now
    found.save(force_insert=True)


def _found_lately(
    user_id: UUID, strategy: str, base: str, legs: Sequence[EntryLeg], now: datetime
) -> OpportunityQuerySet:
    """Return the candidates that are these legs: older ones were another opportunity."""
    long = next(leg.instrument for leg in legs if leg.side.sign > 0)
    short = next(leg.instrument for leg in legs if leg.side.sign < 0)
    return Opportunity.objects.filter(
        user=user_id,
        strategy=strategy,
        base=base,
        long_instrument=long,
        short_instrument=short,
        position=None,
        status=Opportunity.Status.CANDIDATE,
        seen_at__gt=now - LATELY,
    )


def _known(user_id: UUID, now: datetime) -> dict[Outcome, Opportunity]:
    """Return the user's newest row of each outcome."""
    rows = Opportunity.objects.filter(user_id=user_id, seen_at__gte=now - PASSED_KEPT)
    return {
        (
            r.strategy,
            r.base,
            r.long_instrument_id,
            r.short_instrument_id,
            r.status,
            r.reason_code,
        ): r
        for r in rows.order_by("seen_at")
    }


def _outcome(finding: Finding) -> Outcome:
    passed = finding.refusal
    status = Opportunity.Status.CANDIDATE if passed is None else Opportunity.Status.PASSED
    code = "" if passed is None else passed.code
    return (finding.strategy, finding.base, finding.long.id, finding.short.id, status, code)


def _row(user_id: UUID, finding: Finding, figures: dict[str, Any], now: datetime) -> Opportunity:
    strategy, base, long_id, short_id, status, code = _outcome(finding)
    return Opportunity(
        user_id=user_id,
        strategy=strategy,
        base=base,
        long_instrument_id=long_id,
        short_instrument_id=short_id,
        status=status,
        reason_code=code,
        reason=finding.refusal.sentence[:300] if finding.refusal else "",
        found_at=now,
        seen_at=now,
        **figures,
    )


def _figures(finding: Finding, hold: timedelta) -> dict[str, Any]:
    """Return the columns of a candidate, empty where its data cannot be trusted."""
    candidate = finding.candidate
    even = candidate.break_even if candidate is not None else None
    return {
        "size_usd": finding.size_usd,
        "capacity_usd": finding.capacity_usd,
        "spread_8h": candidate.spread_8h if candidate is not None else None,
        "cost": candidate.costs.fixed if candidate is not None else None,
        "net_return": candidate.net_return if candidate is not None else None,
        "net_apr": candidate.net_apr if candidate is not None else None,
        "hold_hours": -(-hold // HOUR),
        "break_even_hours": None if even is None else _hours(even.hold),
        "break_even_settlements": None if even is None else even.settlements,
    }


def leg_row(leg: PairedLeg) -> dict[str, str]:
    """Return a leg as rows and doorbells carry it (`EntryLeg.read`)."""
    return {
        "instrument": str(leg.paired.id),
        "side": leg.side.value,
        "ratio": str(leg.ratio),
        "symbol": leg.paired.instrument.symbol,
        "venue": leg.paired.instrument.venue,
        "kind": leg.paired.instrument.kind.value,
    }


def _hours(span: timedelta) -> Decimal:
    return Decimal(span // timedelta(seconds=1)) / 3600


def _row_lives(finding: Finding) -> timedelta:
    intervals = [
        paired.instrument.funding_interval_seconds or 0 for paired in (finding.long, finding.short)
    ]
    return max(timedelta(seconds=max(intervals)), SHORTEST_ROW)
