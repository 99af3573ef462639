"""Funding on paper where the rate moves within its hour: each part earns what was owed in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from exchanges.domain import SettledFunding, Side, Symbol
from exchanges.paper.facts import Facts, Span
from exchanges.paper.funding import parted
from exchanges.paper.rows import PaperBalance, PaperFunding, PaperHolding
from tests.paper_desk import COIN, PERPETUAL, START, AccruingDesk, order

pytestmark = [pytest.mark.db, pytest.mark.django_db]

D = Decimal
HOUR = timedelta(hours=1)


class MovingDesk(AccruingDesk):
    """Its venue tells of an hour what was owed in it, and of its parts once a test lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.owed: dict[SettledFunding, Mapping[Span, Decimal]] = {}

    def facts(self, *, books: Sequence[Symbol] = (PERPETUAL, COIN)) -> Facts:
        return replace(super().facts(books=books), owed=self.owed)

    def tell(self, rates: Mapping[tuple[float, float], str], *, hour: int = 0) -> None:
        """Tell what was owed between minutes of an hour that is over."""
        settled = self.settlements[hour]
        began = settled.settled_at - HOUR
        self.owed[settled] = {
            Span(began + timedelta(minutes=one), began + timedelta(minutes=end)): D(rate)
            for (one, end), rate in rates.items()
        }

    def asked(self) -> list[tuple[datetime, list[tuple[float, float]]]]:
        """Return of which hours the parts are asked for, in minutes."""
        found = []
        for settled, spans in parted(self.ledger(), self.facts()):
            began, minute = settled.settled_at - HOUR, timedelta(minutes=1)
            found.append(
                (began, [((one - began) / minute, (end - began) / minute) for one, end in spans])
            )
        return found


@pytest.fixture
def desk() -> MovingDesk:
    return MovingDesk()


def payments() -> list[tuple[datetime, Decimal]]:
    return [(row.settled_at, row.payment) for row in PaperFunding.objects.order_by("settled_at")]


def minutes(number: float) -> datetime:
    return START + timedelta(minutes=number)


def test_a_part_of_an_hour_earns_what_was_owed_in_it_and_not_by_its_length(
    desk: MovingDesk,
) -> None:
    desk.wait(minutes=20)
    desk.place(order(Side.SELL, "0.4"))
    desk.wait(minutes=15)
    desk.place(order(Side.BUY, "0.4"))
    desk.wait(minutes=25)
    desk.settle("0.001", price="60000")
    assert desk.asked() == [(START, [(0, 20), (20, 35), (35, 60)])]
    desk.tell({(0, 20): "0.0001", (20, 35): "0.0008", (35, 60): "0.0001"})

    desk.pass_time(seconds=3)
    desk.pass_time(seconds=1)

    # 0.4 x 60,000 x 0.0008; a quarter of the hour's 24 dollars were 6.
    assert payments() == [(minutes(35), D("19.2"))]
    row = PaperFunding.objects.get()
    # As Kraken's rows: the mean of the hour at the rate of an hour that pays as much.
    assert (row.position_base, row.funding_rate) == (D("-0.1"), D("0.0032"))
    assert desk.asked() == []


def test_each_quantity_of_an_hour_earns_at_the_rate_of_its_own_time(desk: MovingDesk) -> None:
    for quantity, passes in (("0.1", 30), ("0.3", 30)):
        desk.place(order(Side.BUY, quantity))
        desk.wait(minutes=passes)
    desk.settle("0.001", price="60000")
    desk.tell({(0, 30): "0.0012", (30, 60): "-0.0002"})

    desk.pass_time(seconds=3)

    # -(0.1 x 0.0012 - 0.4 x 0.0002) x 60,000
    assert payments() == [(minutes(60), D("-2.4"))]


def test_both_sides_of_a_turn_are_paid_apart(desk: MovingDesk) -> None:
    desk.place(order(Side.BUY, "0.6"))
    desk.wait(minutes=20)
    desk.place(order(Side.SELL, "1.2"))
    desk.wait(minutes=40)
    desk.settle("0.001", price="60000")
    desk.tell({(0, 20): "0.0007", (20, 60): "0.0003"})

    desk.pass_time(seconds=3)

    assert payments() == [(minutes(20), D("-25.2")), (minutes(60), D("10.8"))]


def test_an_hour_in_which_nothing_changed_earns_its_rate_and_needs_no_question(
    desk: MovingDesk,
) -> None:
    desk.wait(minutes=-1)
    desk.place(order(Side.BUY, "0.1"))
    desk.wait(minutes=61)
    desk.settle("0.001", price="60000")

    assert desk.asked() == []
    desk.pass_time(seconds=3)

    assert payments() == [(minutes(60), D(-6))]


def test_fills_of_one_moment_and_of_one_millisecond_part_nothing(desk: MovingDesk) -> None:
    desk.place(order(Side.BUY, "0.2"))
    desk.wait(minutes=30)
    # Two executions of one order, and a third within the same millisecond.
    desk.asks = {"60001": "0.1", "60010": "10"}
    desk.place(order(Side.BUY, "0.2"))
    desk.wait(microseconds=400)
    desk.place(order(Side.SELL, "0.1"))
    desk.wait(minutes=30, microseconds=-400)
    desk.settle("0.001", price="60000")

    assert desk.asked() == [(START, [(0, 30), (30, 60)])]
    desk.tell({(0, 30): "0.0004", (30, 60): "0.0006"})
    desk.pass_time(seconds=3)

    # -(0.2 x 0.0004 + 0.3 x 0.0006) x 60,000
    assert payments() == [(minutes(60), D("-15.6"))]


def test_what_is_not_told_is_not_guessed_and_booked_once_it_is(desk: MovingDesk) -> None:
    desk.wait(minutes=30)
    desk.place(order(Side.SELL, "0.1"))
    desk.wait(minutes=30)
    desk.settle("0.001", price="60000")
    desk.pass_time(seconds=3)
    assert payments() == []
    assert PaperHolding.objects.get().settled_until == minutes(30)
    # The hours after it are whole, and are paid.
    desk.wait(hours=1, seconds=-3)
    desk.settle("0.002", price="60000")
    desk.pass_time(seconds=3)
    assert payments() == [(minutes(120), D(12))]
    desk.pass_time(seconds=3)

    desk.tell({(0, 30): "0.0001", (30, 60): "0.0009"})
    desk.pass_time(seconds=3)
    desk.pass_time(seconds=3)

    assert payments() == [(minutes(60), D("5.4")), (minutes(120), D(12))]
    assert PaperHolding.objects.get().settled_until == minutes(120)
    fee = D("0.1") * 60_000 * desk.terms().fees(desk.instruments[PERPETUAL]).taker
    assert PaperBalance.objects.get(asset="USDT").total == 100_000 - fee + D("17.4")


def test_an_answer_to_a_span_that_a_late_fill_has_parted_since_pays_nothing(
    desk: MovingDesk,
) -> None:
    desk.wait(minutes=30)
    desk.place(order(Side.SELL, "0.1"))
    desk.wait(minutes=29, seconds=59)
    desk.place(order(Side.SELL, "0.1"))
    desk.wait(seconds=1)
    desk.settle("0.001", price="60000")
    # Asked before the last fill was written.
    desk.tell({(0, 30): "0.0001", (30, 60): "0.0009"})

    desk.pass_time(seconds=3)

    assert payments() == []


def test_what_was_not_paid_stays_due_when_the_position_is_long_flat(desk: MovingDesk) -> None:
    desk.wait(minutes=30)
    desk.place(order(Side.SELL, "0.1"))
    desk.wait(minutes=15)
    desk.place(order(Side.BUY, "0.1"))
    desk.wait(minutes=15)
    desk.settle("0.001", price="60000")
    desk.wait(hours=20)
    # The next position forgets nothing of the last.
    desk.place(order(Side.SELL, "0.1"))
    assert desk.asked() == [(START, [(0, 30), (30, 45), (45, 60)])]
    desk.tell({(0, 30): "0", (30, 45): "0.001", (45, 60): "0"})

    desk.pass_time(seconds=3)

    assert payments() == [(minutes(45), D(6))]
