"""How long a venue takes to answer: the usual time, which one lost answer does not make."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from arbsite.accounts.models import User
from tests.web.rows import D, make_account, make_exchange, make_instrument, make_position
from trading.models import Order
from trading.services.latency import venue_latencies

pytestmark = [pytest.mark.db, pytest.mark.django_db]

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def answer(order: Order, *milliseconds: int) -> None:
    """Write an order beside this one for each time that its venue took to answer."""
    for number, took in enumerate(milliseconds, start=2):
        sent_at = NOW - timedelta(minutes=1)
        Order.objects.create(
            position=order.position,
            leg=order.leg,
            purpose=order.purpose,
            sequence=number,
            client_order_id=f"{order.client_order_id}-{number}",
            side=order.side,
            order_type="limit",
            time_in_force="gtc",
            base_quantity=D(1),
            state="unknown" if took >= 3000 else "canceled",
            created_at=sent_at,
            sent_at=sent_at,
            answered_at=sent_at + timedelta(milliseconds=took),
        )


@pytest.fixture
def order(owner: User) -> Order:
    bybit, okx = make_exchange("bybit", "BYB", "Bybit"), make_exchange("okx", "OKX", "OKX")
    make_account(owner, bybit, NOW)
    make_account(owner, okx, NOW)
    long, short = make_instrument(bybit, "BTC", NOW), make_instrument(okx, "BTC", NOW)
    position = make_position(owner, long, short, NOW)
    return position.orders.get(leg__index=0)


def test_one_lost_answer_does_not_make_a_venue_slow(order: Order) -> None:
    answer(order, 3000)

    assert venue_latencies(NOW) == {}


def test_what_is_usual_is_told_beside_lost_answers(order: Order) -> None:
    answer(order, 80, 3000, 90, 3000)

    assert venue_latencies(NOW) == {"bybit": timedelta(milliseconds=90)}


def test_a_venue_that_is_always_slow_is_told(order: Order) -> None:
    answer(order, 2500, 2600, 2700)

    assert venue_latencies(NOW) == {"bybit": timedelta(milliseconds=2600)}
