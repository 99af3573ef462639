"""An unknown order is absent only if nothing shows it: no look-up, no open order and no fill.

Binance lists fills without the own id of their order; the scripted port answers as it does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar, cast

import pytest

from exchanges.domain import ClientOrderId, Fill, OrderReport, Side, Symbol, VenuePosition
from exchanges.errors import OrderNotFound, OrderOutcomeUnknown, VenueUnavailable
from exchanges.ports import Account, Trading
from tests.services import test_submit as orders
from tests.services.executions import execution
from trading.core.states import OrderState
from trading.models import Order, Position
from trading.services import lookup
from trading.services.contact import Contact
from trading.services.venues import REAL, Venues

pytestmark = pytest.mark.db

NOW = orders.NOW
AFTER = NOW + lookup.ORDER_LIFETIME + timedelta(seconds=1)
BTC = Symbol("BTC/USDT:USDT")
D = Decimal
T = TypeVar("T")
position = orders.position


class Binance:
    """Knows no order by its id, and lists one fill; `whose` is the own id of its order.

    `held` is the position that it lists, `fill` None where there is none.
    """

    def __init__(self, fill: Fill | None, whose: str | None, held: str = "0") -> None:
        self.fill = fill
        self.whose = whose
        self.held = D(held)
        self.traced = 0

    async def find_order(self, client_order_id: ClientOrderId, symbol: Symbol) -> OrderReport:
        raise OrderNotFound("the venue does not know this order now", venue="binanceusdm")

    async def open_orders(self, *symbols: Symbol) -> Sequence[OrderReport]:
        return []

    async def fills(self, symbol: Symbol, *, since: datetime) -> Sequence[Fill]:
        return [self.fill] if self.fill else []

    async def positions(self) -> Sequence[VenuePosition]:
        one = VenuePosition(
            venue="binanceusdm",
            symbol=BTC,
            base_quantity=self.held,
            entry_price=D(60_000),
            mark_price=D(60_000),
            liquidation_price=None,
            leverage=None,
            unrealised_pnl=None,
            observed_at=AFTER,
            is_hedge_mode=False,
        )
        return [one] if self.held else []

    async def trace(self, fill: Fill) -> Fill:
        self.traced += 1
        if self.whose is None:
            raise VenueUnavailable("the venue did not answer in time", venue="binanceusdm")
        return replace(fill, client_order_id=ClientOrderId(self.whose))


def listed(**changes: Any) -> Fill:
    """Return a fill as Binance lists it: a second after the order was sent, without our id."""
    return execution(venue="binanceusdm", filled_at=NOW + timedelta(seconds=1), **changes)


def venues_of(venue: Binance) -> Venues:
    def call(coroutine: Coroutine[Any, Any, T], timeout: float) -> T:
        return asyncio.run(coroutine)

    return replace(
        REAL,
        trading=lambda account: cast(Trading, venue),
        account=lambda account: cast(Account, venue),
        call=call,
        call_all=orders.call_all,
    )


@pytest.fixture
def unknown(position: Position) -> Order:
    """An order that was sent and not answered, and that its venue has not known for a while."""
    order = orders.intend(position)
    silent = orders.ScriptedVenue(OrderOutcomeUnknown("no answer", venue="binanceusdm"))
    assert orders.send(order, position, silent) is OrderState.UNKNOWN
    lookup.not_found_since[order.pk] = -1_000_000.0
    return order


def look_up(order: Order, venue: Binance) -> OrderState:
    lookup.look_up([order], venues=venues_of(venue), contact=Contact(), now=AFTER)
    order.refresh_from_db()
    return OrderState(order.state)


def test_a_fill_that_is_listed_without_our_id_shows_that_its_order_was_placed(
    unknown: Order,
) -> None:
    state = look_up(unknown, Binance(listed(), whose=unknown.client_order_id))

    assert state is OrderState.FILLED
    assert unknown.filled_base_quantity == D(1)
    assert [trade.base_quantity for trade in unknown.trades.all()] == [D(1)]


def test_a_fill_of_which_nobody_knows_whose_it_is_leaves_the_order_unknown(unknown: Order) -> None:
    assert look_up(unknown, Binance(listed(), whose=None)) is OrderState.UNKNOWN


@pytest.mark.parametrize(
    ("fill", "traced", "held"),
    [
        (listed(), 1, "1"),
        (listed(side=Side.SELL), 0, "-1"),
        (listed(base_quantity=D(2)), 0, "2"),
    ],
    ids=["a person's", "of the other side", "of more than was sent"],
)
def test_a_fill_of_somebody_else_leaves_the_order_absent(
    unknown: Order, fill: Fill, traced: int, held: str
) -> None:
    venue = Binance(fill, whose="web_1", held=held)

    assert look_up(unknown, venue) is OrderState.NOT_PLACED
    assert venue.traced == traced


@pytest.mark.parametrize(
    ("held", "state"),
    [
        ("1", OrderState.UNKNOWN),
        ("0.4", OrderState.UNKNOWN),
        ("-1", OrderState.NOT_PLACED),
        ("1.1", OrderState.NOT_PLACED),
    ],
    ids=["all of it", "a part of it", "of the other side", "more than was sent"],
)
def test_a_position_that_only_the_order_explains_leaves_it_unknown(
    unknown: Order, held: str, state: OrderState
) -> None:
    """It may be listed before the order and its fills are."""
    assert look_up(unknown, Binance(None, whose=None, held=held)) is state
