"""Funding on paper where it is owed all along: a part of an hour earns a part of its rate."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from exchanges.domain import Side
from exchanges.paper.rows import PaperFunding
from tests.paper_desk import START, AccruingDesk, order

pytestmark = [pytest.mark.db, pytest.mark.django_db]

D = Decimal
HOUR = timedelta(hours=1)


@pytest.fixture
def desk() -> AccruingDesk:
    return AccruingDesk()


def payments() -> list[tuple[Decimal, Decimal]]:
    return [(row.position_base, row.payment) for row in PaperFunding.objects.order_by("pk")]


def test_what_was_held_for_a_quarter_of_an_hour_earns_a_quarter(desk: AccruingDesk) -> None:
    desk.wait(minutes=20)
    desk.place(order(Side.SELL, "0.4"))
    desk.wait(minutes=15)
    desk.place(order(Side.BUY, "0.4"))
    desk.wait(minutes=25)
    desk.settle("0.001", price="60000")

    desk.pass_time(seconds=3)
    desk.pass_time(seconds=1)

    # -(-0.4 x 15 / 60) x 60,000 x 0.001, at the fill that ended it
    assert payments() == [(D("-0.1"), D(6))]
    assert PaperFunding.objects.get().settled_at == START + timedelta(minutes=35)


def test_a_position_that_grows_earns_by_what_it_was_and_for_how_long(desk: AccruingDesk) -> None:
    desk.place(order(Side.BUY, "0.1"))
    desk.wait(minutes=30)
    desk.place(order(Side.BUY, "0.3"))
    desk.wait(minutes=30)
    desk.settle("0.001", price="60000")
    # Half of it is sold in the next hour, before the venue's history tells of this one.
    desk.wait(minutes=6)
    desk.place(order(Side.SELL, "0.2"))
    desk.pass_time(seconds=3)
    desk.wait(minutes=54, seconds=-3)
    desk.settle("0.002", price="50000")

    desk.pass_time(seconds=3)

    # 0.1 and 0.4 for half an hour each; then 0.4 for six minutes and 0.2 for fifty-four.
    assert payments() == [(D("0.25"), D(-15)), (D("0.22"), D(-22))]


def test_two_positions_of_one_hour_are_each_paid_at_their_end(desk: AccruingDesk) -> None:
    for side, minutes in ((Side.SELL, 10), (Side.BUY, 20), (Side.BUY, 30)):
        desk.place(order(side, "0.6"))
        desk.wait(minutes=minutes)
    desk.settle("0.0006", price="60000")

    desk.pass_time(seconds=3)

    # Short for ten minutes, long for the last thirty: of 0.6 x 60,000 x 0.0006 dollars.
    assert payments() == [(D("-0.1"), D("3.6")), (D("0.3"), D("-10.8"))]
    assert [row.settled_at.minute for row in PaperFunding.objects.order_by("pk")] == [10, 0]


def test_a_fill_that_turns_a_position_round_parts_what_both_sides_earned(
    desk: AccruingDesk,
) -> None:
    desk.place(order(Side.BUY, "0.6"))
    desk.wait(minutes=20)
    desk.place(order(Side.SELL, "1.2"))
    desk.wait(minutes=40)
    desk.settle("0.001", price="60000")

    desk.pass_time(seconds=3)

    assert payments() == [(D("0.2"), D(-12)), (D("-0.4"), D(24))]


def test_an_hour_before_the_position_earns_nothing(desk: AccruingDesk) -> None:
    desk.settle("0.001", price="60000")
    desk.wait(minutes=1)
    desk.place(order(Side.SELL, "0.5"))

    desk.pass_time(seconds=10)

    assert payments() == []
