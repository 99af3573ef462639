"""What a soak calls a price that is over, and too many sockets for a venue's quota."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from exchanges.venues import PROFILES
from tests.soak_judge import STEPS, Steps, openings_above

pytestmark = pytest.mark.core

START = datetime(2026, 1, 5, 12, tzinfo=UTC)


def opened(venue: str, seconds: list[float]) -> list[dict[str, str]]:
    return [{"venue": venue, "time": (START + timedelta(seconds=at)).isoformat()} for at in seconds]


def test_ten_openings_a_minute_are_what_kraken_futures_is_asked_for_and_an_eleventh_is_not() -> (
    None
):
    assert PROFILES["krakenfutures"].quotas.sockets.limit == 10
    ten = opened("krakenfutures", [float(second) for second in range(10)])

    assert openings_above(ten).total() == 0
    assert openings_above(ten + opened("krakenfutures", [59.9])) == {"sockets of krakenfutures": 1}
    # The first has left the window.
    assert openings_above(ten + opened("krakenfutures", [60.0])).total() == 0
    assert openings_above(ten + opened("bybit", [59.9])).total() == 0


def stepped(number: int) -> Steps:
    """Return prices that were stepped through so often, one every two seconds."""
    steps = Steps()
    for step in range(number):
        steps.add(2.0 * step, steps.next_price)
    return steps


def test_a_price_is_over_once_all_venues_have_the_next_and_the_last_is_not() -> None:
    steps = stepped(3)

    # 50,000 at 0 s, 50,500 at 2 s, 51,000 at 4 s; a mid lies beside its step.
    assert steps.over_since(Decimal("50000")) == 2
    assert steps.over_since(Decimal("50512.5")) == 4
    assert steps.over_since(Decimal("51000")) is None


def test_prices_go_on_stepping_however_long_a_soak_is_and_each_means_its_last_time() -> None:
    """After a thousand steps, 33 minutes, the first price comes again."""
    steps = stepped(2 * STEPS + 2)

    assert steps.next_price == Decimal("51000")
    assert steps.over_since(Decimal("50500")) is None
    assert steps.over_since(Decimal("50000")) == 2.0 * (2 * STEPS + 1)
    # Of the round before: what was the last of it is over since this one began.
    assert steps.over_since(Decimal("549500")) == 2.0 * 2 * STEPS
