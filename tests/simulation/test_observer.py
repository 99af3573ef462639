"""The observer must be able to fail: each kind of wrong that is done by hand is seen."""

from __future__ import annotations

import logging
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest

from arbsite.celery import app
from exchanges.domain import Side
from tests.simulation.actions import Action, perform
from tests.simulation.laboratory import Laboratory
from tests.simulation.markets import CREATE
from tests.simulation.observer.watching import Observer
from tests.simulation.run import come_to_rest
from tests.simulation.world import World
from trading.models import Order, Position, Trade

pytestmark = pytest.mark.simulation

ENTRY = Action(do="open", amount="6000", kind="manual", wait=12.0)


@pytest.fixture
def entered(laboratory: Laboratory) -> Observer:
    """A hedged position at seed 1, in which nothing was wrong so far."""
    world = World(laboratory, 1)
    observer = Observer(world)
    perform(world, ENTRY)
    assert Position.objects.get().state == "open"
    assert observer.violations == []
    return observer


def rules(observer: Observer) -> set[str]:
    observer.see_step()
    return {violation.rule for violation in observer.violations}


def test_an_order_without_an_intent_is_seen(entered: Observer) -> None:
    far = entered.case.world.far
    own = next(iter(far.ledger.orders.values()))
    far.ledger.put_order(
        replace(own, number=999, client_order_id="ca0o0010000000000000000000000000")
    )

    assert "I1" in rules(entered)


def test_a_second_create_request_is_seen(entered: Observer) -> None:
    far = entered.case.world.far
    far.sights.append(far.sights[0])
    entered.see_request(far.sights[0])

    assert "I2" in {violation.rule for violation in entered.violations}


def test_an_order_called_filled_that_no_venue_holds_is_seen(entered: Observer) -> None:
    order = Order.objects.order_by("created_at")[0]
    Order.objects.filter(pk=order.pk).update(client_order_id="ca0o001nowhere")

    assert "I4" in rules(entered)


def test_a_fill_booked_twice_is_seen(entered: Observer) -> None:
    trade = Trade.objects.all()[0]
    trade.pk, trade.venue_trade_id = entered.case.world.laboratory.ids(), "again"
    trade._state.adding = True
    trade.save(force_insert=True)

    assert "I6" in rules(entered)


def test_a_filled_quantity_that_falls_is_seen(entered: Observer) -> None:
    entered.see_step()
    Order.objects.update(filled_base_quantity=Decimal(0))

    assert "I7" in rules(entered)


def test_a_position_called_closed_that_still_holds_is_seen(entered: Observer) -> None:
    Position.objects.update(state="closed", reserved_usd=Decimal(0))

    assert "I25" in rules(entered)


def test_an_unhedged_leg_that_nobody_hears_of_is_seen(entered: Observer) -> None:
    chronicle = entered.case.chronicle
    chronicle.own["alice", "bybit", "BTC"] += Decimal("0.01")
    chronicle.weigh("alice", "BTC", entered.case.now)
    entered.case.world.timeline.advance(60)

    assert "I10" in rules(entered)


def test_only_time_in_which_nobody_could_act_is_excused(entered: Observer) -> None:
    world = entered.case.world
    world.pass_time(4)
    assert world.excused.total_seconds() == 0

    world.down.add("bybit")
    world.sleep(3)
    assert world.excused.total_seconds() == 3

    world.down.clear()
    world.pass_time(4)
    assert world.excused.total_seconds() == 3


def test_deleveraging_beyond_the_own_holding_takes_from_a_trade_by_hand(
    laboratory: Laboratory,
) -> None:
    world = World(laboratory, 1)
    observer = Observer(world)
    perform(world, Action(do="foreign", user="bob", venue="binanceusdm", base="ETH", amount="0.2"))
    perform(world, Action(do="deleverage", user="bob", venue="binanceusdm", base="ETH", amount="1"))
    world.pass_time(60)

    assert observer.case.chronicle.net("bob", "ETH") == 0
    assert sum(observer.case.chronicle.foreign.values()) == 0
    assert observer.violations == []


def test_a_foreign_holding_without_a_halt_is_seen(entered: Observer) -> None:
    world = entered.case.world
    world.far.trade_by_hand("bob", "bybit", "ETH", Side.BUY, Decimal("1"))
    entered.see_end()

    assert "I25" in rules(entered)


def test_a_close_that_nobody_sends_is_seen(entered: Observer) -> None:
    world = entered.case.world
    Position.objects.update(goal="flat")
    entered.see_step()
    world.timeline.advance(6)

    assert "I19" in rules(entered)


def test_a_close_is_on_its_way_though_polls_took_all_they_may(entered: Observer) -> None:
    world = entered.case.world
    perform(world, Action(do="flood", wait=0.1))
    perform(world, Action(do="close", wait=4.0))

    assert Position.objects.get().state == "closed"
    assert rules(entered) == set()


def test_a_request_in_a_silence_is_seen(entered: Observer) -> None:
    world, far = entered.case.world, entered.case.world.far
    perform(world, Action(do="fault", kind="create-429", venue="bybit", wait=0.0))
    perform(world, Action(do="close", wait=0.0))
    assert entered.violations == []
    silence = far.silences[-1]

    world.timeline.advance(0.5)
    entered.see_arrival(replace(silence.by, at=entered.case.now))

    assert "I29" in {violation.rule for violation in entered.violations}


@pytest.mark.parametrize(("venue", "orders"), [("bybit", 9), ("binanceusdm", 241)])
def test_orders_beyond_four_fifths_of_a_limit_are_seen(
    entered: Observer, venue: str, orders: int
) -> None:
    far = entered.case.world.far
    create = (venue, "POST", CREATE[venue])
    [order] = [one for one in far.arrivals if (one.venue, one.method, one.path) == create]
    last = replace(order, at=entered.case.now)
    far.arrivals += [last] * (orders - 1)
    entered.see_arrival(last)
    assert entered.violations == []

    far.arrivals.append(last)
    entered.see_arrival(last)

    assert "I29" in {violation.rule for violation in entered.violations}


def test_an_entry_by_a_clock_that_is_off_is_seen(entered: Observer) -> None:
    world = entered.case.world
    sight = world.far.sights[0]
    assert sight.intent is not None and sight.intent["purpose"] == "open"
    world.skew = -3600.0
    world.timeline.advance(30)
    entered.see_request(replace(sight, at=entered.case.now, client_order_id="another"))

    assert "I31" in {violation.rule for violation in entered.violations}


@pytest.mark.parametrize("sink", ["a log", "a task", "the cache", "the database"])
def test_a_secret_in_a_sink_is_seen(entered: Observer, sink: str) -> None:
    laboratory = entered.case.world.laboratory
    secret = entered.case.world.far.account("alice", "bybit").secret
    match sink:
        case "a log":
            logging.getLogger("trading").info("sent", extra={"headers": {"sign": secret}})
        case "a task":
            app.send_task("trading.tasks.drive_position", args=[str(UUID(int=1)), secret])
            laboratory.doorbells.take()
        case "the cache":
            laboratory.redis.hset("carry:board", {"last": secret.encode()})
        case _:
            Position.objects.update(opened_by=secret[:40])
            assert secret in str(Position.objects.get().opened_by)
    entered.see_end()

    assert {v.rule for v in entered.violations} == {"I33"}
    assert any(sink in v.sentence for v in entered.violations)


def test_a_payment_that_is_not_booked_is_seen(entered: Observer) -> None:
    world = entered.case.world
    world.sleep(240)
    entered.see_end()

    assert "I20" in rules(entered)


def test_a_wallet_that_differs_from_the_books_is_seen(entered: Observer) -> None:
    world = entered.case.world
    perform(world, Action(do="close", wait=10.0))
    come_to_rest(world)
    world.far.account("alice", "bybit").credit("unified", "USDT", Decimal("0.01"))
    entered.see_end()

    assert "I21" in rules(entered)
