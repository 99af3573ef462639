"""Who drives a position after something went wrong: a database, a process, a clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from arbsite.accounts.models import User
from tests.web.rows import make_entering
from trading.models import Position
from trading.services import lease

pytestmark = [pytest.mark.db, pytest.mark.django_db]

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
SUCCESSOR = "00000000.1.process.thread"


@pytest.fixture
def position(owner: User) -> Position:
    return make_entering(owner, NOW)


def take(position: Position, owner: str, now: datetime = NOW) -> Position | None:
    return lease.take(position.pk, owner=owner, now=now)


def test_a_lease_that_a_failed_database_kept_is_free_at_the_next_sweep(position: Position) -> None:
    held = take(position, lease.owner_name())
    assert held is not None
    assert lease.free_the_dead(now=NOW) == 0

    lease.give_back(held)
    # The thread gave up, but its last statement never reached the database.
    Position.objects.filter(pk=position.pk).update(lease_expires_at=NOW + lease.LEASE)

    assert lease.free_the_dead(now=NOW) == 1
    assert take(position, SUCCESSOR) is not None


def test_a_process_that_got_the_number_of_a_dead_one_frees_what_that_held(
    position: Position,
) -> None:
    machine, pid, _, thread = lease.owner_name().split(".")
    assert take(position, f"{machine}.{pid}.earlier.{thread}") is not None

    assert lease.free_the_dead(now=NOW) == 1
    assert take(position, SUCCESSOR) is not None


def test_what_another_machine_holds_stays_its_own_until_its_time_is_over(
    position: Position,
) -> None:
    assert take(position, SUCCESSOR) is not None

    assert lease.free_the_dead(now=NOW) == 0
    assert take(position, lease.owner_name(), NOW + lease.LEASE - SECOND) is None
    assert take(position, lease.owner_name(), NOW + lease.LEASE) is not None


def test_a_clock_set_back_an_hour_keeps_nobody_from_a_position_for_that_hour(
    position: Position,
) -> None:
    assert take(position, SUCCESSOR) is not None

    assert take(position, lease.owner_name(), NOW - SECOND) is None
    assert take(position, lease.owner_name(), NOW - HOUR) is not None


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_after_a_clock_jump_a_lease_moves_once_and_then_lasts_as_long_as_ever(
    position: Position, jump: timedelta
) -> None:
    before = take(position, lease.owner_name())
    assert before is not None

    after = take(position, SUCCESSOR, NOW + jump)

    assert after is not None
    assert not lease.extend(before, now=NOW + jump)
    lease.give_back(before)
    assert take(position, lease.owner_name(), NOW + jump + lease.LEASE - SECOND) is None
    assert lease.extend(after, now=NOW + jump + lease.LEASE - SECOND)
    assert take(position, lease.owner_name(), NOW + jump + lease.LEASE) is None


def test_who_was_taken_over_gives_back_nothing_of_his_successor(position: Position) -> None:
    paused = take(position, lease.owner_name())
    assert paused is not None
    successor = take(position, SUCCESSOR, NOW + lease.LEASE)

    with pytest.raises(lease.LeaseLost):
        lease.reread(paused)
    lease.give_back(paused)

    assert successor is not None
    assert take(position, lease.owner_name(), NOW + lease.LEASE + SECOND) is None
