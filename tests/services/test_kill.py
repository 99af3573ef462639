"""Kill: durable, without Redis and workers, ordered by epoch, and nothing left untold."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django.fixtures import Settings

from arbsite.accounts.models import User
from arbsite.launcher.ports import LOOPBACK, free_port
from exchanges import selectors
from exchanges.account_keys import store_account
from exchanges.models import ExchangeAccount
from tests.broker import broker_away
from tests.machine import wait_until
from tests.services.conftest import Desk
from trading.core.states import OrderState, PositionState, Purpose
from trading.models import Event, KillSwitch, Order, Position
from trading.services import engine, kill_switch, lease
from trading.services.demo import BALANCES
from trading.services.drive import drive
from trading.services.flatten import carry_out, flatten
from trading.services.hold import hold_position
from trading.services.sweep import sweep

pytestmark = pytest.mark.protocol

D = Decimal
# Mids at which the simulated spread is one tick, so that the first leg is filled at once.
MIDS = {
    "BTC": "48000.05",
    "ETH": "2400.005",
    "SOL": "140.005",
    "XRP": "1.90005",
    "DOGE": "0.160005",
    "ADA": "0.65005",
    "LINK": "9.0005",
    "AVAX": "8.0005",
}
QUANTITIES = {"BTC": "0.1", "ETH": "1", "SOL": "10", "XRP": "500", "DOGE": "5000", "ADA": "1000"}
MOST_SECONDS = 60.0


@pytest.fixture
def lose_redis(desk: Desk, settings: Settings) -> Generator[Callable[[], None]]:
    """Take the Redis away when called: nothing listens at its address any more."""
    running = settings.REDIS_URL

    def lose() -> None:
        settings.REDIS_URL = f"redis://{LOOPBACK}:{free_port()}/0"
        selectors.board_redis.cache_clear()

    yield lose
    settings.REDIS_URL = running
    selectors.board_redis.cache_clear()


def hedged(desk: Desk, base: str = "BTC") -> Position:
    """Open a position whose first leg is filled as it arrives."""
    position = desk.plan(base=base, base_quantity=QUANTITIES.get(base, "100"))
    desk.price(position, MIDS[base])
    return desk.drive_until(position, PositionState.OPEN)


def desk_of(desk: Desk, name: str) -> Desk:
    """Return another person's desk at the same venues."""
    user = User.objects.create_user(name, password=f"{name}-password")
    for family, code in (("binance", "binanceusdm"), ("bybit", "bybit")):
        key, secret = f"{name}-{family}-key", f"{name}-{family}-secret"
        desk.simulator.register(family, key, secret, BALANCES[family])
        store_account(
            user=user,
            exchange=desk.instrument(code).exchange,
            label="main",
            api_key=key,
            secret=secret,
        )
    return replace(desk, user=user)


def held(desk: Desk) -> list[object]:
    """Return what the venues' own books show of this person."""
    return [
        row
        for venue in ("binanceusdm", "bybit")
        for row in desk.ledger(venue)["positions"]  # type: ignore[attr-defined]
        if D(row["base_quantity"]) != 0
    ]


def run_kill(*arguments: str) -> tuple[int, str]:
    said = StringIO()
    try:
        call_command("kill", *arguments, stdout=said)
    except SystemExit as end:
        return int(str(end.code)), said.getvalue()
    return 0, said.getvalue()


def test_positions_of_several_people_are_flat_within_a_minute_with_neither_redis_nor_worker(
    desk: Desk, lose_redis: Callable[[], None]
) -> None:
    desks = [desk, desk_of(desk, "ann")]
    for each, base in [(each, base) for each in desks for base in ("BTC", "ETH", "SOL")]:
        hedged(each, base)
    assert Position.objects.filter(state=PositionState.OPEN).count() == 6
    lose_redis()
    started = time.monotonic()

    status, said = run_kill("--all", "--reason", "drill")

    took = time.monotonic() - started
    pressed = KillSwitch.objects.get()
    opening = Order.objects.exclude(purpose=Purpose.REDUCE).filter(sent_at__gt=pressed.pressed_at)
    assert (status, said.splitlines()[-1]) == (0, "Flat.")
    assert took < MOST_SECONDS
    assert not opening.exists()
    assert [row for each in desks for row in held(each)] == []


def test_a_dead_redis_stops_neither_a_press_nor_an_exit_nor_a_sweep(
    desk: Desk, lose_redis: Callable[[], None]
) -> None:
    position = hedged(desk)
    lose_redis()

    pressed = kill_switch.press(
        user=desk.user, actor="demo", reason="x", closes_positions=True, now=timezone.now()
    )
    sweep()
    left = flatten(pressed)

    assert left == []
    assert held(desk) == []
    position.refresh_from_db()
    assert (position.state, position.close_reason) == (PositionState.CLOSED, "kill")


def test_a_venue_that_is_away_is_told_of_leg_by_leg_and_closed_when_it_returns(
    desk: Desk, lose_redis: Callable[[], None]
) -> None:
    position = hedged(desk)
    lose_redis()
    desk.simulator.fault(venue="bybit", action="drop_before_accept", count=None)

    status, said = run_kill("--user", "demo", "--reason", "drill", "--within", "4")

    assert status == 3
    lines = [line for line in said.splitlines() if line.startswith("Not flat")]
    assert any("demo, main at BYB, BTC/USDT:USDT -0.1 BTC" in line for line in lines)
    told = Event.objects.filter(kind="kill.leftover", severity="critical")
    assert told.count() == len(lines)
    run_kill("--user", "demo", "--reason", "drill", "--within", "1")
    assert told.count() == len(lines)

    desk.simulator.no_faults()
    status, said = run_kill("--user", "demo", "--reason", "drill")

    assert (status, said.splitlines()[-1]) == (0, "Flat.")
    position.refresh_from_db()
    assert position.state == PositionState.CLOSED
    assert held(desk) == []


def test_stopping_from_the_command_line_keeps_positions(
    desk: Desk, lose_redis: Callable[[], None]
) -> None:
    position = hedged(desk)
    lose_redis()

    status, said = run_kill("--user", "demo", "--reason", "drill", "--no-close")

    position.refresh_from_db()
    assert (status, position.state) == (0, PositionState.OPEN)
    assert re.search(r"Pressed for demo, epoch \d+: entries are stopped\.", said)


def test_what_a_dead_worker_was_driving_is_closed_without_waiting_for_its_lease(
    desk: Desk,
) -> None:
    position = hedged(desk)
    worker = subprocess.Popen([sys.executable, "-c", ""])
    worker.wait()
    machine, _, process, thread = lease.owner_name().split(".")
    Position.objects.filter(pk=position.pk).update(
        lease_owner=f"{machine}.{worker.pid}.{process}.{thread}",
        lease_expires_at=timezone.now() + lease.LEASE,
    )

    left = flatten(press(desk), within=lease.LEASE / 2)

    assert left == []
    assert held(desk) == []


def test_an_entry_under_way_is_cancelled_without_workers(
    desk: Desk, lose_redis: Callable[[], None]
) -> None:
    position = desk.plan()
    # Here a spread is two ticks wide and the mid rests between them.
    desk.price(position, "48000")
    drive(position.pk)
    assert position.orders.get().state == OrderState.OPEN
    lose_redis()

    status, _ = run_kill("--user", "demo", "--reason", "drill")

    position.refresh_from_db()
    assert status == 0
    assert position.state == PositionState.ABANDONED
    assert position.orders.get().state == OrderState.CANCELED


def test_an_unknown_name_is_refused_with_those_that_are_known(desk: Desk) -> None:
    with pytest.raises(CommandError, match="no user 'bob'; known: demo") as refused:
        call_command("kill", "--user", "bob", "--reason", "drill")

    assert refused.value.returncode == 2
    assert not KillSwitch.objects.exists()


def test_positions_of_a_disabled_person_are_closed_and_staff_is_told(desk: Desk) -> None:
    ann = desk_of(desk, "ann")
    position = hedged(ann)
    User.objects.filter(username="ann").update(is_active=False)

    desk.drive_until(position, PositionState.CLOSED)

    assert position.close_sentence == "ann was disabled"
    assert held(ann) == []
    opening = position.orders.exclude(purpose=Purpose.REDUCE)
    assert opening.count() == 2
    told = Event.objects.get(kind="position.orphaned")
    assert told.user == desk.user
    assert ExchangeAccount.objects.filter(user__username="ann").exists()


def press(desk: Desk) -> KillSwitch:
    return kill_switch.press(
        user=desk.user, actor="demo", reason="drill", closes_positions=True, now=timezone.now()
    )


def is_watched() -> bool:
    return any(thread.name == "flatten" for thread in threading.enumerate())


def test_whoever_took_a_press_closes_when_the_workers_that_beat_just_now_are_dead(
    desk: Desk,
) -> None:
    position = hedged(desk)
    # They ended a moment ago: the doorbell is taken, their last beat still counts.
    engine.beat(now=timezone.now() - engine.LATE + timedelta(seconds=2))

    assert carry_out(press(desk), now=timezone.now()) is False

    wait_until(lambda: not held(desk), timeout=30, what="the venues hold nothing")
    wait_until(lambda: not is_watched(), timeout=30, what="the watch ends")
    position.refresh_from_db()
    assert (position.state, position.close_reason) == (PositionState.CLOSED, "kill")


def test_leftovers_are_told_by_the_watch_when_the_workers_are_dead(desk: Desk) -> None:
    position = hedged(desk)
    engine.beat(now=timezone.now() - engine.LATE + timedelta(seconds=2))
    pressed = press(desk)
    # Held after the press: nothing may be driven, but a person must hear of it.
    assert hold_position(position, cause="a leg is missing", now=timezone.now())

    assert carry_out(pressed, now=timezone.now()) is False

    wait_until(lambda: not is_watched(), timeout=30, what="the watch ends")
    told = Event.objects.filter(kind="kill.leftover", severity="critical")
    assert told.count() == 2
    assert len(held(desk)) == 2


def test_workers_that_are_alive_are_left_to_close_and_the_watch_ends_with_the_press(
    desk: Desk,
) -> None:
    position = hedged(desk)
    engine.beat(now=timezone.now())
    pressed = press(desk)

    assert carry_out(pressed, now=timezone.now()) is False
    assert is_watched()
    assert kill_switch.rearm(user=desk.user, actor="demo", now=timezone.now())

    wait_until(lambda: not is_watched(), timeout=30, what="the watch ends")
    assert not position.orders.filter(purpose=Purpose.REDUCE).exists()


def test_a_second_press_is_carried_out_at_once_though_the_first_is_still_watched(
    desk: Desk,
) -> None:
    held_position = hedged(desk)
    resting = desk.plan(base="ETH", base_quantity="1")
    # Here a spread is two ticks wide and the mid rests between them.
    desk.price(resting, "2400")
    drive(resting.pk)
    assert resting.orders.get().state == OrderState.OPEN
    engine.beat(now=timezone.now())
    stop = kill_switch.press(
        user=desk.user, actor="demo", reason="drill", closes_positions=False, now=timezone.now()
    )
    # The workers were told, and what is resting keeps this process watching them.
    assert carry_out(stop, now=timezone.now()) is False
    assert is_watched()

    with broker_away():
        assert carry_out(press(desk), now=timezone.now()) is True

    # Long before the workers' last beat is late.
    wait_until(lambda: not held(desk), timeout=15, what="the venues hold nothing")
    wait_until(lambda: not is_watched(), timeout=30, what="the watch ends")
    held_position.refresh_from_db()
    assert (held_position.state, held_position.close_reason) == (PositionState.CLOSED, "kill")


def test_a_press_that_no_worker_will_hear_is_carried_out_here_at_once(desk: Desk) -> None:
    hedged(desk)

    assert carry_out(press(desk), now=timezone.now()) is True

    wait_until(lambda: not held(desk), timeout=30, what="the venues hold nothing")
    wait_until(lambda: not is_watched(), timeout=30, what="the watch ends")
