"""SQLite is locked by somebody else while an order is on its way."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Generator
from contextlib import closing
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection

from tests.machine import wait_until
from tests.scenarios.venue_books import VenueBooks
from tests.services.conftest import Desk
from tests.services.failing_database import (
    ENDS,
    Owner,
    assert_nothing_lost_and_nothing_twice,
    bring_the_market,
    close,
)
from trading.core.states import OrderState, PositionState

pytestmark = pytest.mark.protocol


@pytest.fixture
def impatient(desk: Desk) -> Generator[None]:
    """Give up on a locked database after 0.2 s instead of the 20 s of the settings."""
    facts = connection.settings_dict
    patient = facts["OPTIONS"]
    pragmas = patient["init_command"].replace("busy_timeout=20000", "busy_timeout=200")
    connection.close()
    facts["OPTIONS"] = {**patient, "timeout": 0.2, "init_command": pragmas}
    yield
    connection.close()
    facts["OPTIONS"] = patient


class Locker:
    """Another writer that takes the database once an order has reached its venue."""

    def __init__(self, desk: Desk, position_id: UUID) -> None:
        self._venues = VenueBooks(desk.simulator)
        self._position_id = position_id
        self._name = str(connection.settings_dict["NAME"])
        self._may_end = threading.Event()
        self._thread = threading.Thread(target=self._hold)
        self._thread.start()

    def let_go(self) -> None:
        self._may_end.set()
        self._thread.join()

    def _hold(self) -> None:
        wait_until(self._has_arrived, timeout=20, what="the order is at its venue")
        with closing(sqlite3.connect(self._name, timeout=20, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            self._may_end.wait(30)
            other.execute("ROLLBACK")

    def _has_arrived(self) -> bool:
        return any(order.position_id == self._position_id for order in self._venues.orders())


def test_an_outcome_that_a_locked_database_refused_is_looked_up_and_nothing_goes_twice(
    desk: Desk, impatient: None
) -> None:
    desk.simulator.fault(
        method="POST", client_order_id="ca0o", action="delay", after_accept=True, seconds=1.5
    )
    position = desk.plan(base_quantity="0.01")
    owner = Owner(desk, position)
    locker = Locker(desk, position.pk)

    owner.drive()
    locker.let_go()

    assert owner.failures
    assert set(owner.failures) == {"OperationalError"}
    assert position.orders.get().state == OrderState.SENDING
    owner.drive(later=timedelta(seconds=10))
    bring_the_market(desk, position)
    owner.drive_until(PositionState.OPEN)
    close(position)
    owner.drive_until(*ENDS)
    assert_nothing_lost_and_nothing_twice(desk, position)
