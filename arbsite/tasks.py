"""Doorbells for the upkeep of the whole site."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from arbsite import retention
from trading.services import slots

PRUNED_EVERY = timedelta(minutes=5)
# Time that passed step by step is believed: a clock that has jumped ahead would delete history.
STEADY_FOR = timedelta(hours=1)


@shared_task
def prune() -> dict[str, int]:
    """Delete what is older than it is kept, after an hour without a jump; of two beats one counts.

    A machine that stood still waits that hour too, which leaves a little more than is kept.
    """
    now = timezone.now()
    if not slots.claim("prune", every=PRUNED_EVERY, now=now):
        return {}
    if not slots.was_steady("prune", every=PRUNED_EVERY, lasts=STEADY_FOR, now=now):
        return {}
    return retention.prune(now=now)
