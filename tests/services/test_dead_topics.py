"""One topic dies on a live socket: REST takes over within 5 s, the socket is opened anew."""

from __future__ import annotations

import time
from collections.abc import Generator
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from django.utils import timezone

from exchanges import feeds, loop, selectors
from exchanges.feeds import MarketFeed, pairable
from exchanges.market_poll import poll_market
from exchanges.modes import Mode
from exchanges.unheard import Unheard
from tests.machine import wait_until
from tests.services.conftest import Desk

pytestmark = pytest.mark.protocol

VENUE, LIST = "binanceusdm", "/fapi/v1/ticker/bookTicker"
TAKEN_OVER = timedelta(seconds=5)


class Line:
    """The streams of two venues, and polls once a second beside them, as beat rings them."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._last = desk.simulator.control("GET", "/access-log")["last"]
        self._polled_at = 0.0

    def book_at(self) -> datetime | None:
        """Return when the book of bitcoin was observed that other processes see."""
        row = selectors.market_board().row(VENUE, self.desk.instrument(VENUE).snapshot().symbol)
        return row.book.observed_at if row is not None and row.book is not None else None

    def poll(self) -> None:
        if time.monotonic() - self._polled_at >= 1:
            self._polled_at = time.monotonic()
            poll_market(timezone.now())

    def lists_read(self) -> int:
        """Return how often the venue was asked for all tops since this was asked last."""
        found = self.desk.simulator.control("GET", f"/access-log?after={self._last}&limit=1000")
        self._last = found["last"]
        return sum(row["path"] == LIST for row in found["entries"])


@pytest.fixture
def line(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Generator[Line]:
    monkeypatch.setattr(feeds, "REVIVE_EVERY", 0.5)
    monkeypatch.setattr(feeds, "DEAD_AFTER", timedelta(seconds=3))
    selectors.board_redis().flushall()
    rows = pairable(row.snapshot() for row in selectors.active_instruments())
    modes = {row.venue: Mode.REHEARSAL for row in rows}
    feed = MarketFeed(rows, modes, selectors.board_redis())
    running = loop.spawn(feed.run(lambda _: None))
    yield Line(desk)
    running.cancel()


def test_a_topic_that_dies_on_a_live_socket_is_read_each_second_until_it_is_heard_again(
    line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    wait_until(lambda: line.book_at() is not None, timeout=10, what="sockets tell of bitcoin")
    line.desk.simulator.fault(action="socket_stall", venue=VENUE, topic="btcusdt@bookTicker")
    line.lists_read()
    stalled = timezone.now()
    line.desk.simulator.pin(VENUE, "BTC", price="70000")

    read: list[datetime] = []

    def renewed() -> bool:
        line.poll()
        at = line.book_at()
        if at is not None and at > stalled + timedelta(seconds=1) and at not in read:
            read.append(at)
        return len(read) >= 5

    wait_until(renewed, timeout=20, what="the list takes over")

    assert read[0] - stalled <= TAKEN_OVER
    # Once found dead, it is read each second.
    gaps = [later - at for at, later in pairwise(read[1:])]
    assert max(gaps) <= timedelta(seconds=2)
    assert line.lists_read() >= 5

    def reopened() -> bool:
        line.poll()
        return "topic silent" in caplog.messages

    wait_until(reopened, timeout=10, what="the socket is opened anew")
    [told] = [row for row in caplog.records if row.message == "topic silent"]
    assert told.__dict__["feed"] == "binanceusdm book 0"

    line.desk.simulator.no_faults()

    def handed_back() -> bool:
        line.poll()
        return not Unheard.load(selectors.board_redis(), VENUE).topics

    wait_until(handed_back, timeout=10, what="the socket is heard again")
    line.lists_read()
    quiet = time.monotonic() + 3

    def has_passed() -> bool:
        line.poll()
        return time.monotonic() > quiet

    wait_until(has_passed, timeout=5, what="three seconds pass")
    assert line.lists_read() == 0
