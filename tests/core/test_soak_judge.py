"""What a soak calls too many sockets: more openings in a window than the venue's quota."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from exchanges.venues import PROFILES
from tests.soak_judge import openings_above

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
