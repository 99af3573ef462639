"""PostgreSQL fails in the middle of an entry: nothing is lost, nothing is sent twice.

Real connections, a real server, simulated venues; a proxy loses one COMMIT at a chosen place.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta

import psycopg
import pytest
from django.db import connection

from tests.scenarios.venue_books import VenueBooks
from tests.services.conftest import Desk
from tests.services.failing_database import (
    ENDS,
    Owner,
    assert_nothing_lost_and_nothing_twice,
    bring_the_market,
    close,
)
from tests.services.lossy_postgres import Loss, LossyPostgres
from trading.core.states import OrderState, PositionState

pytestmark = pytest.mark.postgres

STATEMENTS = {
    "intent": 'INSERT INTO "trading_order"',
    "licence": 'UPDATE "trading_order" SET "state" = \'sending\'',
    "acknowledged": 'UPDATE "trading_order" SET "state" = \'open\'',
    "filled": 'UPDATE "trading_order" SET "state" = \'filled\'',
    "fill": 'INSERT INTO "trading_trade"',
    "entering": 'UPDATE "trading_position" SET "state" = \'entering\'',
    "open": 'UPDATE "trading_position" SET "state" = \'open\'',
}


@pytest.fixture
def postgres(desk: Desk) -> Generator[LossyPostgres]:
    """Everything this test asks of the database goes through here."""
    facts = connection.settings_dict
    with connection.cursor() as cursor:
        cursor.execute("SELECT host(inet_server_addr()), inet_server_port()")
        server = cursor.fetchone()
    direct = psycopg.connect(**connection.get_connection_params(), autocommit=True)

    def terminate(backend: int) -> None:
        direct.execute("SELECT pg_terminate_backend(%s)", [backend])

    before = {name: facts[name] for name in ("HOST", "PORT", "OPTIONS")}
    proxy = LossyPostgres(server, terminate=terminate)
    connection.close()
    facts.update(
        HOST="127.0.0.1",
        PORT=proxy.port,
        OPTIONS={**facts["OPTIONS"], "sslmode": "disable", "gssencmode": "disable"},
    )
    yield proxy
    connection.close()
    facts.update(before)
    proxy.close()
    direct.close()


@pytest.mark.parametrize("loss", Loss)
def test_a_commit_lost_at_each_step_of_an_entry_loses_nothing_and_sends_nothing_twice(
    desk: Desk, postgres: LossyPostgres, loss: Loss
) -> None:
    position = desk.plan(base_quantity="0.01")
    owner = Owner(desk, position)
    # A licence that is committed unseen ends the entry: it has a test of its own.
    steps = [step for step in STATEMENTS if (step, loss) != ("licence", Loss.REPLY)]
    for step in steps:
        postgres.lose_commit_after(STATEMENTS[step], loss)

    owner.drive()
    bring_the_market(desk, position)
    owner.drive_until(PositionState.OPEN)
    close(position)
    owner.drive_until(*ENDS)

    assert postgres.strikes == len(steps), owner.failures
    assert_nothing_lost_and_nothing_twice(desk, position)


def test_a_licence_committed_unseen_is_looked_up_and_never_used(
    desk: Desk, postgres: LossyPostgres
) -> None:
    position = desk.plan(base_quantity="0.01")
    owner = Owner(desk, position)
    postgres.lose_commit_after(STATEMENTS["licence"], Loss.REPLY)

    owner.drive()
    order = position.orders.get()
    assert order.state == OrderState.SENDING
    owner.drive(later=timedelta(seconds=14))
    order.refresh_from_db()
    assert order.state == OrderState.UNKNOWN
    owner.drive_until(PositionState.ABANDONED, later=timedelta(seconds=16))

    order.refresh_from_db()
    assert order.state == OrderState.NOT_PLACED
    assert owner.failures == ["OperationalError"]
    assert order.client_order_id not in VenueBooks(desk.simulator).create_requests()


def test_a_server_that_is_away_between_the_legs_stops_nobody_for_longer_than_that(
    desk: Desk, postgres: LossyPostgres
) -> None:
    position = desk.plan(base_quantity="0.01")
    owner = Owner(desk, position)
    owner.drive()
    bring_the_market(desk, position)
    postgres.go_away()
    for _ in range(3):
        owner.drive()
    postgres.come_back()

    owner.drive_until(PositionState.OPEN)
    close(position)
    owner.drive_until(*ENDS)

    assert owner.failures == ["OperationalError"] * 3
    assert_nothing_lost_and_nothing_twice(desk, position)
