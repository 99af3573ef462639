"""A dated future against a perpetual or another expiry whose carry differs from what is fair.

Implied and fair carry: `docs/DOMAIN.md` section 6. Every position is left before its first expiry.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from exchanges.domain import Side
from trading.core.basis import dated_span_8h, eight_hours, gap_credit
from trading.core.funding import expected_rate, rate_8h
from trading.core.parameters import Parameters
from trading.core.refusal import Refusal
from trading.strategies.base import (
    DATED,
    PERPETUAL,
    Candidate,
    CandidateLeg,
    EntryTrigger,
    ExitSignal,
    HeldPosition,
    LegShape,
    OpenReason,
)
from trading.strategies.counting import (
    Opening,
    Placed,
    count_through,
    in_shape,
)
from trading.strategies.data_gates import refuse_data
from trading.strategies.entry_gates import refuse_entry, refuse_gap
from trading.strategies.exits import money_exit
from trading.strategies.facts import InstrumentFacts, PairHistory
from trading.strategies.gap_exits import fair_exit

DATED_OR_PERPETUAL = DATED | PERPETUAL


@dataclass(frozen=True, slots=True)
class CalendarSpread:
    """Stateless; opened on the gap alone. The care of positions leaves it before an expiry."""

    key: str = "calendar_spread"
    shape: tuple[LegShape, ...] = (
        LegShape(side=Side.BUY, kinds=DATED_OR_PERPETUAL),
        LegShape(side=Side.SELL, kinds=DATED_OR_PERPETUAL),
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
        """Count two expiries through, or refuse them because nobody knows what is fair."""
        shaped = in_shape(self.shape, legs)
        refusal = refuse_data(shaped, self.shape, parameters, now) or _refuse_expiries(shaped)
        if refusal is not None:
            return refusal
        placed = Placed.of(shaped, now)
        fair = _fair_carry_8h(placed, history, parameters, now)
        if fair is None:
            base = shaped[0].facts.instrument.base
            return Refusal(
                code="no_fair_carry",
                sentence=f"Neither funding nor other expiries of {base} say what carry is fair.",
            )
        opening = _opening(placed, fair, size_usd, parameters, now)
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
        return money_exit(held, parameters) or fair_exit(held)


def fair_gap(
    legs: Sequence[CandidateLeg], history: PairHistory, parameters: Parameters, now: datetime
) -> Decimal | None:
    """Return the gap that the time between the legs is worth: `HeldPosition.fair_gap`."""
    placed = Placed.of(legs, now)
    fair = _fair_carry_8h(placed, history, parameters, now)
    return None if fair is None else fair * dated_span_8h(placed.priced, now)


def _fair_carry_8h(
    placed: Placed, history: PairHistory, parameters: Parameters, now: datetime
) -> Decimal | None:
    """Return the carry per 8 h that the gap should be worth; None where nothing says.

    Against a perpetual its expected funding, which is what is really paid or received for waiting;
    else, or without settled history, the median carry of the base's other expiries.
    """
    model = parameters.carry_model_over(placed.hold_time(parameters, now), history.betas)
    for leg in placed.funded:
        rate = expected_rate(leg, model)
        if rate is not None:
            return rate_8h(rate, leg.interval_seconds)
    return history.fair_carry_8h


def _opening(
    placed: Placed, fair: Decimal, size_usd: Decimal, parameters: Parameters, now: datetime
) -> Opening:
    """Return what opens: a gap beyond the fair one by more than all costs.

    What ages by itself is counted elsewhere, whole; what is left of the gap at exit should then be
    worth the time that is left, and of that difference a gain counts half.
    """
    gap, span = placed.prices.gap, dated_span_8h(placed.priced, now)
    horizon = placed.hold_time(parameters, now)
    left = gap - placed.ageing_8h * eight_hours(horizon)
    return Opening(
        reason=OpenReason.BASIS,
        gap=gap,
        gap_credit=gap_credit(left, fair * dated_span_8h(placed.priced, now + horizon)),
        gap_threshold=fair * span + placed.round_trip(size_usd, parameters).fixed,
        implied_carry_8h=gap / span,
        fair_carry_8h=fair,
    )


def _refuse_expiries(legs: Sequence[CandidateLeg]) -> Refusal | None:
    long, short = (leg.facts.instrument for leg in legs)
    if long.expires_at != short.expires_at:
        return None
    return Refusal(
        code="same_expiry",
        sentence=(
            f"{long.symbol} on {long.venue} and {short.symbol} on {short.venue} end at the same "
            "time, or never: there is no carry between them."
        ),
    )
