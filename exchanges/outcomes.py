"""What this process's calls said of the venues' health, until a thread with a database writes it.

Venue calls run on a loop that must not wait for a database, and an order waits for none of this.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum

from exchanges.errors import Block

# A process that never writes them, as the web's, keeps the newest.
MOST = 10_000


class Asked(StrEnum):
    """What a call wanted of the venue."""

    READ = "read"
    ORDER = "order"
    CANCEL = "cancel"


_asked: ContextVar[Asked] = ContextVar("asked", default=Asked.READ)


@contextmanager
def about_orders(asked: Asked = Asked.ORDER) -> Generator[None]:
    """Count what is asked within as placing an order, or cancelling one, not as a read."""
    before = _asked.set(asked)
    try:
        yield
    finally:
        _asked.reset(before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one call to a venue ended. No `symptom`: the venue answered properly, yes or no.

    `block`: it refuses everything from this address.
    """

    venue: str
    mode: str
    symptom: str = ""
    block: Block | None = None
    asked: Asked = field(default_factory=_asked.get)


class Outcomes:
    """A queue in the order in which the calls ended."""

    def __init__(self) -> None:
        self._waiting: deque[Outcome] = deque(maxlen=MOST)

    def note(self, outcome: Outcome) -> None:
        """Keep an outcome; of answers in a row the last one tells all."""
        waiting = self._waiting
        if waiting and waiting[-1] == outcome and not outcome.symptom:
            return
        waiting.append(outcome)

    @property
    def holds_symptoms(self) -> bool:
        """Tell whether anything but proper answers waits."""
        return any(one.symptom or one.block for one in self._waiting)

    def take(self) -> list[Outcome]:
        """Return what has not been taken yet, oldest first."""
        taken: list[Outcome] = []
        while self._waiting:
            taken.append(self._waiting.popleft())
        return taken


of_this_process = Outcomes()
