"""Whose requests go first when a venue's limits leave room for few, and how long one may wait.

The lane of a request follows from what is asked for. Orders carry it by their purpose, cancels and
margin by their port's call; reads of an account are look-ups, reads of the market polls. A caller
that knows better says so around its calls with `asking`, on either side of the loop, as whoever
reads what is past does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum


class Lane(StrEnum):
    """In order: a lane never waits for tokens that a later one may still take."""

    CLOSE = "close"
    LOOK_UP = "look_up"
    ENTRY = "entry"
    POLL = "poll"
    HISTORY = "history"

    @property
    def words(self) -> str:
        return self.value.replace("_", "-")


@dataclass(frozen=True, slots=True)
class Claim:
    """`floor`: the part of a bucket that this lane leaves to those before it.

    `floor_beyond_share`: the same for a tenant who has had his share while others ask too.
    `patience`: seconds a request waits for its tokens unless its caller gives it less.
    """

    floor: float
    floor_beyond_share: float
    patience: float


# The first fifth of every bucket is for closing alone. Polls leave most: preparing a position takes
# heavy requests. Waiting ends in time for the request itself, which a service gives 8 s in all.
CLAIMS = {
    Lane.CLOSE: Claim(0.0, 0.1, 2.0),
    Lane.LOOK_UP: Claim(0.2, 0.25, 3.0),
    Lane.ENTRY: Claim(0.3, 0.35, 5.0),
    Lane.POLL: Claim(0.5, 0.55, 3.0),
    # After each hour all contracts of some venues have a settlement to be read: books go first.
    Lane.HISTORY: Claim(0.7, 0.75, 3.0),
}

_asked: ContextVar[Lane | None] = ContextVar("lane", default=None)
_within: ContextVar[float | None] = ContextVar("within", default=None)


@contextmanager
def asking(lane: Lane, *, within: float | None = None) -> Iterator[None]:
    """Send what is asked of venues inside in this lane; it may wait `within` seconds for tokens."""
    before, limit = _asked.set(lane), _within.set(within)
    try:
        yield
    finally:
        _asked.reset(before)
        _within.reset(limit)


def lane_or(default: Lane) -> Lane:
    """Return the lane that a caller has named, else the default."""
    return _asked.get() or default


def patience(lane: Lane) -> float:
    """Return how many seconds a request in this lane may wait for its tokens."""
    within = _within.get()
    return CLAIMS[lane].patience if within is None else max(0.0, within)
