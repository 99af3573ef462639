"""Book as gone what a venue holds no more of a leg and no fill explains, on a person's word.

Nobody knows what became of it: coins were withdrawn, or a venue closed and listed no fill. It is
booked at what it is worth now, without a fee; what the venue does list is booked at its own price.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from exchanges.domain import Fill, Side, Symbol
from exchanges.errors import VenueError
from exchanges.ports import Account
from trading.core.money import plain
from trading.core.refusal import Refusal
from trading.models import Discrepancy, Leg, Trade
from trading.services import market
from trading.services.fee_prices import fee_prices
from trading.services.holdings import is_spot, leg_net_base
from trading.services.outside_fills import (
    book_adopted,
    book_without_order,
    is_booked,
    live_leg,
    note_exposure_change,
    reducing,
    unconfirmed_since,
    unreadable,
)
from trading.services.position_facts import venue_quantity
from trading.services.venues import READ_SECONDS, Venues

PRICE_LASTS = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenOff:
    """What was booked as gone, in base units > 0, and at what price each."""

    base_quantity: Decimal
    price: Decimal
    asset: str

    @property
    def value_usd(self) -> Decimal:
        return self.base_quantity * self.price


def write_off(discrepancy: Discrepancy, *, venues: Venues, now: datetime) -> WrittenOff | Refusal:
    """Book what is missing of our leg as gone; refused where it is there, or its fills are listed.

    Fills that explain a part are booked as adopted, and only the rest is written off.
    """
    leg = live_leg(discrepancy.account, discrepancy.symbol)
    if leg is None:
        sentence = f"No live position of ours holds {discrepancy.symbol} there."
        return Refusal(code="no_leg", sentence=sentence)
    board = market.board_of([leg.instrument])
    price = market.worth(board, leg.instrument, since=now - PRICE_LASTS)
    if price is None:
        base, venue = leg.instrument.base, leg.instrument.exchange.name
        sentence = f"{venue} has told no price of {base} for {PRICE_LASTS.seconds} s: try again."
        return Refusal(code="no_price", sentence=sentence)
    listed = _listed(discrepancy, leg, venues)
    if isinstance(listed, Refusal):
        return listed
    return _book(discrepancy, leg, listed, price, now)


def _listed(discrepancy: Discrepancy, leg: Leg, venues: Venues) -> list[Fill] | Refusal:
    """Ask the venue once more: for what it holds, and for fills that explain the difference."""
    name = discrepancy.account.exchange.name
    try:
        port = venues.account(leg.account)
        held, fills = venues.call(_ask(leg, port), READ_SECONDS)
    except VenueError as error:
        return unreadable(discrepancy.account, error)
    if held != discrepancy.theirs:
        words = f"{plain(held)} {leg.instrument.base} now, not {plain(discrepancy.theirs)}"
        sentence = f"{name} holds {words}: press Reconcile now, then decide."
        return Refusal(code="changed", sentence=sentence)
    return reducing(leg, fills)


async def _ask(leg: Leg, port: Account) -> tuple[Decimal, Sequence[Fill]]:
    symbol = Symbol(leg.instrument.symbol)
    if is_spot(leg):
        rows = await port.balances()
        held = sum((row.total for row in rows if row.asset == leg.instrument.base), Decimal(0))
    else:
        held = venue_quantity(await port.positions(), symbol)
    return held, await port.fills(symbol, since=unconfirmed_since(leg))


def _book(
    discrepancy: Discrepancy, leg: Leg, listed: Sequence[Fill], price: Decimal, now: datetime
) -> WrittenOff | Refusal:
    missing = abs(discrepancy.missing)
    explained = sum((fill.base_quantity for fill in listed), Decimal(0))
    base = leg.instrument.base
    if explained >= missing:
        words = f"lists trades of {plain(explained)} {base} that explain it"
        sentence = f"{discrepancy.account.exchange.name} {words}: Adopt books them as they were."
        return Refusal(code="explained", sentence=sentence)
    prices = fee_prices(leg.account, listed, now=now)
    with transaction.atomic():
        # Writing first takes the row: two presses never write off one quantity twice.
        note_exposure_change(leg)
        current = live_leg(leg.account, leg.instrument.symbol)
        gone = _as_fill(discrepancy, leg, price)
        if current is None or is_booked(leg.account, gone):
            transaction.set_rollback(True)
            return Refusal(code="resolved", sentence="It was written off already.")
        rest = book_adopted(current, listed, missing, prices, now=now)
        ours = leg_net_base(current)
        share = min(rest, abs(ours) - explained)
        if share <= 0:
            transaction.set_rollback(True)
            sentence = f"Our leg holds {plain(ours)} {base} by its fills: look again."
            return Refusal(code="changed", sentence=sentence)
        fill = replace(gone, base_quantity=share)
        book_without_order(current, fill, share, Trade.Cause.WRITTEN_OFF, None, now)
    return WrittenOff(base_quantity=share, price=price, asset=base)


def _as_fill(discrepancy: Discrepancy, leg: Leg, price: Decimal) -> Fill:
    """Return what is booked: dated when it was first missed, under a key of its own."""
    key = f"written-off-{discrepancy.pk}"
    return Fill(
        venue=leg.instrument.exchange.code,
        symbol=Symbol(leg.instrument.symbol),
        venue_trade_id=key,
        venue_order_id=key,
        client_order_id=None,
        side=Side.SELL if leg.sign > 0 else Side.BUY,
        price=price,
        base_quantity=abs(discrepancy.missing),
        fee=Decimal(0),
        fee_asset=leg.instrument.quote,
        is_maker=False,
        filled_at=discrepancy.found_at,
    )
