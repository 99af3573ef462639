"""What all carries share: spot against contracts on the same base, for the gap or for funding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from trading.core.basis import GapPrices
from trading.core.parameters import Parameters, Tolerance
from trading.core.refusal import Refusal
from trading.strategies.base import Candidate, EntryTrigger, ExitSignal, HeldPosition, LegShape
from trading.strategies.counting import Placed, count_through, gap_or_funding, in_shape
from trading.strategies.data_gates import refuse_data
from trading.strategies.entry_gates import refuse_entry, refuse_gap_and_spread
from trading.strategies.facts import InstrumentFacts, PairHistory
from trading.strategies.gap_exits import carry_exit


def gap_over_long(prices: GapPrices) -> Decimal:
    return prices.gap


def gap_over_short(prices: GapPrices) -> Decimal:
    return prices.gap_of_short


@dataclass(frozen=True, slots=True, kw_only=True)
class Carry:
    """Stateless; opened on its gap or on funding, and closed by the rules of that reason.

    `measure` gives the gap as a part of the spot price, > 0 where it is in our favour.
    """

    key: str
    shape: tuple[LegShape, ...]
    measure: Callable[[GapPrices], Decimal] = gap_over_long

    def evaluate(
        self,
        legs: Sequence[InstrumentFacts],
        history: PairHistory,
        *,
        size_usd: Decimal,
        parameters: Parameters,
        now: datetime,
    ) -> Candidate | Refusal:
        """Count the legs through, or refuse them because their data cannot be trusted."""
        shaped = in_shape(self.shape, legs)
        refusal = refuse_data(shaped, self.shape, parameters, now)
        if refusal is not None:
            return refusal
        placed = Placed.of(shaped, now)
        opening = gap_or_funding(placed, self.measure(placed.prices), history, parameters)
        return count_through(
            self.key, placed, history, opening, size_usd=size_usd, parameters=parameters, now=now
        )

    def entry_gate(
        self,
        candidate: Candidate,
        *,
        parameters: Parameters,
        now: datetime,
        trigger: EntryTrigger,
    ) -> Refusal | None:
        own = refuse_gap_and_spread(candidate)
        return refuse_entry(candidate, self.shape, own, parameters, now)

    def exit_signal(
        self, held: HeldPosition, *, parameters: Parameters, now: datetime
    ) -> ExitSignal | None:
        gap = None if held.exit_prices is None else self.measure(held.exit_prices)
        if parameters.negative_spread_tolerance is Tolerance.BY_STRATEGY:
            parameters = replace(parameters, negative_spread_tolerance=Tolerance.MODERATE)
        return carry_exit(held, gap, parameters, now)
