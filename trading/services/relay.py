"""Bring events from the outbox to the screens, each once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from trading.models import Event

BATCH = 200


def relay_events(*, now: datetime, announce_to: Callable[[UUID], object]) -> int:
    """Wake the screens of every user with unrelayed events; return how many were relayed.

    Screens read what changed themselves, so one wake-up stands for any number of events.
    """
    pending = list(Event.objects.filter(relayed_at=None).order_by("id")[:BATCH])
    claimed = Event.objects.filter(pk__in=[event.pk for event in pending], relayed_at=None).update(
        relayed_at=now
    )
    for user_id in dict.fromkeys(event.user_id for event in pending):
        announce_to(user_id)
    return claimed
