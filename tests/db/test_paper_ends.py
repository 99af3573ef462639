"""What becomes of a paper account when a contract leaves the list, or a price leaves it nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from exchanges.domain import FillCause, Side, VenueOrderStatus
from exchanges.errors import OrderRejected
from exchanges.paper.margin_rows import PaperInterest
from exchanges.paper.rows import PaperFill, PaperFunding, PaperHolding, PaperOrder
from tests.paper_desk import COIN, PERPETUAL, D, PaperDesk, listed, order, resting

pytestmark = [pytest.mark.db, pytest.mark.django_db]


def held(desk: PaperDesk) -> Decimal:
    return desk.ledger().position(PERPETUAL).base_quantity


def usdt(desk: PaperDesk) -> Decimal:
    return desk.ledger().balance("USDT")


class TestLeavingTheList:
    @pytest.fixture
    def desk(self) -> PaperDesk:
        """0.1 bought at 60,001 and an order that rests; the mark seen last is 61,000."""
        desk = PaperDesk(taker_fee=D(0))
        desk.place(order(Side.BUY, "0.1"))
        desk.place(resting(Side.BUY, "0.1", "50000"))
        desk.mark = D(61_000)
        desk.pass_time(minutes=1)
        return desk

    def test_it_is_settled_at_the_mark_seen_last_once_it_is_gone_for_three_hours(
        self, desk: PaperDesk
    ) -> None:
        del desk.instruments[PERPETUAL]
        desk.pass_time(minutes=1)
        desk.pass_time(hours=2, minutes=59)
        assert held(desk) == D("0.1")

        desk.pass_time(minutes=1)

        assert held(desk) == 0
        settled = PaperFill.objects.select_related("order").latest("pk")
        assert (settled.order.cause, settled.price, settled.fee) == (
            FillCause.SETTLEMENT,
            D(61_000),
            0,
        )
        # 0.1 of 61,000 less 60,001.
        assert usdt(desk) == D("100099.9")
        waiting = PaperOrder.objects.get(price=D(50_000))
        assert waiting.status == VenueOrderStatus.CANCELED

    def test_one_that_is_named_again_was_never_gone(self, desk: PaperDesk) -> None:
        told = desk.instruments.pop(PERPETUAL)
        desk.pass_time(hours=2)
        desk.instruments[PERPETUAL] = told
        desk.pass_time(hours=2)
        del desk.instruments[PERPETUAL]

        desk.pass_time(hours=2)

        assert held(desk) == D("0.1")

    def test_an_end_that_was_announced_is_its_end(self, desk: PaperDesk) -> None:
        ends = desk.now + timedelta(minutes=30)
        desk.instruments[PERPETUAL] = replace(desk.instruments[PERPETUAL], expires_at=ends)
        desk.pass_time(minutes=31)
        assert held(desk) == D("0.1")

        desk.unlisted = frozenset({PERPETUAL})
        desk.pass_time(minutes=1)

        assert held(desk) == 0

    def test_a_mark_that_is_missing_ends_nothing(self, desk: PaperDesk) -> None:
        desk.unmarked = frozenset({PERPETUAL})

        desk.pass_time(hours=9)

        assert held(desk) == D("0.1")
        assert PaperHolding.objects.get().mark_price == D(61_000)


class TestBelowNothing:
    @pytest.mark.parametrize(("side", "mark"), [(Side.BUY, "40000"), (Side.SELL, "80000")])
    def test_a_wallet_loses_no_more_than_it_has(self, side: Side, mark: str) -> None:
        desk = PaperDesk(starting_balance=D(1_000), taker_fee=D("0.0005"))
        desk.lever(10)
        desk.place(order(side, "0.1"))

        # 2,000 are lost at once.
        desk.mark = D(mark)
        desk.pass_time(seconds=5)

        assert held(desk) == 0
        # What is left of a tick.
        assert 0 <= usdt(desk) <= D("0.1") * D("0.1")
        assert PaperOrder.objects.latest("pk").cause == FillCause.LIQUIDATION

    def test_a_wallet_that_still_has_something_is_closed_at_the_mark(self) -> None:
        desk = PaperDesk(starting_balance=D(1_000), taker_fee=D(0))
        desk.lever(10)
        desk.place(order(Side.BUY, "0.1"))

        # 980 of 1,000 are lost, and 251 must stay.
        desk.mark = D(50_201)
        desk.pass_time(seconds=5)

        assert (held(desk), usdt(desk)) == (0, D(20))

    def test_a_loan_is_bought_back_for_no_more_than_there_is(self) -> None:
        desk = PaperDesk(starting_balance=D(1_000), spot_taker_fee=D("0.001"))
        desk.borrow_rate = D("0.000004")
        desk.place(order(Side.SELL, "0.1", symbol=COIN, may_borrow=True))

        desk.mark = D(90_000)
        desk.pass_time(seconds=5)

        assert desk.ledger().balance("BTC") == 0
        assert 0 <= usdt(desk) <= D("0.02")


ACTIONS = st.sampled_from(
    ["buy", "sell", "rest", "lend", "repay", "settle", "rise", "fall", "wait", "pass", "gone"]
)


class TestAddingUp(TestCase):
    """All that a paper account's rows tell is all that its wallet moved by."""

    @settings(max_examples=8, deadline=None)
    @given(st.lists(st.tuples(ACTIONS, st.integers(1, 9)), min_size=3, max_size=14))
    def test_the_rows_are_the_wallet(self, story: list[tuple[str, int]]) -> None:
        desk = PaperDesk(
            starting_balance=D(3_000), taker_fee=D("0.0005"), spot_taker_fee=D("0.001")
        )
        desk.borrow_rate = D("0.00001")
        desk.lever(20)
        for action, size in story:
            try:
                act(desk, action, size)
            except OrderRejected:
                continue
            assert_it_adds_up(desk)


def act(desk: PaperDesk, action: str, size: int) -> None:
    quantity, moved = str(D(size) / 50), D(1) + D(size) / 100
    match action:
        case "buy" | "sell":
            desk.place(order(Side(action), quantity))
        case "rest":
            desk.place(resting(Side.SELL, quantity, "60005"))
        case "lend":
            desk.place(order(Side.SELL, quantity, symbol=COIN, may_borrow=True))
        case "repay":
            desk.place(order(Side.BUY, quantity, symbol=COIN))
        case "settle":
            desk.wait(hours=1)
            desk.settle(f"-0.000{size}")
        case "rise" | "fall":
            factor = moved if action == "rise" else 1 / moved
            desk.mark = (desk.mark * factor).quantize(D("0.1"))
        case "wait":
            desk.wait(minutes=7 * size)
        case "gone":
            desk.instruments.pop(PERPETUAL, None)
            desk.pass_time(hours=1)
            desk.pass_time(hours=3)
            desk.instruments[PERPETUAL] = listed()
        case _:
            desk.asks = {str(60_001 + size): "10"}
            desk.pass_time(seconds=size)
            desk.pass_time()


def assert_it_adds_up(desk: PaperDesk) -> None:
    money, coins, contract = D(3_000), D(0), D(0)
    for fill in PaperFill.objects.all():
        money -= fill.signed * fill.price
        money -= fill.fee if fill.fee_asset == "USDT" else 0
        coins -= fill.fee if fill.fee_asset == "BTC" else 0
        if fill.symbol == COIN:
            coins += fill.signed
        else:
            contract += fill.signed
    money += sum((row.payment for row in PaperFunding.objects.all()), D(0))
    coins -= sum((row.amount for row in PaperInterest.objects.all()), D(0))
    row = PaperHolding.objects.filter(symbol=PERPETUAL).first()
    opened = D(0) if row is None else row.cost
    assert held(desk) == contract
    assert abs(usdt(desk) - money - opened) < D("1e-12")
    assert desk.ledger().balance("BTC") == coins
