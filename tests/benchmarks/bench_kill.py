"""The kill of 20 positions, and closing orders dispatched behind 10,000 queued polls.

Kill: from the commit of a press for everyone to the moment the venues' own books are empty, with
every order that opened after it counted. Dispatch: from asking for an exit to the journal's row of
its first step, one position after the other, with the poll lane's queue full.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from django.conf import settings
from django.db import close_old_connections, connections
from django.utils import timezone
from redis import Redis

from arbsite.accounts.models import User
from arbsite.celery import POLL, app
from tests.benchmarks import bench_recovery as rows
from tests.machine import RunningCarry
from tests.rehearsal import SimulatorControl
from trading.core.states import PositionEvent, Purpose
from trading.doorbell import ring_drive
from trading.models import Order, Position, StateChange
from trading.services import kill_switch
from trading.services.exit import request_exit
from trading.services.flatten import carry_out

BACKLOG = 10_000
POLL_TASK = "exchanges.tasks.poll_market"


def measure() -> rows.Result:
    """Return seconds of one whole Carry in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder, RunningCarry(Path(folder) / "var") as carry:
        connections["default"].settings_dict["NAME"] = str(carry.var / "carry.sqlite3")
        close_old_connections()
        settings.CARRY_KEY_FILE = carry.var / "carry.key"
        rows.ring_at(carry.facts["redis_url"])
        simulator = SimulatorControl(urlsplit(carry.facts["control_url"]).port or 0)
        killed = rows.open_all(simulator)
        flat = _kill(simulator)
        kill_switch.rearm(user=None, actor="bench", now=timezone.now())
        positions = _open_again(killed)
        _flood(Redis.from_url(carry.facts["redis_url"]))
        spans = list(dispatches(positions))
        connections.close_all()
    p50, p99 = np.percentile(spans, [50, 99]).tolist()
    return {
        "kill_20_flat": {"p50": flat, "p99": flat, "unit": "s", "n": len(killed)},
        "close_dispatch": {"p50": p50, "p99": p99, "unit": "s", "n": len(spans)},
    }


def _kill(simulator: SimulatorControl) -> float:
    """Press for everyone; return seconds until the venues hold nothing. Raise if one was opened."""
    start = time.monotonic()
    pressed = kill_switch.press(
        user=None, actor="bench", reason="bench", closes_positions=True, now=timezone.now()
    )
    carry_out(pressed, now=timezone.now())
    rows.wait_for(lambda: not simulator.ledger()["positions"], "the venues hold nothing")
    flat = time.monotonic() - start
    opening = Order.objects.exclude(purpose=Purpose.REDUCE)
    opened = opening.filter(sent_at__gt=pressed.pressed_at).count()
    print(f"kill: positions={rows.POSITIONS} flat_seconds={flat:.1f} opens_after={opened}")
    if opened:
        raise RuntimeError(f"{opened} orders were sent to open after the kill")
    return flat


def _open_again(killed: list[Position]) -> list[Position]:
    ended = Position.objects.filter(pk__in=[position.pk for position in killed]).live()
    rows.wait_for(lambda: not ended.exists(), "everything that was killed is closed")
    users = User.objects.filter(username__startswith="bench").order_by("username")
    return rows.open_each(list(users))


def _flood(redis: Redis) -> None:
    """Queue polls faster than the lane takes them."""
    with app.connection_for_write() as connection, app.amqp.Producer(connection) as producer:
        for _ in range(BACKLOG):
            app.send_task(POLL_TASK, args=[True], queue=POLL, producer=producer)
    print(f"polls queued: {redis.llen(POLL)}")


def dispatches(positions: list[Position]) -> Iterator[float]:
    """Yield seconds from asking for an exit to its first step."""
    for position in positions:
        asked_at = timezone.now()
        request_exit(
            position=position, reason="manual", sentence="bench", actor="bench", now=asked_at
        )
        ring_drive(position.pk)
        first = StateChange.objects.filter(
            position=position, event=PositionEvent.EXIT_SUBMITTED, order=None
        )
        rows.wait_for(first.exists, f"{position} is being closed")
        yield (first.get().at - asked_at).total_seconds()
