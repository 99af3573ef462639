"""What a round of a worker's thread costs when it finds nothing to do."""

from __future__ import annotations

import threading

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from alerts.models import Channel
from alerts.services.deliver import deliver
from alerts.services.hear import hear
from tests.machine import wait_until
from trading.services.sweep import run_every

pytestmark = pytest.mark.db


def test_nothing_to_tell_is_seen_at_once(
    db: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(2):
        assert hear(now=timezone.now()) == 0
    with django_assert_num_queries(1):
        assert deliver(Channel.Kind.WEBHOOK) == 0


@pytest.mark.django_db(transaction=True)
def test_rounds_of_a_thread_share_one_connection() -> None:
    seen: list[object] = []
    stop = threading.Event()

    def work() -> None:
        connection.ensure_connection()
        seen.append(connection.connection)

    thread = run_every(work, 0.001, stop, name="rounds")
    wait_until(lambda: len(seen) > 2, timeout=10, what="three rounds have run")
    stop.set()
    thread.join(10)

    assert len(set(map(id, seen))) == 1
