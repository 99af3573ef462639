"""The stream tells of a fill before the answer to its order is written."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

import pytest

from arbsite.accounts.models import User
from exchanges.domain import (
    ClientOrderId,
    Fill,
    OrderReport,
    Symbol,
    VenueOrderStatus,
)
from exchanges.errors import OrderOutcomeUnknown
from tests.services import test_submit as orders
from tests.services.executions import execution
from trading.core.states import OrderState
from trading.models import Order, Position
from trading.services.account_facts import record
from trading.services.submit import submit
from trading.services.venues import Venues

pytestmark = pytest.mark.db

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
BTC = Symbol("BTC/USDT:USDT")
D = Decimal
T = TypeVar("T")
position = orders.position


def filled(order: Order) -> list[Fill | OrderReport]:
    """Return what the stream says of an order that filled at once, each message twice."""
    own_id = ClientOrderId(order.client_order_id)
    fill = execution(client_order_id=own_id)
    told = replace(orders.report(), client_order_id=own_id, observed_at=NOW)
    return [fill, told, fill, told]


@pytest.mark.parametrize(
    "answer",
    [
        orders.report(status=VenueOrderStatus.OPEN, filled_base_quantity=D(0)),
        OrderOutcomeUnknown("the answer was cut off", venue="bybit"),
    ],
    ids=["acknowledged", "unanswered"],
)
def test_a_fill_before_the_answer_is_booked_once_and_the_answer_takes_nothing_back(
    owner: User, position: Position, answer: OrderReport | Exception
) -> None:
    venue = orders.ScriptedVenue(answer)
    order = orders.intend(position)

    def call_all(
        coroutines: Sequence[Coroutine[Any, Any, T]], timeout: float
    ) -> list[T | BaseException]:
        answers = orders.call_all(coroutines, timeout)
        if venue.sent:
            record(order.leg.account, filled(order), now=NOW)
        return answers

    venues: Venues = replace(orders.venues_of(venue), call_all=call_all)
    submit([order], position=position, venues=venues, clock=lambda: NOW)

    order.refresh_from_db()
    assert (order.state, order.filled_base_quantity) == (OrderState.FILLED, D(1))
    assert [trade.base_quantity for trade in position.trades.all()] == [D(1)]
    assert len(venue.sent) == 1
