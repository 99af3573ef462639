"""Claim a scheduled slot: two beats ring, one worker works."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from trading.models import JobRun

KEPT = timedelta(hours=1)


def claim(job: str, *, every: timedelta, now: datetime) -> bool:
    """Claim the slot of `job` that `now` falls into; False when it is claimed already."""
    seconds = every.total_seconds()
    slot = datetime.fromtimestamp(now.timestamp() // seconds * seconds, tz=now.tzinfo)
    try:
        with transaction.atomic():
            JobRun.objects.create(job=job, slot=slot, claimed_at=now)
    except IntegrityError:
        return False
    if slot.second == 0:
        JobRun.objects.filter(job=job, slot__lt=now - KEPT).delete()
    return True
