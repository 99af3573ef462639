"""Doorbells for the upkeep of the whole site."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from arbsite import retention
from trading.services import slots

PRUNED_EVERY = timedelta(minutes=5)


@shared_task
def prune() -> dict[str, int]:
    """Delete what is older than it is kept; of two beats one counts."""
    now = timezone.now()
    if not slots.claim("prune", every=PRUNED_EVERY, now=now):
        return {}
    return retention.prune(now=now)
