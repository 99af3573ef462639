"""Ask the strategy of each open position whether its owner's rules say to close."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from exchanges.board import Board
from exchanges.domain import FundingRate, Side
from trading.core.funding import (
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
from trading.strategies.base import HeldPosition, OpenReason
from trading.strategies.funding_spread import FundingSpread

STRATEGIES = {strategy.key: strategy for strategy in (FundingSpread(),)}
EIGHT_HOURS = timedelta(hours=8)


def check_exits() -> int:
    """Request the exit of each position whose rule fires; return how many."""
    now = timezone.now()
    resting = Position.objects.filter(state=PositionState.OPEN, goal=Goal.HEDGED)
    return sum(_check(position, now) for position in resting.select_related("user"))


def _check(position: Position, now: datetime) -> bool:
    legs = list(position.legs.select_related("instrument__exchange").prefetch_related("trades"))
    held = held_position(position, legs, market.board_of([leg.instrument for leg in legs]), now)
    if held is None:
        return False
    signal = STRATEGIES[position.strategy].exit_signal(
        held, parameters=Parameters.from_values(position.parameters), now=now
    )
    if signal is None:
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


def held_position(
    position: Position, legs: list[Leg], board: Board, now: datetime
) -> HeldPosition | None:
    """Return the position as exit rules see it; None while a fact is missing or stale.

    Marks decide P&L here, funding and book ages are checked: a stale fact never closes anything.
    """
    parameters = Parameters.from_values(position.parameters)
    universe = shared_universe(now)
    funding_legs, settled, marks = [], [], {}
    exit_cost = Decimal(0)
    for leg in sorted(legs, key=lambda leg: -leg.sign):
        row = market.row_of(board, leg.instrument)
        book = market.fresh_book(board, leg.instrument, now=now, max_age=parameters.max_book_age)
        if row is None or row.funding is None or book is None:
            return None
        if not _is_sound(row.funding, parameters, now):
            return None
        paired = Paired(id=leg.instrument_id, instrument=leg.instrument.snapshot())
        facts = universe.facts(
            paired,
            board,
            taker_fee=leg.taker_fee,
            half_life=parameters.carry_half_life,
            now=now,
        )
        side = Side.BUY if leg.sign > 0 else Side.SELL
        funding_legs.append(facts.funding_leg(side))
        settled.append(universe.settled(paired))
        exit_cost += leg.taker_fee + half_touch(book)
        # What it would be sold or bought back at now, not the mark: executable prices decide.
        marks[leg.instrument_id] = book.bid if leg.sign > 0 else book.ask
    spreads = settled_spreads_8h(*settled)
    coming = SettledRate(
        settled_at=now,
        rate_8h=funding_spread_8h(funding_legs),
        interval_seconds=max(leg.interval_seconds for leg in funding_legs),
    )
    capital = sum((position.size_usd / leg.leverage for leg in legs), Decimal(0))
    return HeldPosition(
        open_reason=OpenReason(position.open_reason),
        opened_at=position.entry_timestamp or position.created_at,
        legs=tuple(funding_legs),
        exit_cost=exit_cost,
        spread_8h=trailing_mean([*spreads, coming], now=now, window=EIGHT_HOURS),
        spread_24h=trailing_mean(spreads, now=now, window=timedelta(hours=24)),
        net_pnl_usd=position_pnl(position, marks=marks).total,
        capital_usd=capital,
    )


def _is_sound(rate: FundingRate, parameters: Parameters, now: datetime) -> bool:
    return rate.is_tradable and now - rate.observed_at <= parameters.max_funding_age
