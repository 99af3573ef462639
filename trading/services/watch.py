"""Ask the strategy of each open position whether its owner's rules say to close."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.utils import timezone

from exchanges.board import Board
from exchanges.domain import Side
from trading.core.funding import (
    FundingLeg,
    SettledRate,
    funding_spread_8h,
    settled_spreads_8h,
    trailing_mean,
)
from trading.core.parameters import Parameters
from trading.core.states import Goal, PositionState
from trading.doorbell import ring_drive
from trading.models import Leg, Position
from trading.services import market
from trading.services.evaluate import shared_universe
from trading.services.exit import request_exit
from trading.services.pnl import position_pnl
from trading.services.universe import Paired, half_touch
from trading.strategies.base import ExitReason, ExitSignal, HeldPosition, OpenReason
from trading.strategies.funding_spread import FundingSpread

STRATEGIES = {strategy.key: strategy for strategy in (FundingSpread(),)}
EIGHT_HOURS, DAY = timedelta(hours=8), timedelta(hours=24)
# A loss at one touch of the books may be gone with the next: it must last.
STOP_LOSS_LASTS = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class LegNow:
    """One leg's facts of the moment; `exit_price` is what its side could be closed at."""

    instrument_id: UUID
    funding: FundingLeg
    settled: tuple[SettledRate, ...]
    exit_price: Decimal
    exit_cost: Decimal


class Watch:
    """Checks the exit rules again and again and remembers since when a loss has lasted."""

    def __init__(self) -> None:
        self._losing_since: dict[UUID, datetime] = {}

    def check_exits(self, *, clock: Callable[[], datetime] = timezone.now) -> int:
        """Request the exit of each position whose rule fires; return how many."""
        now = clock()
        resting = Position.objects.filter(state=PositionState.OPEN, goal=Goal.HEDGED)
        return sum(self._check(position, now) for position in resting.select_related("user"))

    def _check(self, position: Position, now: datetime) -> bool:
        legs = list(position.legs.select_related("instrument__exchange"))
        board = market.board_of([leg.instrument for leg in legs])
        held = held_position(position, legs, board, now)
        if held is None:
            return False
        signal = STRATEGIES[position.strategy].exit_signal(
            held, parameters=Parameters.from_values(position.parameters), now=now
        )
        if not self._has_lasted(position, signal, now) or signal is None:
            return False
        asked = request_exit(
            position=position,
            reason=signal.reason,
            sentence=signal.sentence,
            actor="rules",
            now=now,
        )
        if asked:
            ring_drive(position.pk)
        return asked

    def _has_lasted(self, position: Position, signal: ExitSignal | None, now: datetime) -> bool:
        if signal is None or signal.reason is not ExitReason.STOP_LOSS:
            self._losing_since.pop(position.pk, None)
            return True
        since = self._losing_since.setdefault(position.pk, now)
        return now - since >= STOP_LOSS_LASTS


def held_position(
    position: Position, legs: Sequence[Leg], board: Board, now: datetime
) -> HeldPosition | None:
    """Return the position as exit rules see it; None while a fact is missing or stale."""
    parameters = Parameters.from_values(position.parameters)
    # Long first, as spreads are counted.
    ordered = sorted(legs, key=lambda leg: -leg.sign)
    facts = [_leg_now(leg, board, parameters, now) for leg in ordered]
    known = [fact for fact in facts if fact is not None]
    if len(known) < len(facts):
        return None
    spreads = settled_spreads_8h(*[fact.settled for fact in known])
    coming = SettledRate(
        settled_at=now,
        rate_8h=funding_spread_8h([fact.funding for fact in known]),
        interval_seconds=max(fact.funding.interval_seconds for fact in known),
    )
    marks = {fact.instrument_id: fact.exit_price for fact in known}
    return HeldPosition(
        open_reason=OpenReason(position.open_reason),
        opened_at=position.entry_timestamp or position.created_at,
        legs=tuple(fact.funding for fact in known),
        exit_cost=sum((fact.exit_cost for fact in known), Decimal(0)),
        spread_8h=trailing_mean([*spreads, coming], now=now, window=EIGHT_HOURS),
        spread_24h=trailing_mean(spreads, now=now, window=DAY),
        net_pnl_usd=position_pnl(position, marks=marks).total,
        capital_usd=sum((position.size_usd / leg.leverage for leg in legs), Decimal(0)),
    )


def _leg_now(leg: Leg, board: Board, parameters: Parameters, now: datetime) -> LegNow | None:
    """Return the leg's facts at executable prices; None if one is stale: it closes nothing."""
    row = market.row_of(board, leg.instrument)
    book = market.fresh_book(board, leg.instrument, now=now, max_age=parameters.max_book_age)
    if row is None or row.funding is None or book is None or not row.funding.is_tradable:
        return None
    if now - row.funding.observed_at > parameters.max_funding_age:
        return None
    universe = shared_universe(now)
    paired = Paired(id=leg.instrument_id, instrument=leg.instrument.snapshot())
    facts = universe.facts(
        paired, board, taker_fee=leg.taker_fee, half_life=parameters.carry_half_life, now=now
    )
    return LegNow(
        instrument_id=leg.instrument_id,
        funding=facts.funding_leg(Side.BUY if leg.sign > 0 else Side.SELL),
        settled=universe.settled(paired),
        exit_price=book.bid if leg.sign > 0 else book.ask,
        exit_cost=leg.taker_fee + half_touch(book),
    )
