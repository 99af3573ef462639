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
from trading.strategies.counting import (
    Opening,
    count_through,
    entry_gap,
    in_shape,
    present_carry_8h,
    round_trip,
    undated_credit,
)
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
        placed = in_shape(self.shape, legs)
        refusal = refuse_data(placed, self.shape, parameters, now)
        if refusal is not None:
            return refusal
        least = opening_gap(
            present_carry_8h(placed, now), parameters, otherwise=parameters.min_price_gap
        )
        opening = Opening(
            reason=OpenReason.BASIS,
            gap=entry_gap(placed),
            gap_credit=undated_credit(placed, history),
            gap_threshold=least + round_trip(placed, size_usd, parameters).fixed,
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
