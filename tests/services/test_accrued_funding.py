"""Funding that is owed all along: planned, booked and paid alike, for parts of hours too.

Kraken Futures pays at each change of a position and at the end of each hour.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from arbsite.accounts.models import User
from exchanges.domain import Side
from tests.services.ledger_desk import KRAKEN, LedgerDesk
from tests.simulator.world import START
from trading.models import Discrepancy, Event, ExpectedFunding, FundingEvent, Leg, Position

pytestmark = [pytest.mark.protocol, pytest.mark.django_db]

D = Decimal
Status = ExpectedFunding.Status


@pytest.fixture
def desk(tmp_path: Path, owner: User) -> Generator[LedgerDesk]:
    """A market that pays 6 dollars an hour for 0.1 bitcoin; it is 12:00:30."""
    opened = LedgerDesk(tmp_path, owner, pair=("binanceusdm", KRAKEN))
    opened.world.pin(KRAKEN, price="60000", funding_rate="0.001")
    yield opened
    opened.close()


def leg_of(position: Position) -> Leg:
    return position.legs.get(instrument__exchange__code=KRAKEN)


def booked(desk: LedgerDesk) -> list[tuple[str, Decimal]]:
    rows = FundingEvent.objects.filter(account=desk.accounts[KRAKEN]).order_by("paid_at")
    return [(row.venue_payment_id, row.payment) for row in rows]


def expected(position: Position) -> list[tuple[str, Decimal]]:
    rows = ExpectedFunding.objects.filter(leg=leg_of(position)).order_by("settles_at")
    return [(row.status, row.payment) for row in rows]


def told() -> list[str]:
    events = Event.objects.filter(kind__startswith="funding.").order_by("id")
    return list(events.values_list("kind", flat=True))


def settle(desk: LedgerDesk) -> None:
    desk.store_settled(since=START)
    desk.book_funding()


def test_each_hour_is_paid_once_and_the_first_for_the_part_that_was_held(desk: LedgerDesk) -> None:
    position = desk.open_position()
    desk.pass_time(hours=2, minutes=5)
    settle(desk)
    desk.pass_time(minutes=4)
    settle(desk)

    # 59.5 minutes of the first hour, and the second.
    assert [payment for _, payment in booked(desk)] == [D("5.95"), D(6)]
    assert booked(desk) == desk.paid(KRAKEN)
    assert expected(position) == [(Status.MATCHED, D("5.95")), (Status.MATCHED, D(6))]
    assert told() == []


def test_a_change_within_the_hour_is_paid_at_once_and_the_hour_is_their_sum(
    desk: LedgerDesk,
) -> None:
    position = desk.open_position()
    desk.pass_time(minutes=30)
    desk.fill(leg_of(position), "0.2")
    desk.book_funding()
    assert [payment for _, payment in booked(desk)] == [D(3)]
    # Nothing is amiss with a payment whose hour is not over.
    desk.pass_time(minutes=10)
    desk.book_funding()
    assert told() == []

    desk.pass_time(minutes=21)
    settle(desk)
    desk.pass_time(minutes=4)
    settle(desk)

    # 30 minutes of 0.1, then 29.5 minutes of 0.3.
    assert [payment for _, payment in booked(desk)] == [D(3), D("8.85")]
    assert booked(desk) == desk.paid(KRAKEN)
    assert expected(position) == [(Status.MATCHED, D("11.85"))]
    assert told() == []


def test_what_was_earned_until_the_end_is_paid_by_the_closing_fill(desk: LedgerDesk) -> None:
    position = desk.open_position()
    desk.pass_time(minutes=20)
    desk.end(position)
    desk.pass_time(seconds=30)
    desk.book_funding()

    event = FundingEvent.objects.get(account=desk.accounts[KRAKEN])
    assert (event.leg, event.payment) == (leg_of(position), D(2))
    desk.pass_time(minutes=45)
    settle(desk)
    desk.pass_time(minutes=4)
    settle(desk)

    assert expected(position) == [(Status.MATCHED, D(2))]
    assert told() == []


def test_two_positions_in_one_hour_are_each_paid_their_part(desk: LedgerDesk) -> None:
    first = desk.open_position()
    desk.pass_time(minutes=20)
    desk.end(first)
    second = desk.open_position("0.2")
    desk.pass_time(minutes=40)
    settle(desk)
    desk.pass_time(minutes=4)
    settle(desk)

    # 20 minutes of 0.1, then 39.5 minutes of 0.2.
    assert [payment for _, payment in booked(desk)] == [D(2), D("7.9")]
    assert expected(first) == [(Status.MATCHED, D(2))]
    assert expected(second) == [(Status.MATCHED, D("7.9"))]
    assert told() == []


def test_an_hour_that_is_not_paid_is_missing(desk: LedgerDesk) -> None:
    position = desk.open_position()
    desk.pass_time(hours=1)
    ledger = desk.world.simulator.ledger
    ledger.funding[:] = [row for row in ledger.funding if row.venue != KRAKEN]
    desk.pass_time(minutes=4)
    settle(desk)

    assert expected(position) == [(Status.MISSING, D("5.95"))]
    assert told() == ["funding.missing"]


@pytest.mark.parametrize(
    ("paid", "status"), [("5", Status.DEVIATING), ("-5.95", Status.WRONG_SIGN)]
)
def test_an_hour_that_is_paid_otherwise_is_booked_as_paid_and_told(
    desk: LedgerDesk, paid: str, status: str
) -> None:
    position = desk.open_position()
    desk.pass_time(hours=1)
    ledger = desk.world.simulator.ledger
    ledger.funding[:] = [
        replace(row, payment=D(paid)) if row.venue == KRAKEN else row for row in ledger.funding
    ]
    desk.pass_time(minutes=4)
    settle(desk)

    assert booked(desk) == desk.paid(KRAKEN)
    assert [one for one, _ in expected(position)] == [status]
    assert len(told()) == 1


def test_a_moment_that_earned_less_than_a_cent_is_not_missed(desk: LedgerDesk) -> None:
    desk.world.at = START.replace(minute=59, second=59)
    position = desk.open_position()
    ledger = desk.world.simulator.ledger
    desk.pass_time(seconds=1)
    ledger.funding[:] = [row for row in ledger.funding if row.venue != KRAKEN]
    desk.pass_time(minutes=4)
    settle(desk)

    # A second of 6 dollars an hour.
    assert [status for status, _ in expected(position)] == [Status.NOT_COUNTED]
    assert told() == []


def accept_foreign(desk: LedgerDesk, quantity: str) -> None:
    """Write that a person has accepted a quantity at Kraken as not ours."""
    instrument = desk.instruments[KRAKEN]
    Discrepancy.objects.create(
        user=desk.user,
        account=desk.accounts[KRAKEN],
        symbol=instrument.symbol,
        instrument=instrument,
        kind="foreign",
        ours=D(0),
        theirs=D(quantity),
        ignored_base=D(quantity),
        found_at=desk.now,
        last_seen_at=desk.now,
        confirmed_at=desk.now,
        resolved_at=desk.now,
    )


def test_what_was_earned_before_our_first_fill_is_not_ours(desk: LedgerDesk) -> None:
    """0.3 are another's; our first fill pays what they have earned, 18 dollars an hour."""
    desk.world.place(KRAKEN, Side.SELL, "0.3")
    accept_foreign(desk, "-0.3")
    desk.pass_time(minutes=20)
    position = desk.open_position()
    assert [payment for _, payment in desk.paid(KRAKEN)] == [D(6)]
    desk.pass_time(minutes=41)
    settle(desk)
    desk.pass_time(minutes=4)
    settle(desk)

    # 39.5 minutes of 0.1.
    assert [payment for _, payment in booked(desk)] == [D("3.95")]
    assert expected(position) == [(Status.MATCHED, D("3.95"))]
    assert told() == ["funding.foreign"]


def test_what_the_last_fill_pays_is_ours_by_the_part_that_was_held_before(
    desk: LedgerDesk,
) -> None:
    desk.world.place(KRAKEN, Side.SELL, "0.3")
    accept_foreign(desk, "-0.3")
    position = desk.open_position()
    desk.pass_time(minutes=20)
    desk.end(position)
    desk.pass_time(seconds=30)
    desk.book_funding()

    # 20 minutes of 0.4 are 8 dollars.
    assert [payment for _, payment in booked(desk)] == [D(2)]
