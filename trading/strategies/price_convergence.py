"""Long the perpetual at the cheap venue, short it at the dear one, until the prices meet.

Its row is in `docs/DOMAIN.md` section 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from exchanges.domain import Side
from trading.core.gap_thresholds import opening_gap
from trading.core.parameters import Parameters
from trading.core.refusal import Refusal
from trading.strategies.base import (
    PERPETUAL,
    Candidate,
    EntryTrigger,
    ExitSignal,
    HeldPosition,
    LegShape,
    OpenReason,
)
from trading.strategies.counting import Opening, Placed, count_through, in_shape
from trading.strategies.data_gates import refuse_data
from trading.strategies.entry_gates import refuse_entry, refuse_gap
from trading.strategies.exits import money_exit
from trading.strategies.facts import InstrumentFacts, PairHistory
from trading.strategies.gap_exits import captured_exit, closed_exit


@dataclass(frozen=True, slots=True)
class PriceConvergence:
    """Stateless; opened on the gap alone, of which something must be left after all costs.

    Thresholds that follow funding replace the least gap and what is captured of it.
    """

    key: str = "price_convergence"
    shape: tuple[LegShape, ...] = (
        LegShape(side=Side.BUY, kinds=PERPETUAL),
        LegShape(side=Side.SELL, kinds=PERPETUAL),
    )

    def evaluate(
        self,
        legs: Sequence[InstrumentFacts],
        history: PairHistory,
        *,
        size_usd: Decimal,
        parameters: Parameters,
        now: datetime,
    ) -> Candidate | Refusal:
        """Count two perpetuals through, or refuse them because their data cannot be trusted."""
        shaped = in_shape(self.shape, legs)
        refusal = refuse_data(shaped, self.shape, parameters, now)
        if refusal is not None:
            return refusal
        placed = Placed.of(shaped, now)
        least = opening_gap(placed.present_carry_8h, parameters, otherwise=parameters.min_price_gap)
        opening = Opening(
            reason=OpenReason.BASIS,
            gap=placed.prices.gap,
            gap_credit=placed.undated_credit(history),
            gap_threshold=least + placed.round_trip(size_usd, parameters).fixed,
        )
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
        return refuse_entry(candidate, self.shape, refuse_gap(candidate), parameters, now)

    def exit_signal(
        self, held: HeldPosition, *, parameters: Parameters, now: datetime
    ) -> ExitSignal | None:
        money = money_exit(held, parameters)
        if money is not None or not parameters.dynamic_thresholds:
            return money or captured_exit(held, parameters)
        gap = None if held.exit_prices is None else held.exit_prices.gap
        return closed_exit(held, gap, parameters)
