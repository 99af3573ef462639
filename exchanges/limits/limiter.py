"""One process's way to the limits that all processes share, and silence where a venue asks for it.

Redis holds the buckets. Without it each process keeps to a part of every limit, which is enough to
close and look up, and little to poll. What a venue asked silence for is kept in both places: a
process that has heard of it needs nobody to remind it.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from exchanges.errors import RateLimited
from exchanges.limits.buckets import ACTIVE_SECONDS, SHARE_SECONDS, Buckets, Use
from exchanges.limits.lanes import CLAIMS, Claim, Lane, patience

logger = logging.getLogger(__name__)

PREFIX = "carry:limit:"
TAKE = (Path(__file__).parent / "take.lua").read_text()
# Trade workers, the work queue and streams each have a quarter where they cannot ask one another.
ALONE_SHARE = 0.25
# An order waits no longer for Redis; then this long nobody asks it.
REDIS_SECONDS = 0.25
ASK_REDIS_AGAIN_AFTER = 2.0
# Others take tokens meanwhile: asking again sooner than this would only cost.
POLL_LOOKS_UP = 1.0
PATIENT = (Lane.POLL, Lane.HISTORY)
SHORTEST_WAIT = 0.005
LATE = 0.5


@dataclass(frozen=True, slots=True)
class Counted:
    """What the venue said was used of a scope, when, and for how long its window still lasts.

    None where it does not say that: then its windows are those of the clock.
    """

    used: float
    at: float
    left: float | None = None

    def at_moment(self, now: float, window: float) -> Counted | None:
        """Return it as it is now, None where its window has ended meanwhile."""
        if self.left is None:
            return self if self.at // window == now // window else None
        # Longer than its window none lasts, whatever a header says: all that comes in is owed.
        lasts = min(self.left, window)
        left = self.at + lasts - now
        return replace(self, at=now, left=left) if 0 < left <= lasts else None


class Limiter:
    """Lives on the venue loop. `share` is what this process may use of each limit without Redis.

    `now` is the time of day in seconds, by which venues count their windows.
    """

    def __init__(
        self,
        redis_url: str = "",
        *,
        share: float = ALONE_SHARE,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._redis_url = redis_url
        self._share = share
        self._now = now
        self._redis: Redis | None = None
        self._script: Any = None
        self._ask_redis_at = -math.inf
        self._buckets = Buckets()
        self._silent_until: dict[str, float] = {}
        self._untold: dict[str, Use] = {}
        self._counted: dict[str, Counted] = {}
        self._is_ending = False

    def end_polls(self) -> None:
        """Let no poll wait from now on: this process is about to end. Callable from any thread."""
        self._is_ending = True

    def forget(self) -> None:
        """Forget everything, as a process does that ends."""
        self._buckets = Buckets()
        self._silent_until.clear()
        self._untold.clear()
        self._counted.clear()

    async def take(self, uses: Sequence[Use], *, lane: Lane, tenant: str, venue: str) -> None:
        """Return once the request may be sent. Raise RateLimited when it may not be in time.

        Raised before anything was sent: an order that ends here is surely not placed.
        """
        deadline = _seconds() + patience(lane)
        while True:
            wait = await self._wait(uses, lane, tenant)
            # A process that stood still with the tokens in its hands must not send late.
            is_late = _seconds() + wait > deadline + (LATE if wait == 0 else 0)
            if is_late or (wait > 0 and self._is_ending and lane in PATIENT):
                raise self._refusal(uses, wait, lane, venue)
            if wait == 0:
                return
            # A poll looks up in between: its process may be about to end.
            pause = min(wait, POLL_LOOKS_UP) if lane in PATIENT else wait
            await asyncio.sleep(max(pause, SHORTEST_WAIT))

    def silence(self, uses: Sequence[Use]) -> float:
        """Return for how many seconds, as far as this process knows, nothing may be sent."""
        if not self._silent_until:
            return 0.0
        now = _seconds()
        return max(0.0, *(self._silent_until.get(use.scope, now) - now for use in uses), 0.0)

    async def hush(self, uses: Sequence[Use], seconds: float) -> None:
        """Send nothing to these scopes, from any process, until so many seconds have passed."""
        until = _seconds() + seconds
        for use in uses:
            self._silent_until[use.scope] = max(until, self._silent_until.get(use.scope, until))
            self._untold[use.scope] = use
        await self._tell()

    def hear(self, use: Use, used: float, left: float | None = None) -> None:
        """Keep how much of a scope the venue counts as used in its present window.

        `left`: for how many seconds that lasts, where the venue says so.
        """
        self._counted[use.scope] = Counted(used, self._now(), left)

    async def close(self) -> None:
        redis, self._redis, self._script = self._redis, None, None
        if redis is not None:
            await redis.aclose()

    # --- One question ---------------------------------------------------------------------------

    async def _wait(self, uses: Sequence[Use], lane: Lane, tenant: str) -> float:
        """Take the tokens and return 0, or return how long to wait before asking again."""
        if self._untold:
            await self._tell()
        if silence := self.silence(uses):
            return silence
        claim = CLAIMS[lane]
        if self._may_ask_redis():
            try:
                return await self._ask_redis(uses, claim, tenant)
            except (RedisError, OSError, TimeoutError) as error:
                self._miss_redis(error)
        return self._take_alone(uses, claim, tenant)

    def _refusal(self, uses: Sequence[Use], wait: float, lane: Lane, venue: str) -> RateLimited:
        if self.silence(uses) > 0:
            words = f"the venue wants no request for another {wait:.1f} s"
        else:
            words = f"our own limit leaves no room for it now, in the {lane.words} lane"
        return RateLimited(f"{words}; nothing was sent", venue=venue, retry_after=wait)

    def _take_alone(self, uses: Sequence[Use], claim: Claim, tenant: str) -> float:
        now, own = _seconds(), uses
        if self._share != 1:
            own = [replace(use, size=use.size.part(self._share)) for use in uses]
        for use in own if self._counted else ():
            if (counted := self._counted_now(use)) is not None:
                left = counted.left
                if left is None:
                    left = use.size.window - self._now() % use.size.window
                self._buckets.correct(use, counted.used * self._share, now, left)
        return self._buckets.take(own, claim, tenant, now)

    def _counted_now(self, use: Use) -> Counted | None:
        """Return what the venue counted, once, unless its window has ended meanwhile."""
        counted = self._counted.pop(use.scope, None)
        return counted and counted.at_moment(self._now(), use.size.window)

    # --- Redis ----------------------------------------------------------------------------------

    def _may_ask_redis(self) -> bool:
        return bool(self._redis_url) and _seconds() >= self._ask_redis_at

    def _miss_redis(self, error: Exception) -> None:
        self._ask_redis_at = _seconds() + ASK_REDIS_AGAIN_AFTER
        logger.warning("limits are not shared now", extra={"reason": type(error).__name__})

    async def _ask_redis(self, uses: Sequence[Use], claim: Claim, tenant: str) -> float:
        keys = [f"{PREFIX}{use.scope}{part}" for use in uses for part in ("", ":shares", ":asked")]
        arguments: list[str | float] = [claim.floor, claim.floor_beyond_share, tenant]
        arguments += [ACTIVE_SECONDS, SHARE_SECONDS]
        for use in uses:
            counted = self._counted_now(use)
            size = use.size
            arguments += [size.capacity, size.rate, size.target, size.window, use.cost]
            left = -1.0 if counted is None or counted.left is None else counted.left
            arguments += [-1 if counted is None else counted.used, left, self.silence([use])]
        async with asyncio.timeout(REDIS_SECONDS):
            answer = await self._take_script()(keys=keys, args=arguments)
        wait, *silences = (float(part) for part in answer)
        now = _seconds()
        for use, silence in zip(uses, silences, strict=True):
            if silence > 0:
                self._silent_until[use.scope] = now + silence
        return max(wait, *silences)

    def _take_script(self) -> Any:
        if self._script is None:
            self._redis = Redis.from_url(self._redis_url)
            self._script = self._redis.register_script(TAKE)
        return self._script

    async def _tell(self) -> None:
        """Tell the other processes of a silence; untold, it is told at the next occasion."""
        if not self._may_ask_redis():
            return
        silent, self._untold = self._untold, {}
        free = [replace(use, cost=0.0) for use in silent.values() if self.silence([use]) > 0]
        try:
            if free:
                await self._ask_redis(free, CLAIMS[Lane.CLOSE], "")
        except (RedisError, OSError, TimeoutError) as error:
            self._untold = silent | self._untold
            self._miss_redis(error)


def _seconds() -> float:
    return asyncio.get_running_loop().time()
