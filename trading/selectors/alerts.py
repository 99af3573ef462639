"""What a person must hear of, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from arbsite.accounts.models import User
from trading.models import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFeed:
    """The newest events; `urgent` is the newest unread CRITICAL, read aloud once."""

    events: list[Event]
    unread: int
    urgent: Event | None


def alert_feed(user: User, *, limit: int) -> AlertFeed:
    """Return the user's newest events and how many that matter are unread."""
    events = Event.objects.for_user(user)
    unread = unread_of(user)
    return AlertFeed(
        events=list(events.select_related("position")[:limit]),
        unread=unread.count(),
        urgent=unread.filter(severity=Event.Severity.CRITICAL).first(),
    )


def unread_of(user: User) -> QuerySet[Event]:
    """Return what matters and is unread."""
    unread = Event.objects.for_user(user).filter(read_at=None)
    return unread.exclude(severity=Event.Severity.INFO)


def mark_alerts_read(user: User, *, now: datetime) -> int:
    """Mark all of the user's events as read and return how many were not."""
    return Event.objects.for_user(user).filter(read_at=None).update(read_at=now)
