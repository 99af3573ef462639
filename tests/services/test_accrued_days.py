"""Funding that accrues by the hour and is paid once a day: expected, booked and missed by the day.

Deribit pays at each trade and at 08:00 UTC; its history tells hours.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from arbsite.accounts.models import User
from exchanges.models import SettledFundingRate
from tests.services.ledger_desk import DERIBIT, LedgerDesk
from tests.simulator.world import START
from trading.models import Event, ExpectedFunding, FundingEvent, Leg, Position

pytestmark = [pytest.mark.protocol, pytest.mark.django_db]

D = Decimal
Status = ExpectedFunding.Status


@pytest.fixture
def desk(tmp_path: Path, owner: User) -> Generator[LedgerDesk]:
    """A market that pays 6 dollars an hour for 0.1 bitcoin; it is 12:00:30."""
    opened = LedgerDesk(tmp_path, owner, pair=("binanceusdm", DERIBIT))
    opened.world.pin(DERIBIT, price="60000", funding_rate="0.001")
    yield opened
    opened.close()


def leg_of(position: Position) -> Leg:
    return position.legs.get(instrument__exchange__code=DERIBIT)


def booked(desk: LedgerDesk) -> list[Decimal]:
    rows = FundingEvent.objects.filter(account=desk.accounts[DERIBIT]).order_by("paid_at")
    assert [(row.venue_payment_id, row.payment) for row in rows] == desk.paid(DERIBIT)
    return [row.payment for row in rows]


def expected(position: Position) -> list[tuple[str, Decimal]]:
    rows = ExpectedFunding.objects.filter(leg=leg_of(position)).order_by("settles_at")
    return [(row.status, row.payment) for row in rows]


def told() -> list[str]:
    events = Event.objects.filter(kind__startswith="funding.").order_by("id")
    return list(events.values_list("kind", flat=True))


def settle(desk: LedgerDesk) -> None:
    desk.store_settled(since=START - timedelta(hours=1))
    desk.book_funding()


def to_the_day(desk: LedgerDesk, **more: float) -> None:
    """Let time pass until the next 08:00, with what venues need to tell of it."""
    at = desk.now.replace(hour=8, minute=0, second=0)
    at += timedelta(days=1) if at <= desk.now else timedelta(0)
    desk.pass_time(seconds=(at - desk.now).total_seconds() + 60)
    settle(desk)
    desk.pass_time(minutes=4)
    settle(desk)


def test_a_day_is_paid_once_and_expected_as_the_sum_of_its_hours(desk: LedgerDesk) -> None:
    position = desk.open_position()
    desk.pass_time(hours=3)
    settle(desk)
    assert (booked(desk), expected(position)) == ([], [])
    to_the_day(desk)
    to_the_day(desk)

    # 19 hours and 59.5 minutes, and a whole day.
    assert booked(desk) == [D("119.95"), D(144)]
    assert expected(position) == [(Status.MATCHED, D("119.95")), (Status.MATCHED, D(144))]
    day = ExpectedFunding.objects.filter(leg=leg_of(position)).last()
    assert day is not None
    assert (day.base_quantity, day.settlement_price, day.funding_rate) == (
        D("-0.1"),
        60_000,
        D("0.024"),
    )
    assert told() == []


def test_a_trade_realises_a_part_of_the_day_and_nothing_is_amiss_until_its_end(
    desk: LedgerDesk,
) -> None:
    position = desk.open_position()
    desk.pass_time(hours=2, minutes=30)
    desk.fill(leg_of(position), "0.2")
    settle(desk)
    assert booked(desk) == [D(15)]
    desk.pass_time(hours=12)
    settle(desk)
    assert told() == []
    to_the_day(desk)

    # 0.1 for 2.5 hours, then 0.3 for 17 hours and 29.5 minutes.
    assert booked(desk) == [D(15), D("314.85")]
    assert expected(position) == [(Status.MATCHED, D("329.85"))]
    assert told() == []


def test_what_was_earned_until_the_end_is_paid_by_the_closing_fill(desk: LedgerDesk) -> None:
    position = desk.open_position()
    desk.pass_time(hours=2, minutes=20)
    desk.end(position)
    desk.pass_time(seconds=30)
    settle(desk)
    assert booked(desk) == [D(14)]
    to_the_day(desk)

    assert expected(position) == [(Status.MATCHED, D(14))]
    assert told() == []


def without_payments(desk: LedgerDesk) -> None:
    ledger = desk.world.simulator.ledger
    ledger.funding[:] = [row for row in ledger.funding if row.venue != DERIBIT]


def a_day_held(desk: LedgerDesk) -> Position:
    """Hold until the first 08:00 is paid: the next day is a whole one."""
    position = desk.open_position()
    to_the_day(desk)
    return position


def test_a_whole_day_that_is_not_paid_is_missing(desk: LedgerDesk) -> None:
    position = a_day_held(desk)
    desk.pass_time(hours=23, minutes=56)
    without_payments(desk)
    settle(desk)
    desk.pass_time(minutes=4)
    settle(desk)

    assert expected(position)[-1] == (Status.MISSING, D(144))
    [event] = Event.objects.filter(kind__startswith="funding.")
    assert event.kind == "funding.missing"
    assert "short 0.1 at 60000, rate 2.4000 % for the day" in event.sentence


def test_a_whole_day_that_is_paid_otherwise_is_booked_as_paid_and_told(desk: LedgerDesk) -> None:
    position = a_day_held(desk)
    desk.pass_time(hours=23, minutes=56)
    ledger = desk.world.simulator.ledger
    ledger.funding[-1] = replace(ledger.funding[-1], payment=D(130))
    settle(desk)
    desk.pass_time(minutes=4)
    settle(desk)

    assert booked(desk)[-1] == 130
    assert expected(position)[-1] == (Status.DEVIATING, D(144))
    assert len(told()) == 1


@pytest.mark.parametrize("lacks", ["the hour", "its price"])
def test_a_day_of_which_an_hour_is_not_known_proves_nothing(desk: LedgerDesk, lacks: str) -> None:
    position = a_day_held(desk)
    desk.pass_time(hours=23, minutes=56)
    ledger = desk.world.simulator.ledger
    ledger.funding[-1] = replace(ledger.funding[-1], payment=D(130))
    desk.store_settled(since=START)
    lost = desk.now.replace(hour=3, minute=0, second=0)
    hour = SettledFundingRate.objects.filter(
        instrument=desk.instruments[DERIBIT],
        settled_at__gte=lost,
        settled_at__lt=lost + timedelta(minutes=1),
    )
    if lacks == "the hour":
        hour.delete()
    else:
        hour.update(settlement_price=None)
    desk.book_funding()
    desk.pass_time(minutes=4)
    desk.book_funding()

    assert booked(desk)[-1] == 130
    # Without its price an hour is counted by the last fill, at 59,999.9.
    due = D(138) if lacks == "the hour" else D(144)
    [(status, payment)] = expected(position)[1:]
    assert (status, round(payment)) == (Status.MATCHED, due)
    assert told() == []
