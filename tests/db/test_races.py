"""Several workers at once, on real connections: one wins, the others do nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction

from arbsite.accounts.models import User
from exchanges.modes import Mode
from tests.locks import somebody_waits_for_a_lock
from tests.machine import wait_until
from tests.web.rows import make_account, make_exchange, make_instrument
from trading.core.parameters import Parameters
from trading.models import Leg, LegSide, LimitUse, Position
from trading.services import slots
from trading.services.limits import Claim, claims_for, release, reserve

pytestmark = [pytest.mark.django_db(transaction=True)]

NOW = datetime(2026, 11, 20, 14, 0, 7, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WORKERS = 6
D = Decimal
VENUES = ("bybit", "binanceusdm")


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


@pytest.mark.postgres
def test_an_entry_and_an_exit_of_one_user_at_once_both_keep_their_limits(owner: User) -> None:
    """Each holds a limit that the other wants next, unless both ask in the same order."""
    claims, others = (
        claims_for(
            base=base,
            legs=[(venue, D(1)) for venue in VENUES],
            open_reason="funding",
            size_usd=D(100),
            parameters=Parameters(),
        )
        for base in ("BTC", "ETH")
    )
    leaving = holding_position(owner, "ETH", others)
    may_leave = threading.Event()

    def leave() -> None:
        may_leave.wait(10)
        try:
            release(leaving)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as worker:
        left = worker.submit(leave)
        with transaction.atomic():
            reserve(owner.pk, Mode.REHEARSAL, claims[:-1])
            may_leave.set()
            wait_until(somebody_waits_for_a_lock, timeout=10, what="the exit waits for the entry")
            reserve(owner.pk, Mode.REHEARSAL, claims[-1:])
        left.result(10)

    reserved = LimitUse.objects.filter(user=owner).values_list("scope", "reserved_cents")
    assert dict(reserved) == {
        "pair:BTC": 10_000,
        "pair:ETH": 0,
        "venue:binanceusdm": 10_000,
        "venue:bybit": 10_000,
        "exposure:funding": 10_000,
        "user": 10_000,
    }


def holding_position(user: User, base: str, claims: Sequence[Claim]) -> Position:
    """Return an open position of 100 USD per leg with its limits reserved."""
    reserve(user.pk, Mode.REHEARSAL, claims)
    position = Position.objects.create(
        user=user,
        mode="rehearsal",
        base=base,
        strategy="funding_spread",
        open_reason="funding",
        state="open",
        size_usd=D(100),
        reserved_usd=D(100),
        target_base_quantity=D(1),
        parameters=Parameters().to_values(),
        configuration_version=1,
        entry_funding_spread=D("0.001"),
        opened_by="owner",
        created_at=NOW,
        entry_deadline=NOW + MINUTE,
    )
    for index, (venue, side) in enumerate(zip(VENUES, (LegSide.LONG, LegSide.SHORT), strict=True)):
        exchange = make_exchange(venue, venue[:3].upper(), venue)
        instrument = make_instrument(exchange, base, NOW)
        Leg.objects.create(
            position=position,
            index=index,
            side=side,
            account=make_account(user, exchange, NOW),
            instrument=instrument,
            decision_entry_mid=D(100),
            taker_fee=D("0.0005"),
        )
    return position
