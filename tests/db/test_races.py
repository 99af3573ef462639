"""Several workers at once, on real connections: one wins, the others do nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from trading.services import slots

pytestmark = [pytest.mark.django_db(transaction=True)]

NOW = datetime(2026, 11, 20, 14, 0, 7, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WORKERS = 6


def claim(now: datetime = NOW) -> bool:
    return slots.claim("book_funding", every=MINUTE, now=now)


def in_a_worker(act: Callable[[], bool]) -> bool:
    """Run `act` and give its thread's connection back, as a task does."""
    try:
        return act()
    finally:
        connection.close()


@pytest.mark.db
def test_of_many_beats_one_claims_the_slot() -> None:
    together = threading.Barrier(WORKERS)

    def ring(_: int) -> bool:
        together.wait()
        return in_a_worker(claim)

    with ThreadPoolExecutor(WORKERS) as workers:
        claimed = list(workers.map(ring, range(WORKERS)))

    assert claimed.count(True) == 1
    assert in_a_worker(lambda: claim(NOW + MINUTE))


@pytest.mark.postgres
@pytest.mark.parametrize("commits", [True, False])
def test_a_slot_waits_for_the_claim_of_another_to_end(commits: bool) -> None:
    claimed, may_end = threading.Event(), threading.Event()

    def first() -> bool:
        with transaction.atomic():
            done = claim()
            claimed.set()
            may_end.wait(10)
            transaction.set_rollback(not commits)
        return done

    with ThreadPoolExecutor(2) as workers:
        holder = workers.submit(in_a_worker, first)
        claimed.wait(10)
        rival = workers.submit(in_a_worker, claim)
        assert not rival.done()
        may_end.set()

        assert holder.result(10)
        assert rival.result(10) is not commits
