"""One visit of a worker to a position: what it acts with, what it records, whom it tells."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from trading.core.states import TERMINAL_POSITION_STATES, PositionEvent
from trading.events import announce_once
from trading.models import Event, Position
from trading.services import aftermath
from trading.services.contact import Contact
from trading.services.submit import Clock
from trading.services.transition import apply_to_position
from trading.services.venues import Venues

TOLD_AGAIN_AFTER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Visit:
    """The position as its lease was taken, the doors to its venues, and who answered there."""

    position: Position
    venues: Venues
    clock: Clock
    contact: Contact = field(default_factory=Contact)

    def now(self) -> datetime:
        return self.clock()

    def record(self, event: PositionEvent, *, cause: str) -> str:
        """Apply an event with its columns and what follows; return why to stop, if lost."""
        position, now = self.position, self.now()
        if event is PositionEvent.IMBALANCED and position.state in TERMINAL_POSITION_STATES:
            cause = f"CRITICAL after the end: {cause}"
        moved = apply_to_position(
            position,
            event,
            cause=cause,
            now=now,
            within=lambda: aftermath.follow(position, event, cause, now),
            **aftermath.columns_of(position, event, cause, now),
        )
        return "" if moved else "another worker moved it first"

    def warn(self, kind: str, sentence: str) -> None:
        """Tell of something that may pass by itself, once in a while."""
        self._tell(kind, sentence, Event.Severity.WARNING)

    def cry(self, kind: str, sentence: str) -> None:
        """Tell of something that a person must know now, once in a while."""
        self._tell(kind, sentence, Event.Severity.CRITICAL)

    def _tell(self, kind: str, sentence: str, severity: str) -> None:
        announce_once(
            user_id=self.position.user_id,
            kind=kind,
            severity=severity,
            sentence=f"{self.position.base}: {sentence}",
            position=self.position,
            within=TOLD_AGAIN_AFTER,
            now=self.now(),
        )
