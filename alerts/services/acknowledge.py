"""Somebody has read it: repeats end."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from alerts.models import Alert, Delivery
from arbsite.accounts.models import User


def acknowledge(
    user: User, *, actor: str, now: datetime, alert_id: int | None = None
) -> list[Alert]:
    """End the repeats of one alert, or of all that wait with None; return those it ended."""
    waiting = Alert.objects.for_user(user).waiting()
    if alert_id is not None:
        waiting = waiting.filter(pk=alert_id)
    ended = []
    with transaction.atomic():
        for alert in waiting:
            mine = Alert.objects.filter(pk=alert.pk, acknowledged_at=None)
            if mine.update(acknowledged_at=now, acknowledged_by=actor, repeat_at=None):
                ended.append(alert)
        Delivery.objects.filter(alert__in=ended, state=Delivery.State.PENDING).update(
            state=Delivery.State.DROPPED, last_error="acknowledged before it was delivered"
        )
    return ended
