"""Claim a scheduled slot: two beats ring, one worker works."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import IntegrityError, transaction

from trading.models import JobRun

ONLY_ONCE = datetime(1970, 1, 1, tzinfo=UTC)


def claim(job: str, *, every: timedelta, now: datetime) -> bool:
    """Claim the slot of `job` that `now` falls into; False when it is claimed already."""
    seconds = every.total_seconds()
    slot = datetime.fromtimestamp(now.timestamp() // seconds * seconds, tz=now.tzinfo)
    return _claim(job, slot, now)


def was_steady(job: str, *, every: timedelta, lasts: timedelta, now: datetime) -> bool:
    """Tell whether all slots of a job but one or two were claimed in the time before `now`."""
    claimed = JobRun.objects.filter(job=job, slot__gt=now - lasts, slot__lte=now).count()
    return claimed >= lasts // every - 2


def claim_once(job: str, *, now: datetime) -> bool:
    """Claim what is done once for all time; False when somebody did it."""
    return _claim(job, ONLY_ONCE, now)


def _claim(job: str, slot: datetime, now: datetime) -> bool:
    try:
        with transaction.atomic():
            JobRun.objects.create(job=job, slot=slot, claimed_at=now)
    except IntegrityError:
        return False
    return True
