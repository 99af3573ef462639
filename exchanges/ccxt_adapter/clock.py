"""How far the clock of this machine is from one venue's, between the venue's answers too."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

# Longer, and how fast two clocks run apart begins to count.
HOLDS_SECONDS = 600.0


class VenueClock:
    """What a venue said its time was; a clock of ours that is set since then shows at once.

    `now` is a clock that may be set, `monotonic` counts seconds and cannot.
    """

    def __init__(self, now: Callable[[], datetime], monotonic: Callable[[], float]) -> None:
        self._now = now
        self._monotonic = monotonic
        self._told: tuple[timedelta, datetime, float] | None = None

    def tell(self, ahead: timedelta) -> None:
        """Take how far ours is ahead of the venue's now; behind is negative."""
        self._told = (ahead, self._now(), self._monotonic())

    def forget(self) -> None:
        self._told = None

    @property
    def ahead(self) -> timedelta | None:
        """Return how far ours is ahead; None where the venue has not told lately."""
        if self._told is None:
            return None
        ahead, told_at, counted = self._told
        passed = self._monotonic() - counted
        if passed > HOLDS_SECONDS:
            return None
        return ahead + (self._now() - told_at) - timedelta(seconds=passed)
