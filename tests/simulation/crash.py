"""Effect boundaries: the moments at which a process may die, and points where it may stand still.

Each commit, each write outside a transaction, each batch of venue calls and each request on the
wire passes one before and one after. A run counts them; a plan says what happens at which.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager


class Crash(BaseException):
    """The process is killed here. No handler of the program may see it, as none sees SIGKILL."""


class Boundaries:
    """Counts boundaries while armed; dies or stands still at the planned ones."""

    def __init__(self) -> None:
        self.count = 0
        self.names: list[str] = []
        self.deaths: frozenset[int] = frozenset()
        self.pause: tuple[int, Callable[[], None]] | None = None
        self.is_armed = False
        self.is_dying = False

    def plan(
        self,
        *,
        deaths: frozenset[int] = frozenset(),
        pause: tuple[int, Callable[[], None]] | None = None,
    ) -> None:
        """Count from 0 anew; die at each number of `deaths`, stand still after so many points."""
        self.count, self.deaths, self.pause = 0, deaths, pause
        self.names.clear()
        self.is_armed, self.is_dying = True, False

    def disarm(self) -> None:
        self.is_armed = self.is_dying = False
        self.deaths, self.pause = frozenset(), None

    @contextmanager
    def passed_over(self) -> Generator[None]:
        """Count nothing of what the simulation itself writes."""
        before, self.is_armed = self.is_armed, False
        yield
        self.is_armed = before

    def restart(self) -> None:
        """The process is gone; the next one counts on."""
        self.is_dying = False

    def pass_by(self, name: str) -> None:
        """Pass one boundary. Raise Crash where the plan says so, and for all that still runs."""
        if self.is_dying:
            raise Crash(name)
        if not self.is_armed:
            return
        number, self.count = self.count, self.count + 1
        self.names.append(name)
        if number in self.deaths:
            self.is_dying = True
            raise Crash(name)

    def stand_still(self) -> None:
        """Pass a point where others may act first; at the planned one they do."""
        if not self.is_armed or self.pause is None:
            return
        left, meanwhile = self.pause
        self.pause = (left - 1, meanwhile) if left > 0 else None
        if left == 0:
            meanwhile()
