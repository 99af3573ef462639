"""How long ago something was, by a wall clock that may have been set back since."""

from __future__ import annotations

from datetime import datetime, timedelta


def elapsed(since: datetime, now: datetime) -> timedelta:
    """Return how far apart they are, >= 0: what lies ahead of a clock set back is old, not new."""
    return abs(now - since)


def is_over(ends_at: datetime, *, since: datetime, now: datetime) -> bool:
    """Tell whether a time that began at `since` is over, by either end of it."""
    return now >= ends_at or elapsed(since, now) >= ends_at - since
