"""What beat rings and how often; rows a person may change in the admin.

The sweep over positions is not here: it runs in a thread of each trade worker, so that positions
are cared for without broker and beat.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django_celery_beat.models import IntervalSchedule, PeriodicTask


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One scheduled task. A message nobody took within `expires` is dropped, not run late."""

    name: str
    task: str
    every: timedelta
    expires: timedelta


SLOTS = (
    Slot(
        name="Refresh instruments",
        task="exchanges.tasks.refresh_instruments",
        every=timedelta(hours=1),
        expires=timedelta(minutes=10),
    ),
    Slot(
        name="Poll rates, prices and books",
        task="exchanges.tasks.poll_market",
        # Books older than 3 s never trade: without streams, one late poll must not cost an entry.
        every=timedelta(seconds=1),
        expires=timedelta(seconds=2),
    ),
    Slot(
        name="Read order books",
        task="trading.tasks.read_books",
        every=timedelta(seconds=4),
        expires=timedelta(seconds=4),
    ),
    Slot(
        name="Poll settled funding",
        task="exchanges.tasks.poll_settlements",
        every=timedelta(minutes=1),
        expires=timedelta(seconds=30),
    ),
    Slot(
        name="Keep the mid of the hour",
        task="exchanges.tasks.sample_mids",
        every=timedelta(minutes=5),
        expires=timedelta(minutes=1),
    ),
    Slot(
        name="Fit what carry keeps",
        task="trading.tasks.refit_betas",
        # Each pair is fitted once a month; an hour is how soon a new one is.
        every=timedelta(hours=1),
        expires=timedelta(minutes=10),
    ),
    Slot(
        name="Poll borrow rates",
        task="exchanges.tasks.poll_borrow_rates",
        every=timedelta(minutes=1),
        expires=timedelta(seconds=30),
    ),
    Slot(
        name="Poll open interest and turnover",
        task="exchanges.tasks.poll_activity",
        every=timedelta(minutes=1),
        expires=timedelta(seconds=30),
    ),
    Slot(
        name="Read what stablecoins are worth",
        task="trading.tasks.watch_stablecoins",
        every=timedelta(seconds=10),
        expires=timedelta(seconds=10),
    ),
    Slot(
        name="Poll announced maintenance",
        task="exchanges.tasks.poll_maintenance",
        every=timedelta(minutes=1),
        expires=timedelta(seconds=30),
    ),
    Slot(
        name="Scan for opportunities",
        task="trading.tasks.scan",
        every=timedelta(seconds=2),
        expires=timedelta(seconds=2),
    ),
    Slot(
        name="Book funding payments",
        task="trading.tasks.book_funding",
        every=timedelta(seconds=10),
        expires=timedelta(seconds=10),
    ),
    Slot(
        name="Check new keys",
        task="trading.tasks.check_keys",
        every=timedelta(seconds=10),
        expires=timedelta(seconds=10),
    ),
    Slot(
        name="Reconcile accounts",
        task="trading.tasks.reconcile_accounts",
        every=timedelta(minutes=1),
        expires=timedelta(seconds=30),
    ),
    Slot(
        name="Relay events",
        task="trading.tasks.relay_events",
        every=timedelta(seconds=2),
        expires=timedelta(seconds=2),
    ),
    Slot(
        name="Snapshot equity",
        task="trading.tasks.snapshot_equity",
        every=timedelta(minutes=1),
        expires=timedelta(seconds=30),
    ),
    Slot(
        name="Forget what is old",
        task="arbsite.tasks.prune",
        every=timedelta(minutes=5),
        expires=timedelta(minutes=4),
    ),
)

# The jobs that claim their slot in the database: two beats ring, one worker works.
CLAIMING_JOBS = ("book_funding", "reconcile_accounts", "snapshot_equity")


def install_schedules() -> None:
    """Create the rows that are missing; what a person changed in the admin stays."""
    for slot in SLOTS:
        interval, _ = IntervalSchedule.objects.get_or_create(
            every=int(slot.every.total_seconds()), period=IntervalSchedule.SECONDS
        )
        PeriodicTask.objects.get_or_create(
            name=slot.name,
            defaults={
                "task": slot.task,
                "interval": interval,
                "expire_seconds": int(slot.expires.total_seconds()),
            },
        )


def slot_intervals() -> dict[str, timedelta]:
    """Return how often each job that claims slots is rung now, by job name, as the admin has it."""
    rows = PeriodicTask.objects.filter(
        enabled=True, task__in=[f"trading.tasks.{job}" for job in CLAIMING_JOBS]
    ).select_related("interval")
    return {
        row.task.rpartition(".")[2]: row.interval.schedule.run_every
        for row in rows
        if row.interval is not None
    }
