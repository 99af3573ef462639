"""Say when scheduled work stays away: beat, the broker or a worker is down and nobody rings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db.models import Max

from arbsite.accounts.models import User
from trading.events import announce_once
from trading.models import JobRun

KIND = "job.late"
GRACE = timedelta(seconds=20)
SAY_AGAIN_AFTER = timedelta(minutes=5)


def late_jobs(
    intervals: Mapping[str, timedelta], *, since: datetime | None, now: datetime
) -> dict[str, timedelta]:
    """Return how long ago each overdue job ran last: two turns of its interval and 20 s.

    What never ran counts from `since`, and is not known without it.
    """
    ran = dict(JobRun.objects.values_list("job").annotate(Max("claimed_at")))
    late: dict[str, timedelta] = {}
    for job, every in intervals.items():
        known = [moment for moment in (ran.get(job), since) if moment is not None]
        if known and now - max(known) > 2 * every + GRACE:
            late[job] = now - max(known)
    return late


def tell_of_late_jobs(
    intervals: Mapping[str, timedelta], *, since: datetime, now: datetime
) -> dict[str, timedelta]:
    """Warn the staff of jobs that are late, every five minutes; return them with their lag."""
    late = late_jobs(intervals, since=since, now=now)
    for staff in User.objects.filter(is_staff=True, is_active=True) if late else ():
        announce_once(
            user_id=staff.pk,
            kind=KIND,
            sentence=_words(late, intervals),
            within=SAY_AGAIN_AFTER,
            now=now,
        )
    return late


def _words(late: Mapping[str, timedelta], intervals: Mapping[str, timedelta]) -> str:
    each = "; ".join(
        f"{job.replace('_', ' ')} ran {lag.total_seconds():.0f} s ago and should every "
        f"{intervals[job].total_seconds():.0f} s"
        for job, lag in sorted(late.items())
    )
    return f"Scheduled work is late: {each}. Beat, Redis or a worker is down; positions are driven."
