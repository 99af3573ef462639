"""One visit of a worker to a position: what it acts with, what it records, whom it tells."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import IntegrityError

from trading.core.states import TERMINAL_POSITION_STATES, PositionEvent
from trading.events import announce_once
from trading.models import Event, Position
from trading.services import aftermath
from trading.services.contact import Contact
from trading.services.remainder import why_it_waits
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
        has_ended = self.position.state in TERMINAL_POSITION_STATES
        if event is PositionEvent.IMBALANCED and has_ended:
            return self._bring_back(f"CRITICAL after the end: {cause}")
        return self._apply(event, cause)

    def _bring_back(self, cause: str) -> str:
        """Let what appeared after the end be closed; a person hears why where it must wait."""
        waits = why_it_waits(self.position)
        if not waits:
            try:
                return self._apply(PositionEvent.IMBALANCED, cause)
            except IntegrityError:
                # A newer position may have taken the pair since it was looked at.
                if not (waits := why_it_waits(self.position)):
                    raise
        self.cry("position.remainder", waits)
        return waits

    def _apply(self, event: PositionEvent, cause: str) -> str:
        position, now = self.position, self.now()
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
