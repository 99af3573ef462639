"""Every payment once, whenever it comes, and a sentence for each that is not as expected."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from arbsite.accounts.models import User
from exchanges.domain import Side
from tests.services.ledger_desk import LedgerDesk
from tests.simulator.nearby import PAIR
from tests.simulator.world import START
from trading.models import Discrepancy, Event, ExpectedFunding, FundingEvent, Position

pytestmark = [pytest.mark.protocol, pytest.mark.django_db]

D = Decimal
Status = ExpectedFunding.Status


@pytest.fixture
def desk(tmp_path: Path, owner: User) -> Generator[LedgerDesk]:
    opened = LedgerDesk(tmp_path, owner)
    yield opened
    opened.close()


def statuses(position: Position) -> list[str]:
    return sorted(
        ExpectedFunding.objects.filter(leg__position=position).values_list("status", flat=True)
    )


def sentences(kind: str) -> list[str]:
    return list(Event.objects.filter(kind=kind).order_by("id").values_list("sentence", flat=True))


def asked(desk: LedgerDesk) -> int:
    """Book what is due and return how many requests that took."""
    ledger = desk.world.simulator.ledger
    before = len(ledger.accesses(after=0, limit=100_000))
    desk.book_funding()
    return len(ledger.accesses(after=0, limit=100_000)) - before


def assert_booked_as_paid(desk: LedgerDesk) -> None:
    for venue in PAIR:
        booked = FundingEvent.objects.filter(account=desk.accounts[venue]).order_by("paid_at")
        assert [(row.venue_payment_id, row.payment) for row in booked] == desk.paid(venue)


def test_back_after_three_settlements_every_payment_is_booked_and_matched(
    desk: LedgerDesk,
) -> None:
    position = desk.open_position()
    desk.book_funding()
    desk.pass_time(hours=3, minutes=10)
    desk.store_settled(since=START)

    assert desk.book_funding() == 6
    assert desk.book_funding() == 0

    assert_booked_as_paid(desk)
    assert statuses(position) == [Status.MATCHED] * 6
    assert not Event.objects.filter(kind__startswith="funding.").exists()


def test_settled_rates_that_come_after_the_payments_are_matched_all_the_same(
    desk: LedgerDesk,
) -> None:
    position = desk.open_position()
    desk.pass_time(hours=2, minutes=1)
    assert desk.book_funding() == 4
    desk.pass_time(minutes=1)
    desk.store_settled(since=START)
    desk.book_funding()

    assert statuses(position) == [Status.MATCHED] * 4
    assert not Event.objects.filter(kind__startswith="funding.").exists()


def test_payments_that_run_ahead_of_the_settled_rates_find_their_leg(
    tmp_path: Path, owner: User
) -> None:
    desk = LedgerDesk(tmp_path, owner, interval_minutes=4)
    desk.store_settled(since=START)
    position = desk.open_position()
    desk.pass_time(minutes=3, seconds=30)
    assert desk.book_funding() == 2
    desk.store_settled(since=START)
    desk.book_funding()

    assert statuses(position) == [Status.MATCHED] * 2
    desk.close()


def test_more_than_a_page_of_payments_is_read_to_the_end(tmp_path: Path, owner: User) -> None:
    desk = LedgerDesk(tmp_path, owner, interval_minutes=4)
    desk.open_position()
    desk.pass_time(hours=15)
    desk.store_settled(since=START)

    # 225 settlements; Bybit tells 100 a page
    assert desk.book_funding() == 450
    assert_booked_as_paid(desk)
    desk.close()


def test_an_ended_position_is_read_until_its_venue_has_told_everything(desk: LedgerDesk) -> None:
    position = desk.open_position()
    desk.pass_time(minutes=70)
    desk.end(position)
    desk.pass_time(days=2)
    desk.store_settled(since=START)

    assert desk.book_funding() == 2
    assert_booked_as_paid(desk)
    assert statuses(position) == [Status.MATCHED] * 2
    desk.pass_time(minutes=20)
    requests = len(desk.world.simulator.ledger.accesses(after=0, limit=10_000))
    desk.book_funding()
    assert len(desk.world.simulator.ledger.accesses(after=0, limit=10_000)) == requests


def test_between_settlements_no_venue_is_asked(desk: LedgerDesk) -> None:
    desk.open_position()
    desk.store_settled(since=START)
    assert asked(desk) == 2  # one at each venue

    desk.pass_time(minutes=2)
    assert asked(desk) == 0
    desk.pass_time(hours=1)
    assert asked(desk) == 2
    desk.pass_time(seconds=10)
    # All of them are booked: the settlement that has passed owes nothing.
    assert asked(desk) == 0
    assert FundingEvent.objects.count() == 2


def test_after_a_settlement_the_venue_is_asked_until_it_has_paid(desk: LedgerDesk) -> None:
    desk.open_position()
    desk.store_settled(since=START)
    desk.pass_time(minutes=59)
    desk.book_funding()
    funding = desk.world.simulator.ledger.funding
    desk.pass_time(minutes=1, seconds=5)
    desk.store_settled(since=START)
    hidden = list(funding)
    funding.clear()
    assert asked(desk) == 2
    desk.pass_time(seconds=10)
    assert asked(desk) == 2
    funding.extend(hidden)
    assert asked(desk) == 2
    assert_booked_as_paid(desk)
    desk.pass_time(seconds=10)
    assert asked(desk) == 0


def test_what_was_paid_last_is_read_soon_after_the_end(tmp_path: Path, owner: User) -> None:
    desk = LedgerDesk(tmp_path, owner, interval_minutes=1)
    desk.store_settled(since=START)
    position = desk.open_position()
    desk.pass_time(seconds=25)
    desk.store_settled(since=START)
    desk.book_funding()
    desk.pass_time(seconds=20)
    desk.end(position)
    desk.pass_time(seconds=60)
    desk.store_settled(since=START)

    # A settlement has passed since, over which nothing was held.
    assert asked(desk) == 2
    assert_booked_as_paid(desk)
    desk.pass_time(seconds=10)
    assert asked(desk) == 0
    desk.close()


def test_payments_belong_to_the_position_that_held_when_the_settlement_passed(
    desk: LedgerDesk,
) -> None:
    first = desk.open_position()
    desk.pass_time(minutes=70)
    desk.end(first)
    desk.pass_time(minutes=10)
    second = desk.open_position("0.2")
    desk.pass_time(hours=1)
    desk.store_settled(since=START)

    assert desk.book_funding() == 4
    assert_booked_as_paid(desk)
    for position, settlement in ((first, START.replace(hour=13)), (second, START.replace(hour=14))):
        paid_at = {event.paid_at.replace(second=0) for event in position.funding_events.all()}
        assert paid_at == {settlement.replace(second=0)}


def test_a_payment_that_stays_away_is_missing_and_says_how_late_it_came(desk: LedgerDesk) -> None:
    position = desk.open_position()
    desk.book_funding()
    funding = desk.world.simulator.ledger.funding
    desk.pass_time(hours=1)
    hidden = [row for row in funding if row.venue == "bybit"]
    for row in hidden:
        funding.remove(row)
    desk.store_settled(since=START)
    desk.book_funding()
    assert not sentences("funding.missing")
    desk.pass_time(minutes=5)
    desk.book_funding()
    desk.book_funding()
    [missing] = sentences("funding.missing")
    assert "BYB paid no funding for the settlement of 2026-01-05 13:00:00 UTC" in missing
    assert "was expected: short 0.1 at " in missing

    funding.extend(hidden)
    desk.pass_time(minutes=40)
    desk.book_funding()

    [late] = sentences("funding.late")
    assert "13:00:00 UTC, 0 h 45 min late" in late
    assert statuses(position) == [Status.LATE, Status.MATCHED]
    assert_booked_as_paid(desk)


def test_a_venue_that_cannot_be_read_owes_nothing_yet(desk: LedgerDesk) -> None:
    position = desk.open_position()
    desk.book_funding()
    desk.world.venues.faults.add({"venue": "bybit", "action": "drop_before_accept", "count": 100})
    desk.pass_time(hours=1, minutes=20)
    desk.book_funding()
    assert not sentences("funding.missing")
    desk.world.venues.faults.clear()
    desk.store_settled(since=START)
    desk.book_funding()
    assert statuses(position) == [Status.MATCHED] * 2


@pytest.mark.parametrize(
    ("factor", "kind", "words"),
    [("-1", "funding.wrong_sign", "with the wrong sign"), ("1.5", "funding.off", "(50.0 %)")],
)
def test_what_was_paid_otherwise_is_booked_as_paid_and_told(
    desk: LedgerDesk, factor: str, kind: str, words: str
) -> None:
    desk.world.pin("bybit", funding_rate="0.001")
    desk.open_position()
    desk.book_funding()
    desk.pass_time(hours=1)
    funding = desk.world.simulator.ledger.funding
    [index] = [i for i, row in enumerate(funding) if row.venue == "bybit"]
    funding[index] = replace(funding[index], payment=funding[index].payment * D(factor))
    desk.store_settled(since=START)
    desk.book_funding()

    [told] = sentences(kind)
    assert words in told and "BYB paid" in told and "rate 0.1000 %" in told
    assert_booked_as_paid(desk)


def test_an_interval_that_became_shorter_is_booked_as_paid_and_told_once(desk: LedgerDesk) -> None:
    position = desk.open_position()
    desk.pass_time(hours=1, minutes=1)
    desk.book_funding()
    for minutes in (4, 4):
        desk.pass_time(minutes=minutes)
        desk.book_funding()

    told = sentences("funding.unexpected")
    assert len(told) == 2
    assert "belongs to no settlement that was expected" in told[0]
    assert position.funding_events.count() == 2

    desk.store_settled(since=START)
    desk.book_funding()
    assert statuses(position) == [Status.MATCHED] * 2


def test_a_correction_is_a_second_payment_of_one_settlement(desk: LedgerDesk) -> None:
    position = desk.open_position()
    desk.pass_time(hours=1)
    funding = desk.world.simulator.ledger.funding
    [paid] = [row for row in funding if row.venue == "bybit"]
    funding.append(
        replace(paid, number=99, venue_payment_id="funding-99", payment=-paid.payment / 2)
    )
    desk.store_settled(since=START)
    assert desk.book_funding() == 3
    desk.pass_time(minutes=5)
    desk.book_funding()

    assert len(sentences("funding.unexpected")) == 1
    assert statuses(position) == [Status.MATCHED] * 2
    assert_booked_as_paid(desk)


@pytest.mark.parametrize("seconds_after", [-20, 20])
def test_a_fill_close_to_a_settlement_makes_it_uncertain(
    desk: LedgerDesk, seconds_after: int
) -> None:
    desk.world.at = START.replace(hour=13, second=0) + timedelta(seconds=seconds_after)
    desk.world.simulator.advance(desk.now)
    position = desk.open_position()
    desk.pass_time(minutes=10)
    desk.store_settled(since=START)
    desk.book_funding()

    # opened after it, the venue paid nothing, and that is no fault
    counted = seconds_after < 0
    assert statuses(position) == [Status.MATCHED if counted else Status.NOT_COUNTED] * 2
    assert not sentences("funding.missing")
    assert_booked_as_paid(desk)


def test_funding_of_a_holding_that_is_not_ours_is_told_and_not_booked(desk: LedgerDesk) -> None:
    position = desk.open_position()
    desk.book_funding()
    desk.pass_time(minutes=5)
    desk.end(position)
    desk.world.place("bybit", Side.SELL, "0.3")
    desk.pass_time(hours=1)
    for _ in range(2):
        desk.book_funding()

    assert FundingEvent.objects.count() == 0
    [told] = sentences("funding.foreign")
    assert "belongs to no position of Carry" in told


def test_payment_for_more_than_ours_is_booked_by_the_part_that_is_ours(desk: LedgerDesk) -> None:
    """0.1 is ours and 0.3 another's; what is not ours lapses before the second settlement."""
    position = desk.open_position()
    desk.world.place("bybit", Side.SELL, "0.3")
    instrument = desk.instruments["bybit"]
    foreign = Discrepancy.objects.create(
        user=desk.user,
        account=desk.accounts["bybit"],
        symbol=instrument.symbol,
        instrument=instrument,
        kind="foreign",
        ours=D("-0.1"),
        theirs=D("-0.4"),
        ignored_base=D("-0.3"),
        found_at=desk.now,
        last_seen_at=desk.now,
        confirmed_at=desk.now,
        resolved_at=desk.now,
    )
    desk.pass_time(hours=1)
    desk.world.place("bybit", Side.BUY, "0.3")
    foreign.lapsed_at = desk.now
    foreign.save()
    desk.pass_time(hours=1)
    desk.store_settled(since=START)

    assert desk.book_funding() == 4

    rows = FundingEvent.objects.filter(account=desk.accounts["bybit"]).order_by("paid_at")
    (_, first), (_, second) = desk.paid("bybit")
    assert [row.payment for row in rows] == [first / 4, second]
    assert statuses(position) == [Status.MATCHED] * 4
    assert not sentences("funding.unexpected")
