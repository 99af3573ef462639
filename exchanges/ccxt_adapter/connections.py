"""How many sockets a venue lets one address open, kept by waiting before each opening.

A venue that closes sockets as fast as they are opened would have us banned by our own reopening.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from time import monotonic

from exchanges.venues.quotas import ConnectionQuota

# Other processes of this machine open sockets too, by hand or at a start.
OUR_SHARE = 0.8
# One that was let pass at a window's end may arrive at the beginning of the next, among its own.
ARRIVES_WITHIN = 1.0


class ConnectionBudget:
    """Lets at most four fifths of a quota of openings pass in any window of it.

    `processes` open sockets at this venue beside one another, this one among them: each has an
    equal part, less than one opening in a window as one in a longer window.
    """

    def __init__(
        self,
        quota: ConnectionQuota,
        clock: Callable[[], float] = monotonic,
        *,
        processes: int = 1,
    ) -> None:
        part = quota.limit * OUR_SHARE / processes
        self._most = max(1, int(part))
        self._window = (quota.window.total_seconds() + ARRIVES_WITHIN) / min(1.0, part)
        self._clock = clock
        self._opened: deque[float] = deque()
        self._lock = asyncio.Lock()

    async def take(self) -> None:
        """Wait until another socket may be opened; those that ask first go first."""
        async with self._lock:
            while (wait := self.wait()) > 0:
                await asyncio.sleep(wait)
            self._opened.append(self._clock())

    def wait(self) -> float:
        """Return for how many seconds nothing may be opened."""
        now = self._clock()
        while self._opened and now - self._opened[0] >= self._window:
            self._opened.popleft()
        if len(self._opened) < self._most:
            return 0.0
        return self._opened[0] + self._window - now
