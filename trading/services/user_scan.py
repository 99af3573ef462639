"""One user's view of the scan: everybody's market, the user's own fees, limits and hold time.

The vectorised pass picks the best legs of a base for each strategy, the strategy counts them
through in Decimal and the gates say whether they may be entered, and if not, why.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import product

from trading.core.capacity import CapacityPoint, best_point
from trading.core.execution_risk import ExecutionRisk
from trading.core.forecast_basis import ForecastBasis, forecast_basis
from trading.core.parameters import Parameters
from trading.core.past_figures import PastFigures
from trading.core.refusal import Refusal
from trading.core.scan.rules import PAIR_RULES
from trading.core.sentence import percent, usd
from trading.core.sizing import LegCapacity, planned_usd
from trading.services.appraise import Appraisal, appraise, curve_of, leverage_of, risk_of
from trading.services.gates import EntryCase, shut
from trading.services.seen import Seen
from trading.services.shared_scan import SharedScan
from trading.services.standing import Standing
from trading.services.universe import Paired, PairedLeg, Universe, parts_of, settling_keys
from trading.services.wishes import wish_of
from trading.strategies.base import Candidate, EntryTrigger, Strategy
from trading.strategies.registry import STRATEGIES


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The best legs of one base for one strategy and user.

    Without a candidate its data cannot be trusted; `refusal` None lets it be entered. `curve` is
    what growing sizes earn, empty where an order book was not read.
    """

    strategy: str
    base: str
    appraisal: Appraisal
    curve: tuple[CapacityPoint, ...]
    past: PastFigures | None
    forecast: ForecastBasis | None
    parameters: Parameters
    refusal: Refusal | None

    def risk_at(self, now: datetime) -> ExecutionRisk | None:
        """Return how strained the entry would be."""
        return risk_of(self.appraisal, self.parameters, now)

    @property
    def legs(self) -> tuple[PairedLeg, ...]:
        return self.appraisal.legs

    @property
    def candidate(self) -> Candidate | None:
        return self.appraisal.candidate

    @property
    def size_usd(self) -> Decimal:
        return self.appraisal.size_usd

    @property
    def capacity_usd(self) -> Decimal | None:
        """Return what all books take within the slippage limit, of unread ones their touch."""
        return self.appraisal.capacity_usd

    def at(self, size_usd: Decimal) -> Finding:
        """Return the finding at the size that is left for it."""
        return replace(self, appraisal=replace(self.appraisal, size_usd=size_usd))

    @property
    def long(self) -> Paired:
        return next(leg.paired for leg in self.legs if leg.side.sign > 0)

    @property
    def short(self) -> Paired:
        return next(leg.paired for leg in self.legs if leg.side.sign < 0)


class UserScan:
    """One user's standing before a shared scan; asked on one thread."""

    def __init__(self, universe: Universe, shared: SharedScan, standing: Standing) -> None:
        self.standing = standing
        self._universe, self.shared = universe, shared
        self.wish = wish_of(standing, universe, shared)

    @property
    def strategies(self) -> list[Strategy]:
        """Return the strategies that are switched on."""
        return [STRATEGIES[key] for key in self._parameters.strategies]

    def judge(self, base: str, seen: Seen, now: datetime, trigger: EntryTrigger) -> list[Finding]:
        """Count the best legs of each strategy through, the most worthwhile first.

        Of several that may be entered only the first stays so: a base has one position.
        """
        if base not in self._universe.by_base:
            return []
        self.shared.renew(base, seen.board, seen.depths, now)
        found = [
            self._judge(strategy, base, legs, seen, now, trigger)
            for strategy in self.strategies
            if (legs := self._legs(strategy, base, seen)) is not None
        ]
        found.sort(key=self._rank, reverse=True)
        return list(_one_entry(found))

    @property
    def _parameters(self) -> Parameters:
        return self.standing.parameters

    def _rank(self, finding: Finding) -> tuple[bool, Decimal]:
        candidate = finding.candidate
        last = Decimal("-Infinity")
        rank = last if candidate is None else candidate.rank(self._parameters.ranking)
        return finding.refusal is None, rank

    def _judge(
        self,
        strategy: Strategy,
        base: str,
        legs: Sequence[PairedLeg],
        seen: Seen,
        now: datetime,
        trigger: EntryTrigger,
    ) -> Finding:
        room = self._room(base, legs, seen)
        size = self._parameters.max_position_per_pair_usd
        if isinstance(room, Decimal) and base not in self.standing.live:
            size = room
        appraisal = self._appraise(strategy, legs, size, seen, now)
        if appraisal.capacity_usd is not None:
            size = min(size, appraisal.capacity_usd)
        if size <= 0:
            room = self._refuse_no_capacity(appraisal)
        curve = curve_of(appraisal, size)
        best = best_point(curve)
        size = size if best is None else best.size_usd
        if 0 < size < appraisal.size_usd:
            appraisal = self._appraise(strategy, legs, size, seen, now)
        case = EntryCase(
            strategy=strategy,
            base=base,
            appraisal=appraisal,
            room=room,
            standing=self.standing,
            seen=seen,
            trigger=trigger,
            now=now,
        )
        first = next(shut(case), None)
        return Finding(
            strategy=strategy.key,
            base=base,
            appraisal=appraisal,
            curve=curve,
            past=self._past(appraisal),
            forecast=self._forecast(appraisal),
            parameters=self._parameters,
            refusal=None if first is None else first[1],
        )

    def _refuse_no_capacity(self, appraisal: Appraisal) -> Refusal:
        most = percent(self._parameters.max_slippage)
        sentence = f"The books take nothing within the slippage limit of {most}."
        if appraisal.venue_bound:
            sentence = f"Nothing may be opened: {appraisal.venue_bound}."
        return Refusal(code="no_room", sentence=sentence)

    def _appraise(
        self,
        strategy: Strategy,
        legs: Sequence[PairedLeg],
        size_usd: Decimal,
        seen: Seen,
        now: datetime,
    ) -> Appraisal:
        return appraise(
            strategy,
            legs,
            size_usd=size_usd,
            seen=seen,
            universe=self._universe,
            standing=self.standing,
            now=now,
        )

    def _past(self, appraisal: Appraisal) -> PastFigures | None:
        candidate = appraisal.candidate
        if candidate is None:
            return None
        cost = candidate.costs.over(candidate.horizon)
        return self._universe.statistics(appraisal.legs, cost, candidate.horizon)

    def _forecast(self, appraisal: Appraisal) -> ForecastBasis | None:
        """Return what the funding expected of a candidate rests on."""
        candidate, p = appraisal.candidate, self._parameters
        if candidate is None or not candidate.funded_legs:
            return None
        fitted, settling = self._universe.pair_betas, settling_keys(appraisal.legs)
        return forecast_basis(
            candidate.funded_legs,
            p.carry_model_over(candidate.horizon, fitted.of(settling)),
            half_life=p.carry_half_life,
            fit=fitted.fit(settling, p.carry_half_life),
        )

    def _legs(self, strategy: Strategy, base: str, seen: Seen) -> list[PairedLeg] | None:
        """Return the legs to count through; None where the base does not list such."""
        listed = self._universe.by_base[base]
        slots = self.shared.pair_for(strategy, base, self.wish)
        if slots is None:
            chosen = self._least_unsound(strategy, list(listed.values()), seen)
        else:
            chosen = [listed[slot] for slot in slots]
        return None if chosen is None else _placed(strategy, chosen)

    @staticmethod
    def _least_unsound(
        strategy: Strategy, listed: Sequence[Paired], seen: Seen
    ) -> list[Paired] | None:
        """Return legs to name where none is sound: those of which most was heard."""

        def heard_of(paired: Paired) -> int:
            row = seen.board.row(*paired.key)
            return 0 if row is None else (row.book is not None) + (row.funding is not None)

        by_place = [
            sorted(
                (one for one in listed if one.instrument.kind in place.kinds),
                key=heard_of,
                reverse=True,
            )[: len(strategy.shape)]
            for place in strategy.shape
        ]
        combinations = [legs for legs in product(*by_place) if _may_be(strategy, legs)]
        if not combinations:
            return None
        return list(max(combinations, key=lambda legs: sum(heard_of(one) for one in legs)))

    def _room(self, base: str, legs: Sequence[PairedLeg], seen: Seen) -> Decimal | Refusal:
        """Return the size in USD that limits and capital allow, before the books are asked."""
        venues = [leg.paired.instrument.venue for leg in legs]
        bounds = self.standing.limits_left(base, parts_of(legs))
        asked = self._asked_usd(legs, seen)
        if asked is not None:
            bounds["the size of an automatic entry"] = asked
        if all(venue in self.standing.capital for venue in venues):
            carried = [self._capacity(leg, legs) for leg in legs]
            bounds["the free capital"] = planned_usd(
                carried, self.standing.equity, self._parameters
            )
        bound_by, size = min(bounds.items(), key=lambda bound: bound[1])
        least = self._parameters.min_position_usd
        if size <= 0:
            return Refusal(code="no_room", sentence=f"Nothing is left of {bound_by}.")
        if size < least:
            sentence = (
                f"Only {usd(size)} is left of {bound_by}; no position below {usd(least)} is opened."
            )
            return Refusal(code="no_room", sentence=sentence)
        return size

    def _asked_usd(self, legs: Sequence[PairedLeg], seen: Seen) -> Decimal | None:
        """Return the configured size; one in the base asset at the lowest mid of the legs."""
        rows = (seen.board.row(*leg.paired.key) for leg in legs)
        mids = [row.book.mid for row in rows if row is not None and row.book is not None]
        if not mids:
            return self._parameters.order_amount_usd
        return self._parameters.asked_usd(min(mids))

    def _capacity(self, leg: PairedLeg, legs: Sequence[PairedLeg]) -> LegCapacity:
        instrument = leg.paired.instrument
        return LegCapacity(
            instrument=instrument,
            price=Decimal(1),
            leverage=leverage_of(instrument, legs, self._parameters),
            capital=self.standing.capital[instrument.venue],
            book_capacity=Decimal(0),
            ratio=leg.ratio,
        )


def _may_be(strategy: Strategy, legs: Sequence[Paired]) -> bool:
    """Tell whether a scan would look at these legs: different ones, of kinds that go together."""
    if len({leg.id for leg in legs}) < len(legs):
        return False
    kinds = [leg.instrument.kind for leg in legs]
    return len(legs) > 2 or any(
        rule.covers(*kinds) for rule in PAIR_RULES if rule.strategy == strategy.key
    )


def _placed(strategy: Strategy, chosen: Sequence[Paired]) -> list[PairedLeg]:
    return [
        PairedLeg(paired=paired, side=place.side, ratio=place.ratio)
        for paired, place in zip(chosen, strategy.shape, strict=True)
    ]


def _one_entry(found: Sequence[Finding]) -> Iterator[Finding]:
    """Yield findings, all but the first that may be entered with the reason why they are not."""
    first: Finding | None = None
    for finding in found:
        if finding.refusal is not None or first is None:
            first = first or (finding if finding.refusal is None else None)
            yield finding
        else:
            sentence = f"{first.strategy} earns more on {finding.base}: one position per pair."
            yield replace(finding, refusal=Refusal(code="better_strategy", sentence=sentence))
