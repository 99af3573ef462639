"""Two workers that hear at once tell a person once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from alerts.models import Alert, Channel, Delivery
from alerts.services.hear import hear
from arbsite.accounts.models import User
from tests.alerts.conftest import NOW
from tests.locks import somebody_waits_for_a_lock
from tests.machine import wait_until
from trading.models import Event

pytestmark = pytest.mark.django_db(transaction=True)

WORKERS = 4


def say(user: User, number: int, sentence: str) -> Event:
    """Write an event with a number of its own: they need not appear in their order."""
    return Event.objects.create(
        pk=number,
        user=user,
        kind="order.unknown",
        severity="critical",
        sentence=sentence,
        created_at=NOW,
    )


def hear_as_a_worker() -> int:
    try:
        return hear(now=NOW)
    finally:
        connection.close()


@pytest.mark.db
def test_one_event_that_all_hear_at_once_is_one_alert(owner: User, chat: Channel) -> None:
    together = threading.Barrier(WORKERS)
    say(owner, 1, "2 orders are unknown")

    def work(_: int) -> int:
        together.wait(10)
        return hear_as_a_worker()

    with ThreadPoolExecutor(WORKERS) as workers:
        made = list(workers.map(work, range(WORKERS)))

    assert sorted(made) == [0] * (WORKERS - 1) + [1]
    assert Alert.objects.get().count == 1
    assert Delivery.objects.count() == 1


@pytest.mark.postgres
@pytest.mark.parametrize("commits", [True, False])
def test_two_events_that_say_the_same_to_two_workers_are_one_alert(
    owner: User, chat: Channel, commits: bool
) -> None:
    """The later event was seen first; the earlier one falls to another worker meanwhile."""
    heard, may_end = threading.Event(), threading.Event()
    say(owner, 2, "3 orders are unknown")

    def first() -> int:
        with transaction.atomic():
            made = hear(now=NOW)
            heard.set()
            may_end.wait(10)
            transaction.set_rollback(not commits)
        connection.close()
        return made

    with ThreadPoolExecutor(2) as workers:
        slow = workers.submit(first)
        heard.wait(10)
        say(owner, 1, "2 orders are unknown")
        rival = workers.submit(hear_as_a_worker)
        wait_until(somebody_waits_for_a_lock, timeout=10, what="one worker waits for the other")
        assert not Alert.objects.exists()
        may_end.set()

        assert (slow.result(10), rival.result(10)) == (1, 0 if commits else 1)

    alert = Alert.objects.get()
    assert alert.count == 2
    assert Delivery.objects.count() == 1
