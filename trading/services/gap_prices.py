"""What one base unit of each side of a position was bought and sold at, and could be now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from exchanges.board import Board
from exchanges.domain import InstrumentKind, Side
from trading.core.basis import GapPrices, PricedLeg
from trading.models import Leg
from trading.services import market
from trading.services.pnl import entry_price


def entry_prices(legs: Sequence[Leg]) -> GapPrices | None:
    """Return the average fills by side; None while a leg has none."""
    return _of(priced_legs(legs, entry_price))


def exit_prices(
    legs: Sequence[Leg], board: Board, *, now: datetime, max_age: timedelta
) -> GapPrices | None:
    """Return what each side could be closed at, long at the bid, short at the ask.

    None while a book is stale.
    """

    def leaving(leg: Leg) -> Decimal | None:
        book = market.fresh_book(board, leg.instrument, now=now, max_age=max_age)
        if book is None:
            return None
        return book.bid if leg.sign > 0 else book.ask

    return _of(priced_legs(legs, leaving))


def priced_legs(
    legs: Sequence[Leg], price: Callable[[Leg], Decimal | None]
) -> list[PricedLeg] | None:
    """Return legs at a price each; None where one has none."""
    found = [
        PricedLeg(
            side=Side.BUY if leg.sign > 0 else Side.SELL,
            kind=InstrumentKind(leg.instrument.kind),
            price=known,
            ratio=leg.ratio,
            expires_at=leg.instrument.expires_at,
        )
        for leg in legs
        if (known := price(leg)) is not None
    ]
    return found if len(found) == len(legs) else None


def _of(legs: list[PricedLeg] | None) -> GapPrices | None:
    return None if legs is None else GapPrices.of(legs)
