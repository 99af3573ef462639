"""The limits that processes share in a real Redis."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Coroutine, Generator, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from redis import Redis

from exchanges.errors import RateLimited
from exchanges.limits.buckets import Buckets, Size, Use
from exchanges.limits.lanes import CLAIMS, Lane, asking
from exchanges.limits.limiter import Limiter
from tests.machine import ROOT, wait_until
from tests.rehearsal import RunningRedis

pytestmark = pytest.mark.db

T = TypeVar("T")
# 20 at once, 10 a second.
SIZE = Size(capacity=20, rate=10, target=800, window=60)
# Practically nothing comes in while a test runs.
DRY = Size(capacity=100, rate=1e-6, target=200, window=60)
# Seconds of waiting there for a hundred-thousandth of a token.
A_HAIR = 10.0


class Desk:
    """Two processes' limiters on one loop, and the Redis between them."""

    def __init__(self, url: str) -> None:
        self.loop = asyncio.new_event_loop()
        self.redis = Redis.from_url(url)
        self.here, self.there, self.new = Limiter(url), Limiter(url), Limiter(url)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(coroutine)

    def take(
        self,
        limiter: Limiter,
        cost: float = 1,
        *,
        scope: str = "venue",
        size: Size = SIZE,
        lane: Lane = Lane.CLOSE,
        tenant: str = "a",
    ) -> bool:
        """Tell whether a request is let through at once."""
        taking = limiter.take(
            [Use(scope=scope, size=size, cost=cost)], lane=lane, tenant=tenant, venue="bybit"
        )
        try:
            with asking(lane, within=0.0):
                self.run(taking)
        except RateLimited:
            return False
        return True

    def tokens(self) -> float:
        """Return what Redis has in the bucket of the venue."""
        return float(cast("bytes", self.redis.hget("carry:limit:venue", "tokens")))

    def close(self) -> None:
        for limiter in (self.here, self.there, self.new):
            self.run(limiter.close())
        self.redis.close()
        self.loop.close()


@pytest.fixture(scope="module")
def server() -> Generator[RunningRedis]:
    running = RunningRedis()
    yield running
    running.stop()


@pytest.fixture
def desk(server: RunningRedis) -> Iterator[Desk]:
    desk = Desk(server.url)
    desk.redis.flushdb()
    yield desk
    desk.close()


def test_two_processes_share_one_bucket(desk: Desk) -> None:
    taken = [desk.take(limiter, 5, size=DRY) for limiter in (desk.here, desk.there) * 15]

    assert taken == [True] * 20 + [False] * 10


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(st.integers(1, 30), st.sampled_from(list(Lane)), st.sampled_from("abc")),
        max_size=25,
    )
)
def test_redis_decides_as_the_pure_buckets_do(
    desk: Desk, asks: list[tuple[int, Lane, str]]
) -> None:
    desk.redis.flushdb()
    pure = Buckets()

    for cost, lane, tenant in asks:
        expected = pure.take([Use(scope="venue", size=DRY, cost=cost)], CLAIMS[lane], tenant, 0.0)
        allowed = desk.take(desk.here, cost, size=DRY, lane=lane, tenant=tenant)
        # Redis counts on a clock that runs: within a hair of enough, either answer is right.
        assume(not 0 < expected < A_HAIR)
        assert allowed is (expected == 0)

    if asks:
        assert desk.tokens() == pytest.approx(pure.states["venue"].tokens, abs=0.01)


def test_a_request_takes_of_all_its_buckets_or_of_none(desk: Desk) -> None:
    def ask(of_key: float) -> bool:
        uses = [
            Use(scope="venue", size=DRY, cost=10),
            Use(scope="key", size=DRY, cost=of_key),
        ]
        try:
            with asking(Lane.CLOSE, within=0.0):
                desk.run(desk.here.take(uses, lane=Lane.CLOSE, tenant="a", venue="bybit"))
        except RateLimited:
            return False
        return True

    assert [ask(60), ask(60), ask(40)] == [True, False, True]
    assert desk.tokens() == pytest.approx(80)


def test_tokens_come_back_with_time(desk: Desk) -> None:
    assert desk.take(desk.here, 20)
    assert not desk.take(desk.there, 2)

    started = time.monotonic()
    uses = [Use(scope="venue", size=SIZE, cost=2)]
    desk.run(desk.there.take(uses, lane=Lane.CLOSE, tenant="a", venue="bybit"))

    assert 0.1 < time.monotonic() - started < 1.5


def test_a_silence_that_one_process_was_asked_for_binds_the_other(desk: Desk) -> None:
    desk.run(desk.here.hush([Use(scope="venue", size=SIZE, cost=1)], 60))

    with pytest.raises(RateLimited, match="wants no request") as caught:
        desk.run(
            desk.there.take(
                [Use(scope="venue", size=SIZE, cost=1)],
                lane=Lane.CLOSE,
                tenant="a",
                venue="bybit",
            )
        )

    assert 58 < (caught.value.retry_after or 0) <= 60
    # Who has heard of it keeps it, whatever becomes of Redis.
    desk.redis.flushdb()
    assert not desk.take(desk.there)
    assert not desk.take(desk.here)


def test_the_venues_own_count_binds_the_other_process_too(desk: Desk) -> None:
    desk.here.hear(Use(scope="venue", size=DRY, cost=1), 195)
    assert not desk.take(desk.here, 10, size=DRY)

    assert not desk.take(desk.there, 10, size=DRY)
    assert desk.take(desk.there, 4, size=DRY)


def test_a_window_that_the_venue_says_is_over_soon_is_forgiven_soon(desk: Desk) -> None:
    # What is over in a second leaves 0.01 of tokens to come; by the clock it might be a minute.
    slow = Size(capacity=100, rate=0.01, target=200, window=60)
    desk.here.hear(Use(scope="venue", size=slow, cost=1), 195, left=1.0)
    assert desk.take(desk.here, 4.9, size=slow)


def test_without_redis_each_process_goes_on_with_its_quarter(server: RunningRedis) -> None:
    desk = Desk("redis://127.0.0.1:1/0")
    try:
        taken = [desk.take(desk.here, 5, size=DRY) for _ in range(8)]
        assert taken == [True] * 5 + [False] * 3
        assert desk.take(desk.there, 5, size=DRY)
    finally:
        desk.close()


@contextmanager
def refused(redis: Redis, url: str) -> Generator[None]:
    """Let nobody in but who is in already: the password is another one."""
    redis.config_set("requirepass", "another")
    redis.client_kill_filter(_type="normal", skipme=True)
    try:
        yield
    finally:
        redis.config_set("requirepass", urlsplit(url).password or "")


def test_silence_heard_without_redis_is_told_when_redis_is_back(
    desk: Desk, server: RunningRedis
) -> None:
    with refused(desk.redis, server.url):
        desk.run(desk.here.hush([Use(scope="venue", size=SIZE, cost=1)], 60))
        assert not desk.take(desk.here)
    assert desk.take(desk.new)

    def is_told() -> bool:
        desk.take(desk.here)
        return not desk.take(desk.there)

    wait_until(is_told, timeout=10, what="the silence is told")


def test_everything_in_redis_ends_by_itself_and_names_no_secret(desk: Desk) -> None:
    desk.take(desk.here, tenant="a")
    desk.run(desk.here.hush([Use(scope="venue", size=SIZE, cost=1)], 5))

    keys = {key.decode() for key in desk.redis.keys("*")}  # type: ignore[union-attr]

    assert keys == {
        "carry:limit:venue",
        "carry:limit:venue:shares",
        "carry:limit:venue:asked",
    }
    assert all(desk.redis.ttl(key) > 0 for key in keys)  # type: ignore[operator]


GREEDY = """
import asyncio, sys, time
from exchanges.errors import RateLimited
from exchanges.limits.buckets import Size, Use
from exchanges.limits.lanes import Lane, asking
from exchanges.limits.limiter import Limiter

async def main(url, until):
    limiter, size = Limiter(url), Size(capacity=20, rate=10, target=800, window=60)
    while time.time() < until:
        try:
            with asking(Lane.CLOSE, within=0.2):
                await limiter.take(
                    [Use(scope="venue", size=size, cost=1)],
                    lane=Lane.CLOSE, tenant="a", venue="bybit",
                )
        except RateLimited:
            continue
        print(time.time())
    await limiter.close()

asyncio.run(main(sys.argv[1], float(sys.argv[2])))
"""


def test_four_greedy_processes_together_get_what_one_bucket_gives(
    server: RunningRedis, desk: Desk
) -> None:
    until = time.time() + 4.0
    command = [sys.executable, "-c", GREEDY, server.url, str(until)]
    processes = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)  # noqa: S603
        for _ in range(4)
    ]
    told = [process.communicate(timeout=30)[0].split() for process in processes]

    at = sorted(float(line) for lines in told for line in lines)
    assert [process.returncode for process in processes] == [0] * 4
    spent = at[-1] - at[0]
    # Twenty at once, ten a second; whoever came last before the end may print a moment later.
    assert len(at) <= 20 + 10 * (spent + 0.3) + 1
    assert len(at) >= 20 + 10 * spent * 0.7
