"""Scheduled work that stays away is said: in health, and to the staff."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from arbsite.accounts.models import User
from arbsite.schedules import CLAIMING_JOBS, install_schedules, slot_intervals
from trading.models import Event, JobRun
from trading.services import slots
from trading.services.late_slots import late_jobs, tell_of_late_jobs

pytestmark = [pytest.mark.db, pytest.mark.django_db]

NOW = datetime(2026, 11, 20, 14, 0, 5, tzinfo=UTC)
TEN, MINUTE = timedelta(seconds=10), timedelta(minutes=1)
INTERVALS = {"book_funding": TEN, "reconcile_accounts": MINUTE}


def run(job: str, *, seconds_ago: int) -> None:
    assert slots.claim(job, every=INTERVALS[job], now=NOW - timedelta(seconds=seconds_ago))


def test_a_job_is_late_after_two_turns_and_twenty_seconds() -> None:
    run("book_funding", seconds_ago=40)
    run("reconcile_accounts", seconds_ago=141)

    assert late_jobs(INTERVALS, since=None, now=NOW) == {
        "reconcile_accounts": timedelta(seconds=141)
    }
    assert late_jobs(INTERVALS, since=None, now=NOW + timedelta(seconds=1)) == {
        "book_funding": timedelta(seconds=41),
        "reconcile_accounts": timedelta(seconds=142),
    }


def test_what_never_ran_is_late_by_the_time_somebody_watches() -> None:
    assert late_jobs(INTERVALS, since=None, now=NOW) == {}
    assert late_jobs(INTERVALS, since=NOW - MINUTE, now=NOW) == {"book_funding": MINUTE}


def test_the_night_in_which_carry_was_off_is_no_alarm() -> None:
    run("book_funding", seconds_ago=8 * 3600)

    assert late_jobs(INTERVALS, since=NOW - TEN, now=NOW) == {}


def test_the_staff_is_warned_once_in_five_minutes_with_the_job_and_its_lag(owner: User) -> None:
    staff = User.objects.create_superuser("staff", password="staff-password")
    run("book_funding", seconds_ago=95)

    for seconds in (0, 10, 299):
        now = NOW + timedelta(seconds=seconds)
        tell_of_late_jobs({"book_funding": TEN}, since=NOW - MINUTE * 5, now=now)

    event = Event.objects.get()
    assert (event.user, event.kind, event.severity) == (staff, "job.late", "warning")
    assert event.sentence == (
        "Scheduled work is late: book funding ran 95 s ago and should every 10 s. "
        "Beat, Redis or a worker is down; positions are driven."
    )
    tell_of_late_jobs({"book_funding": TEN}, since=NOW, now=NOW + timedelta(seconds=301))
    assert Event.objects.count() == 2


def test_the_intervals_are_those_of_the_admin() -> None:
    install_schedules()
    PeriodicTask.objects.filter(task="trading.tasks.snapshot_equity").update(enabled=False)

    assert set(CLAIMING_JOBS) == {"book_funding", "reconcile_accounts", "snapshot_equity"}
    assert slot_intervals() == INTERVALS


def test_health_is_degraded_while_a_job_is_late(client: Client) -> None:
    install_schedules()
    JobRun.objects.create(
        job="book_funding", slot=NOW, claimed_at=timezone.now() - timedelta(seconds=60)
    )

    answer = client.get("/api/health").json()

    assert answer["status"] == "degraded"
    assert 60 <= answer["slot_lag_seconds"] < 70
