"""Time that passes only when everything waits for it, and an event loop that lives in it.

The loop is the real asyncio one with real timers and deadlines; where it would sleep, the clock
jumps. Nothing here ever waits, and the same program always sees the same moments.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 1, 5, 12, 0, 30, tzinfo=UTC)
RESOLUTION = 2e-6


class Timeline:
    """The one clock of a run. `listener` hears of every moment that is reached.

    `excused` is how much has passed while `is_excused`: nobody can act at a venue that is away.
    """

    def __init__(self) -> None:
        self.at = START
        self.listener: Callable[[datetime], None] | None = None
        self.excused = timedelta()
        self.is_excused: Callable[[], bool] = lambda: False
        self._zero = START

    def restart(self) -> None:
        """Begin again at START; what the loop counts in seconds goes on."""
        self._zero = START - (self.at - self._zero)
        self.at = START
        self.excused, self.is_excused = timedelta(), lambda: False

    @property
    def seconds(self) -> float:
        return (self.at - self._zero).total_seconds()

    def advance(self, seconds: float) -> None:
        """Let time pass, telling the listener once it has."""
        passed = timedelta(microseconds=max(1, round(seconds * 1e6)))
        is_excused = self.is_excused()
        self.at += passed
        if self.listener is not None:
            self.listener(self.at)
        if is_excused:
            # After what happened meanwhile was told: a window that began in it is excused for it.
            self.excused += passed


class Nothing:
    """What an event loop selects from where there are no sockets: only time can end a wait."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("everything waits, and nothing will ever happen")
        if timeout > 0:
            self._timeline.advance(timeout)
        return []


class TimelineLoop(asyncio.BaseEventLoop):
    """asyncio on a timeline."""

    def __init__(self, timeline: Timeline) -> None:
        super().__init__()
        self._timeline = timeline
        self._selector = Nothing(timeline)
        self._clock_resolution = RESOLUTION

    def time(self) -> float:
        return self._timeline.seconds

    def _process_events(self, events: list[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody sleeps, so nobody need be woken."""


def forget_tasks(loop: TimelineLoop, kept: frozenset[asyncio.Task[Any]] = frozenset()) -> None:
    """Cancel all tasks but `kept`, as the death of a process does."""
    tasks = [task for task in asyncio.all_tasks(loop) if task not in kept]
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
