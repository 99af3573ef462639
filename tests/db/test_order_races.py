"""Two processes hear of one order at once: what it filled never falls, whoever writes last."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from exchanges.domain import ClientOrderId, Fill, VenueOrderStatus
from tests.locks import somebody_waits_for_a_lock
from tests.machine import wait_until
from tests.services import test_submit as orders
from tests.services.executions import execution
from trading.core.states import OrderState
from trading.models import Order, Position
from trading.services.order_facts import absorb_report, book_fills
from trading.services.transition import license_order

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
D = Decimal
position = orders.position


@pytest.fixture
def order(position: Position) -> Order:
    """An order for 1 of which 0.1 was filled."""
    sent = orders.intend(position)
    assert license_order(sent, position=position, now=NOW)
    absorb_report(sent, told("0.1", VenueOrderStatus.OPEN), now=NOW)
    return sent


def told(filled: str, status: VenueOrderStatus) -> Any:
    return orders.report(status=status, filled_base_quantity=D(filled))


def filled(order: Order, key: str, quantity: str) -> Fill:
    own_id = ClientOrderId(order.client_order_id)
    return execution(client_order_id=own_id, venue_trade_id=key, base_quantity=D(quantity))


@contextmanager
def another_process(act: Callable[[], object]) -> Iterator[None]:
    """Have another worker act once this one is about to write the order, as far as it gets."""

    def apart() -> None:
        try:
            act()
        finally:
            connection.close()

    rival: list[Future[None]] = []

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not rival and sql.startswith('UPDATE "trading_order"'):
            rival.append(workers.submit(apart))
            wait_until(
                lambda: rival[0].done() or somebody_waits_for_a_lock(),
                timeout=10,
                what="the other worker has written, or waits for this one",
            )
        return execute(sql, params, many, context)

    with ThreadPoolExecutor(1) as workers:
        with connection.execute_wrapper(wrapper):
            yield
        rival[0].result(10)


def book(order: Order, *fills: Fill) -> None:
    book_fills(Order.objects.get(pk=order.pk).leg.account, fills, now=NOW)


def test_the_first_fill_takes_nothing_back_of_an_answer_that_tells_of_all(order: Order) -> None:
    with another_process(
        lambda: absorb_report(
            Order.objects.get(pk=order.pk), told("1", VenueOrderStatus.FILLED), now=NOW
        )
    ):
        book(order, filled(order, "t1", "0.4"))

    order.refresh_from_db()
    assert (order.state, order.filled_base_quantity) == (OrderState.FILLED, D(1))


def test_a_report_that_is_late_takes_nothing_back_of_what_was_booked(order: Order) -> None:
    with another_process(lambda: book(order, filled(order, "t1", "0.7"))):
        absorb_report(Order.objects.get(pk=order.pk), told("0.4", VenueOrderStatus.OPEN), now=NOW)

    order.refresh_from_db()
    assert order.filled_base_quantity == D("0.7")


def test_two_fills_that_are_booked_at_once_add_up(order: Order) -> None:
    with another_process(lambda: book(order, filled(order, "t2", "0.3"))):
        book(order, filled(order, "t1", "0.4"))

    order.refresh_from_db()
    assert order.filled_base_quantity == D("0.7")
