"""Two orders of one key that may ask little: each is looked up half as often, and both are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from arbsite.accounts.models import User
from tests.web.rows import make_account, make_exchange, make_instrument, make_position
from trading.core.states import OrderState
from trading.models import Order
from trading.services.lookup import is_due

pytestmark = [pytest.mark.db, pytest.mark.django_db]

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)


def unknown_orders(owner: User, code: str, number: int) -> list[Order]:
    """Return so many orders of one account that its venue was just asked for."""
    exchange = make_exchange(code, "VEN", code.title())
    long, short = (make_instrument(exchange, base, NOW) for base in ("BTC", "ETH"))
    make_account(owner, exchange, NOW)
    position = make_position(owner, long, short, NOW)
    leg = position.legs.get(index=0)
    Order.objects.update(is_final_at_venue=True)
    return [
        Order.objects.create(
            position=position,
            leg=leg,
            client_order_id=f"ca0o{sequence:03}00",
            purpose="open",
            sequence=sequence,
            side="buy",
            order_type="limit",
            time_in_force="GTC",
            base_quantity=Decimal(1),
            price=Decimal(100),
            state=OrderState.UNKNOWN,
            looked_up_at=NOW,
            created_at=NOW,
        )
        for sequence in range(7, 7 + number)
    ]


def due_after(order: Order, seconds: float) -> bool:
    return is_due(order, NOW + timedelta(seconds=seconds))


def test_one_order_at_kraken_is_looked_up_every_five_seconds(owner: User) -> None:
    [order] = unknown_orders(owner, "kraken", 1)

    assert not due_after(order, 4.9)
    assert due_after(order, 5)


def test_two_of_one_key_share_that_pace_until_one_is_final(owner: User) -> None:
    first, second = unknown_orders(owner, "kraken", 2)
    assert not due_after(first, 9.9)
    assert due_after(first, 10)

    second.is_final_at_venue = True
    second.save()

    assert due_after(first, 5)


def test_where_a_key_may_ask_much_nobody_waits_for_another(owner: User) -> None:
    first, _ = unknown_orders(owner, "bybit", 2)

    assert due_after(first, 0.4)
