"""The outbox: what people and screens must hear of, written with the change it tells of."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils.text import Truncator

from trading.models import Event, Position

__all__ = ["Event", "announce", "announce_once", "take", "unheard"]

LONGEST_SENTENCE = 400


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
        sentence=Truncator(sentence).chars(LONGEST_SENTENCE),
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


def unheard(*, since: datetime, now: datetime, limit: int) -> list[Event]:
    """Return the oldest events that nobody has judged; what is older than `since` is passed over.

    Whether people are told of an event is judged once, apart from the screens' relay.
    """
    waiting = Event.objects.filter(heard_at=None)
    if not waiting.exists():
        return []
    if waiting.filter(created_at__lt=since).exists():
        waiting.filter(created_at__lt=since).update(heard_at=now)
    with_user = waiting.select_related("user", "position").order_by("id")
    return list(with_user[:limit])


def take(event: Event, *, now: datetime) -> bool:
    """Take an event to judge it; False when another process has. Call it inside a transaction."""
    return Event.objects.filter(pk=event.pk, heard_at=None).update(heard_at=now) == 1
