"""Look at every open position again and again: its care, then its owner's rules for the exit."""

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
from trading.core.states import EXPOSED_POSITION_STATES, PositionState
from trading.doorbell import ring_drive
from trading.models import Leg, Position
from trading.services import lasting, market
from trading.services.care import Subject, look_after
from trading.services.danger import reported
from trading.services.evaluate import shared_universe
from trading.services.exit import request_exit
from trading.services.pnl import position_pnl
from trading.services.universe import Paired, half_touch
from trading.services.venues import REAL, Venues
from trading.strategies.base import ExitReason, HeldPosition, OpenReason
from trading.strategies.registry import STRATEGIES

EIGHT_HOURS, DAY = timedelta(hours=8), timedelta(hours=24)
# A loss at one touch of the books may be gone with the next: it must last.
STOP_LOSS = ExitReason.STOP_LOSS.value
WATCHED_STATES = EXPOSED_POSITION_STATES - {PositionState.ENTERING}


@dataclass(frozen=True, slots=True, kw_only=True)
class LegNow:
    """One leg's facts of the moment; `exit_price` is what its side could be closed at."""

    instrument_id: UUID
    funding: FundingLeg
    settled: tuple[SettledRate, ...]
    exit_price: Decimal
    exit_cost: Decimal


def watch_positions(*, venues: Venues = REAL, clock: Callable[[], datetime] = timezone.now) -> int:
    """Look after each position and ask for what its rules want; return how many were asked."""
    exposed = Position.objects.filter(state__in=WATCHED_STATES).order_by("created_at")
    return sum(_watch(position, venues, clock()) for position in exposed.select_related("user"))


def _watch(position: Position, venues: Venues, now: datetime) -> bool:
    legs = list(
        position.legs.select_related(
            "instrument__exchange", "account__exchange", "position"
        ).prefetch_related("trades")
    )
    subject = Subject(
        position=position,
        legs=legs,
        reported=reported(legs),
        board=market.board_of([leg.instrument for leg in legs]),
        parameters=Parameters.from_values(position.parameters),
        venues=venues,
        now=now,
    )
    asked = look_after(subject) or (subject.may_act and _check_exits(subject))
    if asked:
        ring_drive(position.pk)
    return asked


def _check_exits(subject: Subject) -> bool:
    position, now = subject.position, subject.now
    held = held_position(position, subject.legs, subject.board, now)
    if held is None:
        return False
    signal = STRATEGIES[position.strategy].exit_signal(held, parameters=subject.parameters, now=now)
    if signal is None or signal.reason is not ExitReason.STOP_LOSS:
        lasting.has_ended(position, STOP_LOSS)
    elif not lasting.has_lasted(
        position, STOP_LOSS, least=subject.parameters.exit_must_last, now=now
    ):
        return False
    return signal is not None and request_exit(
        position=position,
        reason=signal.reason,
        sentence=signal.sentence,
        actor="rules",
        now=now,
        board=subject.board,
    )


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
        settled=spreads,
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
