"""How far our clock is from a venue's, told once and counted on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from exchanges.ccxt_adapter.clock import VenueClock

pytestmark = pytest.mark.core

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


class Machine:
    def __init__(self) -> None:
        self.wall, self.counted = NOON, 0.0

    def pass_time(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.counted += seconds


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def clock(machine: Machine) -> VenueClock:
    return VenueClock(lambda: machine.wall, lambda: machine.counted)


def test_nothing_is_known_before_the_venue_told(clock: VenueClock) -> None:
    assert clock.ahead is None


def test_time_that_only_passes_changes_nothing(machine: Machine, clock: VenueClock) -> None:
    clock.tell(timedelta(milliseconds=120))
    machine.pass_time(599)

    assert clock.ahead == timedelta(milliseconds=120)


def test_a_clock_that_is_set_shows_at_once(machine: Machine, clock: VenueClock) -> None:
    clock.tell(timedelta(milliseconds=120))
    machine.pass_time(5)
    machine.wall -= timedelta(hours=1)

    assert clock.ahead == timedelta(hours=-1, milliseconds=120)


def test_what_was_told_long_ago_is_not_counted_on(machine: Machine, clock: VenueClock) -> None:
    clock.tell(timedelta(0))
    machine.pass_time(601)

    assert clock.ahead is None
