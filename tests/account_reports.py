"""Our own book of an account and what its venue reports of it, for tests of reconciling."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from exchanges.domain import (
    ClientOrderId,
    Fill,
    OrderReport,
    Side,
    Symbol,
    VenueOrderStatus,
)
from tests.market import NOW, PERP, D
from trading.core.reconcile import OwnBook, OwnOrder, VenueReports
from trading.core.states import OrderState

MINE = ClientOrderId("carry-1")
ETH = Symbol("ETH/USDT:USDT")


def own(
    state: OrderState = OrderState.OPEN,
    *,
    client_id: str = MINE,
    quantity: str = "3",
    filled: str = "0",
    symbol: Symbol = PERP,
    lifetime: timedelta = timedelta(0),
    venue_id: str | None = None,
) -> OwnOrder:
    return OwnOrder(
        client_order_id=ClientOrderId(client_id),
        symbol=symbol,
        side=Side.BUY,
        base_quantity=D(quantity),
        filled=D(filled),
        state=state,
        lifetime_ends_at=NOW + lifetime,
        venue_order_id=venue_id,
    )


def fill(
    trade: str = "t1",
    quantity: str = "1",
    *,
    client_id: str | None = MINE,
    venue_id: str = "v1",
    symbol: Symbol = PERP,
) -> Fill:
    return Fill(
        venue="bybit",
        symbol=symbol,
        venue_trade_id=trade,
        venue_order_id=venue_id,
        client_order_id=None if client_id is None else ClientOrderId(client_id),
        side=Side.BUY,
        price=D(100),
        base_quantity=D(quantity),
        fee=D(0),
        fee_asset="USDT",
        is_maker=False,
        filled_at=NOW,
    )


def report(
    status: VenueOrderStatus,
    filled: str | None = None,
    *,
    client_id: str | None = MINE,
    venue_id: str = "v1",
    symbol: Symbol = PERP,
) -> OrderReport:
    return OrderReport(
        client_order_id=None if client_id is None else ClientOrderId(client_id),
        venue_order_id=venue_id,
        symbol=symbol,
        status=status,
        observed_at=NOW,
        filled_base_quantity=None if filled is None else D(filled),
    )


def book(
    *orders: OwnOrder, quantity: str = "0", booked: frozenset[tuple[Symbol, str]] = frozenset()
) -> OwnBook:
    return OwnBook(orders=orders, booked_trades=booked, quantities={PERP: D(quantity)})


def reports(
    *,
    fills: Sequence[Fill] = (),
    orders: Sequence[OrderReport] = (),
    position: str | None = None,
    not_found: frozenset[ClientOrderId] = frozenset(),
) -> VenueReports:
    return VenueReports(
        read_at=NOW,
        fills=fills,
        orders=orders,
        quantities=None if position is None else {PERP: D(position)},
        not_found=not_found,
    )
