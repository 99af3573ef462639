"""The outbox: what people and screens must hear of, written with the change it tells of."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from trading.models import Event, Position


def announce(
    *,
    user_id: UUID,
    kind: str,
    sentence: str,
    now: datetime,
    severity: str = Event.Severity.INFO,
    position: Position | None = None,
    payload: dict[str, Any] | None = None,
) -> Event:
    """Write one event; call it inside the transaction that makes it true."""
    return Event.objects.create(
        user_id=user_id,
        kind=kind,
        severity=severity,
        sentence=sentence[:400],
        position=position,
        payload=payload or {},
        created_at=now,
    )


def announce_once(
    *,
    user_id: UUID,
    kind: str,
    sentence: str,
    now: datetime,
    within: timedelta,
    severity: str = Event.Severity.WARNING,
    position: Position | None = None,
) -> Event | None:
    """Write an event unless the same kind was written for the same position `within` that time."""
    # What lies further ahead was said before the clock was set back: it may be long ago.
    recent = Event.objects.filter(
        user_id=user_id,
        kind=kind,
        position=position,
        created_at__gt=now - within,
        created_at__lt=now + within,
    )
    if recent.exists():
        return None
    return announce(
        user_id=user_id,
        kind=kind,
        sentence=sentence,
        now=now,
        severity=severity,
        position=position,
    )
