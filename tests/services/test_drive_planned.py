"""Driving what this process has just planned: nobody else's touch is overlooked, little is read."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from tests.services.conftest import Desk
from trading.core.states import PositionState
from trading.models import Position
from trading.services import kill_switch, lease
from trading.services.drive import drive_planned
from trading.services.exit import request_exit

pytestmark = pytest.mark.protocol

# Of a prepared entry, from taking the lease until the first order may be sent, and from its answer
# until the hedge may. They are what an entry waits for: more of them need a reason.
UNTIL_FIRST, UNTIL_HEDGE = 13, 15


def test_a_planned_position_is_driven_as_any_other(desk: Desk) -> None:
    position = desk.plan()

    drive_planned(position)

    desk.drive_until(position, PositionState.ENTERING)
    assert position.orders.count() == 1
    assert position.lease_expires_at is None


def test_an_exit_asked_between_planning_and_driving_sends_nothing(desk: Desk) -> None:
    position = desk.plan()
    other = Position.objects.get(pk=position.pk)
    request_exit(
        position=other, reason="manual", sentence="by hand", actor="demo", now=timezone.now()
    )

    drive_planned(position)

    position.refresh_from_db()
    assert position.state == PositionState.ABANDONED
    assert position.orders.count() == 0


def test_a_kill_between_planning_and_driving_sends_nothing(desk: Desk) -> None:
    position = desk.plan()
    kill_switch.press(
        user=None, actor="staff", reason="drill", closes_positions=False, now=timezone.now()
    )

    drive_planned(position)

    assert position.orders.count() == 0


def test_a_position_that_another_worker_took_first_is_left_to_it(desk: Desk) -> None:
    position = desk.plan()
    lease.take(position.pk, owner="another", now=timezone.now())

    assert drive_planned(position) == "another worker drives it"
    assert position.orders.count() == 0


def test_an_entry_asks_the_database_little_before_each_of_its_orders(desk: Desk) -> None:
    position = desk.plan()
    position.legs.update(is_prepared=True)
    # The spread is one tick here: the first leg is filled at once.
    desk.price(position, "48000.05")
    statements: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        statements.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        drive_planned(position)

    first, hedge = [number for number, sql in enumerate(statements, 1) if _licenses(sql)][:2]
    assert first <= UNTIL_FIRST
    assert hedge - first <= UNTIL_HEDGE


def _licenses(sql: str) -> bool:
    return sql.startswith('UPDATE "trading_order"') and '"sent_at"' in sql.partition("WHERE")[0]
