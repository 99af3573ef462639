"""The same request from several threads at once: it is carried out by one of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from arbsite.accounts.models import User
from trading.core.refusal import Refusal
from trading.services.idempotency import Outcome, once

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]

AT_ONCE = 6


def test_of_the_same_request_sent_at_once_one_is_carried_out(owner: User) -> None:
    done: list[int] = []
    start = Barrier(AT_ONCE)

    def act() -> tuple[int, Any]:
        done.append(1)
        return 201, {"detail": "done"}

    def ask(_: int) -> Outcome | Refusal:
        try:
            start.wait()
            return once(user=owner, key="k", request="open", act=act, now=timezone.now())
        finally:
            connections.close_all()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = list(threads.map(ask, range(AT_ONCE)))

    assert len(done) == 1
    assert len([a for a in answers if isinstance(a, Outcome) and not a.is_replay]) == 1
    for answer in answers:
        if isinstance(answer, Refusal):
            assert answer.code == "under_way"
        else:
            assert (answer.status, answer.body) == (201, {"detail": "done"})


def test_what_broke_may_be_asked_again_and_what_was_left_behind_is_taken_over(owner: User) -> None:
    now = timezone.now()

    def broken() -> tuple[int, Any]:
        raise LookupError("gone")

    with pytest.raises(LookupError):
        once(user=owner, key="k", request="open", act=broken, now=now)
    again = once(user=owner, key="k", request="open", act=lambda: (202, {}), now=now)
    assert isinstance(again, Outcome)

    owner.idempotency_keys.update(answer=None, created_at=now - timedelta(seconds=61))
    taken = once(user=owner, key="k", request="open", act=lambda: (202, {}), now=now)
    assert isinstance(taken, Outcome)
    assert not taken.is_replay
