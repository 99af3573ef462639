from __future__ import annotations

import pytest
from django_celery_beat.models import PeriodicTask

from arbsite.celery import app
from arbsite.schedules import SLOTS, install_schedules

pytestmark = [pytest.mark.db, pytest.mark.django_db]


def test_each_slot_becomes_one_row_however_often_it_is_installed() -> None:
    install_schedules()
    install_schedules()

    rows = {row.name: row for row in PeriodicTask.objects.exclude(task__startswith="celery.")}
    assert set(rows) == {slot.name for slot in SLOTS}
    poll = rows["Poll rates, prices and books"]
    assert (poll.interval.every, poll.interval.period, poll.expire_seconds) == (1, "seconds", 2)


def test_what_a_person_changed_stays() -> None:
    install_schedules()
    PeriodicTask.objects.filter(name="Scan for opportunities").update(enabled=False)

    install_schedules()

    assert not PeriodicTask.objects.get(name="Scan for opportunities").enabled


def test_every_slot_rings_a_task_that_exists() -> None:
    app.loader.import_default_modules()

    assert {slot.task for slot in SLOTS} - set(app.tasks) == set()


@pytest.mark.parametrize(
    ("task", "queue"),
    [
        ("trading.tasks.close_position", "close"),
        ("trading.tasks.enter", "entry"),
        ("trading.tasks.drive_position", "entry"),
        ("trading.tasks.scan", "poll"),
        ("trading.tasks.book_funding", "books"),
        ("trading.tasks.relay_events", "alerts"),
        ("trading.tasks.refit_betas", "batch"),
        ("exchanges.tasks.poll_market", "poll"),
    ],
)
def test_each_kind_of_work_has_its_lane(task: str, queue: str) -> None:
    assert app.amqp.router.route({}, task)["queue"].name == queue
