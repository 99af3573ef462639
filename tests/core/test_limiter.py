"""The limiter of one process, on a timeline of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import pytest

from exchanges import loop as venue_loop
from exchanges.errors import RateLimited, VenueUnavailable
from exchanges.limits.buckets import Size, Use
from exchanges.limits.lanes import Lane, asking, lane_or, patience
from exchanges.limits.limiter import Limiter
from tests.simulation.timeline import Timeline, TimelineLoop

pytestmark = pytest.mark.core

T = TypeVar("T")
SECOND = Size(capacity=10, rate=30, target=40, window=1)
"""10 at once, 30 a second."""


class Bench:
    """A limiter with all of each limit, and time that passes only while it waits."""

    def __init__(self) -> None:
        self.timeline = Timeline()
        self.loop = TimelineLoop(self.timeline)
        self.limiter = Limiter(share=1, now=lambda: self.timeline.at.timestamp())
        self.gave_up_after: dict[Lane, float] = {}

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(coroutine)

    def take(
        self,
        cost: float = 1,
        *,
        lane: Lane = Lane.CLOSE,
        scope: str = "venue",
        size: Size = SECOND,
    ) -> float:
        """Return how long it took to be let through."""
        started = self.timeline.seconds
        uses = [Use(scope=scope, size=size, cost=cost)]
        self.run(self.limiter.take(uses, lane=lane, tenant="a", venue="bybit"))
        return self.timeline.seconds - started

    async def waited(self, lane: Lane) -> float:
        """Return how long a request waited; note when it was refused instead."""
        started = self.timeline.seconds
        uses = [Use(scope="venue", size=SECOND, cost=1)]
        try:
            await self.limiter.take(uses, lane=lane, tenant="a", venue="bybit")
        except RateLimited:
            self.gave_up_after[lane] = self.timeline.seconds - started
            raise
        return self.timeline.seconds - started

    def hush(self, seconds: float, scope: str = "venue") -> None:
        self.run(self.limiter.hush([Use(scope=scope, size=SECOND, cost=0)], seconds))


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.loop.close()


def test_a_request_with_tokens_waits_for_nothing(bench: Bench) -> None:
    assert [bench.take() for _ in range(10)] == [0] * 10


def test_a_request_without_tokens_waits_until_they_are_there(bench: Bench) -> None:
    bench.take(10)

    assert bench.take(3) == pytest.approx(0.1, abs=0.01)


def test_a_request_that_would_wait_too_long_is_refused_at_once_and_surely_unsent(
    bench: Bench,
) -> None:
    for _ in range(7):
        bench.take(10)
    before = bench.timeline.seconds

    with (
        asking(Lane.CLOSE, within=0.1),
        pytest.raises(
            RateLimited, match=r"our own limit leaves no room.*nothing was sent"
        ) as caught,
    ):
        bench.take(10)

    assert isinstance(caught.value, VenueUnavailable)
    assert caught.value.retry_after == pytest.approx(1 / 3, abs=0.01)
    assert bench.timeline.seconds == before


def test_tokens_that_arrive_late_because_the_process_stood_still_send_nothing(bench: Bench) -> None:
    bench.take(10)
    # Stopped in the middle of its wait, the process wakes up a minute later.
    bench.loop.call_later(0.05, bench.timeline.advance, 60)

    with pytest.raises(RateLimited):
        bench.take(3)


def test_nothing_passes_a_silence_before_its_end_in_any_lane(bench: Bench) -> None:
    bench.hush(30)

    for lane in Lane:
        with pytest.raises(RateLimited, match=r"wants no request for another 30\.0 s"):
            bench.take(lane=lane)
    bench.run(asyncio.sleep(29.5))
    assert bench.take() == pytest.approx(0.5, abs=0.01)


def test_a_silence_is_for_the_scope_that_asked_for_it(bench: Bench) -> None:
    bench.hush(30, "key:1")

    assert bench.take(scope="key:2") == 0


def test_a_shorter_silence_ends_no_longer_one(bench: Bench) -> None:
    bench.hush(30)
    bench.hush(1)

    bench.run(asyncio.sleep(5))
    with pytest.raises(RateLimited):
        bench.take()


def test_a_poll_waits_no_longer_when_its_process_is_about_to_end_and_a_close_does(
    bench: Bench,
) -> None:
    bench.hush(20)

    async def both() -> tuple[float | BaseException, float | BaseException]:
        ending = asyncio.get_running_loop().call_later(5, bench.limiter.end_polls)
        waiting = (bench.waited(Lane.POLL), bench.waited(Lane.CLOSE))
        try:
            return await asyncio.gather(*waiting, return_exceptions=True)
        finally:
            ending.cancel()

    with asking(Lane.POLL, within=50):
        poll, close = bench.run(both())

    assert isinstance(poll, RateLimited)
    assert bench.gave_up_after[Lane.POLL] == pytest.approx(5, abs=1)
    assert close == pytest.approx(20, abs=0.1)


def test_what_the_venue_counts_slows_us_down(bench: Bench) -> None:
    use = Use(scope="venue", size=SECOND, cost=1)
    bench.take()
    bench.limiter.hear(use, 1000)

    assert bench.take() > 0


def test_an_old_count_of_a_window_that_has_ended_is_forgotten(bench: Bench) -> None:
    bench.limiter.hear(Use(scope="venue", size=SECOND, cost=1), 1000)
    bench.run(asyncio.sleep(1.5))

    assert bench.take() == 0


def test_a_count_lasts_as_long_as_the_venue_says_its_window_does(bench: Bench) -> None:
    """KuCoin's windows of 30 s begin with a request, not with a half minute of the clock."""
    long = Size.of(3000, 30.0, 0.3)
    use = Use(scope="pool", size=long, cost=1)

    bench.limiter.hear(use, 3000, left=2.0)
    with asking(Lane.CLOSE, within=10):
        assert bench.take(scope="pool", size=long) == pytest.approx(2, abs=0.2)

    bench.limiter.hear(use, 3000, left=2.0)
    bench.run(asyncio.sleep(2.5))
    assert bench.take(scope="pool", size=long) == 0


def test_no_count_lasts_longer_than_its_window_whatever_a_header_says(bench: Bench) -> None:
    """A moment since 1970 in the place of what is left of it would stop closings for years."""
    long = Size.of(3000, 30.0, 0.3)
    bench.limiter.hear(Use(scope="pool", size=long, cost=1), 3000, left=1_764_446_400.0)

    with asking(Lane.CLOSE, within=60):
        assert bench.take(scope="pool", size=long) == pytest.approx(30, abs=0.2)


def test_without_redis_a_process_keeps_to_its_quarter(bench: Bench) -> None:
    bench.limiter = Limiter(now=lambda: bench.timeline.at.timestamp())

    assert [bench.take() for _ in range(2)] == [0, 0]
    assert bench.take() > 0


def test_the_callers_lane_reaches_the_venue_loop_and_ends_with_its_block() -> None:
    async def lane() -> tuple[Lane, float]:
        return lane_or(Lane.LOOK_UP), patience(Lane.LOOK_UP)

    async def closing() -> tuple[Lane, float]:
        with asking(Lane.CLOSE, within=1.5):
            return await lane()

    try:
        assert venue_loop.call(lane(), 5) == (Lane.LOOK_UP, 3.0)
        with asking(Lane.POLL, within=50):
            assert venue_loop.call(lane(), 5) == (Lane.POLL, 50)
            assert venue_loop.call_all([closing(), lane()], 5) == [
                (Lane.CLOSE, 1.5),
                (Lane.POLL, 50),
            ]
        assert venue_loop.call(lane(), 5) == (Lane.LOOK_UP, 3.0)
    finally:
        venue_loop.close()
