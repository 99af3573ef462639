"""The dead-man's switch: a venue that can count down cancels the entry of a Carry that died."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from exchanges import loop, registry
from exchanges.account_keys import account_key
from tests.machine import wait_until
from tests.services.conftest import Desk
from trading.core.states import OrderState, PositionState, Purpose
from trading.models import DeadManSwitch, Event, Order, Position
from trading.services.dead_man import TEND_EVERY, tend_switches
from trading.services.drive import drive
from trading.services.hold import hold_position
from trading.services.sweep import sweep

pytestmark = pytest.mark.protocol

SHORT = timedelta(seconds=1.5)


@pytest.fixture
def resting(desk: Desk) -> Position:
    """Return an entry whose first leg rests at Binance, at a price where nothing trades."""
    position = desk.plan()
    # Here a spread is two ticks wide and the mid rests between them.
    desk.price(position, "48000")
    drive(position.pk)
    assert entry(position).state == OrderState.OPEN
    return position


def entry(position: Position) -> Order:
    return position.orders.get(purpose=Purpose.OPEN)


def later() -> datetime:
    return timezone.now() + TEND_EVERY


def cancels_at_venue(desk: Desk, position: Position) -> bool:
    orders = desk.ledger("binanceusdm")["orders"]
    ours = entry(position).client_order_id
    return any(
        o["client_order_id"] == ours and o["status"] == "canceled"
        for o in orders  # type: ignore[attr-defined]
    )


def test_the_venue_cancels_the_entry_of_a_carry_that_died_and_the_look_up_finds_it(
    desk: Desk, resting: Position
) -> None:
    assert tend_switches(countdown=SHORT) == 1

    # nobody renews it: Carry is dead
    wait_until(lambda: cancels_at_venue(desk, resting), timeout=10, what="the venue cancels")

    assert entry(resting).state == OrderState.OPEN
    ended = desk.drive_until(resting, PositionState.ABANDONED)
    assert entry(ended).state == OrderState.CANCELED
    assert ended.orders.count() == 1


def test_one_of_two_workers_renews_and_the_order_rests_on(desk: Desk, resting: Position) -> None:
    tended = [tend_switches(countdown=SHORT), tend_switches(countdown=SHORT)]
    renewed = tend_switches(countdown=timedelta(minutes=5), clock=later)

    assert (tended, renewed) == ([1, 0], 1)
    wait_until(
        lambda: timezone.now() - entry(resting).created_at > 2 * SHORT, timeout=9, what="time goes"
    )
    assert not cancels_at_venue(desk, resting)


def test_the_switch_is_ended_with_the_entry(desk: Desk, resting: Position) -> None:
    tend_switches(countdown=timedelta(minutes=5))
    Position.objects.filter(pk=resting.pk).update(entry_deadline=timezone.now())
    Order.objects.filter(position=resting).update(cancel_after=timezone.now())
    desk.drive_until(resting, PositionState.ABANDONED)

    assert tend_switches(clock=later) == 1

    assert not DeadManSwitch.objects.exists()


def test_a_foreign_order_keeps_the_switch_off(desk: Desk, resting: Position) -> None:
    person = registry._client(account_key(desk.account("binanceusdm"))).exchange
    price = round(Decimal(str(entry(resting).price)) * Decimal("0.9"), 1)
    placed = loop.call(
        person.create_order("BTC/USDT:USDT", "limit", "buy", Decimal("0.01"), price), 10
    )
    try:
        tend_switches(countdown=SHORT)

        (event,) = Event.objects.filter(position=resting, kind="dead_man.off")
        assert event.sentence == (
            f"BTC: the dead-man's switch at {desk.account('binanceusdm').exchange.name} stays off, "
            f"for it would cancel order {placed['id']}, which is not of this entry too"
        )
        wait_until(
            lambda: timezone.now() - event.created_at > SHORT, timeout=9, what="it would fire"
        )
        assert not cancels_at_venue(desk, resting)
    finally:
        loop.call(person.cancel_order(placed["id"], "BTC/USDT:USDT"), 10)


def test_a_venue_without_a_safe_switch_is_never_asked(desk: Desk) -> None:
    position = desk.plan(long_venue="bybit", short_venue="binanceusdm")
    drive(position.pk)

    assert entry(position).state == OrderState.OPEN
    assert tend_switches() == 0
    assert "cannot be armed for one entry order" in registry.why_no_dead_man("bybit")


def test_the_entry_of_a_held_position_is_cancelled_and_its_switch_not_renewed(
    desk: Desk, resting: Position
) -> None:
    assert tend_switches(countdown=SHORT) == 1
    assert hold_position(resting, cause="its other leg was closed by hand", now=timezone.now())

    assert tend_switches(countdown=SHORT, clock=later) == 0
    sweep()

    assert cancels_at_venue(desk, resting)
    assert entry(resting).state == OrderState.CANCELED
    resting.refresh_from_db()
    assert resting.state == PositionState.CLOSED
