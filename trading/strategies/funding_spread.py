"""Long the perpetual with the lower funding, short the one with the higher.

Its row is in `docs/DOMAIN.md` section 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from exchanges.domain import Side
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
from trading.strategies.entry_gates import refuse_entry, refuse_moment, refuse_spread
from trading.strategies.exits import funding_exit, money_exit
from trading.strategies.facts import InstrumentFacts, PairHistory


@dataclass(frozen=True, slots=True)
class FundingSpread:
    """Stateless; opened on funding, so basis exits never apply to it."""

    key: str = "funding_spread"
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
        opening = Opening(
            reason=OpenReason.FUNDING,
            gap=placed.prices.gap,
            gap_credit=placed.undated_credit(history),
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
        return refuse_entry(
            candidate, self.shape, refuse_spread(candidate), parameters, now
        ) or refuse_moment(candidate, parameters, now, trigger)

    def exit_signal(
        self, held: HeldPosition, *, parameters: Parameters, now: datetime
    ) -> ExitSignal | None:
        return money_exit(held, parameters) or funding_exit(held, parameters, now)
