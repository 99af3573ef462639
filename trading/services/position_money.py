"""What a position has earned, at prices it could be closed at, and the collateral behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from exchanges.board import Board
from trading.models import Leg, Position
from trading.services import market
from trading.services.pnl import position_pnl


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionMoney:
    """What limits in money are judged by, in USD; the P&L is after all fees."""

    net_pnl_usd: Decimal
    capital_usd: Decimal


def money_of(
    position: Position, legs: Sequence[Leg], board: Board, *, now: datetime, max_age: timedelta
) -> PositionMoney | None:
    """Return the position's money at what each leg could be closed at; None while a book is stale.

    Of funding only what was paid counts, so that a rate nobody tells stops no limit in money.
    """
    marks: dict[UUID, Decimal] = {}
    for leg in legs:
        book = market.fresh_book(board, leg.instrument, now=now, max_age=max_age)
        if book is None:
            return None
        marks[leg.instrument_id] = book.bid if leg.sign > 0 else book.ask
    capital = (position.size_usd * leg.ratio / leg.leverage for leg in legs)
    return PositionMoney(
        net_pnl_usd=position_pnl(position, marks=marks).total,
        capital_usd=sum(capital, Decimal(0)),
    )
