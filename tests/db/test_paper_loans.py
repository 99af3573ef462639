"""Coins that a paper account sells without holding them, against numbers worked by hand."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from exchanges.assumed_loans import lends
from exchanges.domain import FillCause, Side
from exchanges.errors import InsufficientMargin, InvalidOrder, OrderRejected
from exchanges.matching import MarginState
from exchanges.modes import Mode
from exchanges.paper.margin import margin_state
from exchanges.paper.margin_rows import PaperInterest, PaperLoan
from exchanges.paper.rows import PaperFill, PaperOrder
from exchanges.paper.terms import Terms
from exchanges.venues import PROFILES
from tests.paper_desk import COIN, PERPETUAL, START, D, PaperDesk, order, resting

pytestmark = [pytest.mark.db, pytest.mark.django_db]

RATE = D("0.000004")


@pytest.fixture
def desk() -> PaperDesk:
    return lending()


def lending(**assumptions: Any) -> PaperDesk:
    desk = PaperDesk(spot_taker_fee=D("0.001"), taker_fee=D(0), **assumptions)
    desk.borrow_rate = RATE
    return desk


def sell(desk: PaperDesk, quantity: str = "0.1") -> PaperOrder:
    return desk.place(order(Side.SELL, quantity, symbol=COIN, may_borrow=True))


def coins(desk: PaperDesk) -> Decimal:
    return desk.ledger().balance("BTC")


def state(desk: PaperDesk) -> MarginState:
    return margin_state(desk.ledger(), "USDT", desk.facts(), desk.terms())


def charges() -> list[tuple[timedelta, Decimal, Decimal]]:
    rows = PaperInterest.objects.order_by("charged_at")
    return [(row.charged_at - START, row.borrowed, row.amount) for row in rows]


class TestSelling:
    def test_what_is_sold_on_loan_is_owed_and_counts_against_the_wallet(
        self, desk: PaperDesk
    ) -> None:
        sell(desk)

        # 0.1 x 60,000 less 0.001 of it
        assert (coins(desk), desk.ledger().balance("USDT")) == (D("-0.1"), D(105_994))
        behind = state(desk)
        assert (behind.equity, behind.initial_margin) == (D(99_994), D(600))
        assert (behind.maintenance_margin, behind.available) == (D(240), D(99_394))

    def test_coins_that_are_held_are_sold_first(self, desk: PaperDesk) -> None:
        desk.place(order(Side.BUY, "0.101", symbol=COIN))

        sell(desk)

        # 0.101 less 0.001 of it was held.
        assert coins(desk) == D("0.000899")
        assert not PaperLoan.objects.exists()

    def test_where_no_rate_is_told_or_assumed_nothing_is_borrowed(self, desk: PaperDesk) -> None:
        desk.borrow_rate = None

        with pytest.raises(
            OrderRejected, match="borrowing BTC costs is not told here: assume a bor"
        ):
            sell(desk)

    def test_more_than_the_venue_lends_is_refused_with_what_is_owed_already(
        self, desk: PaperDesk
    ) -> None:
        desk.bids = {"60000": "100"}
        desk.ledger().credit("USDT", D(10_000_000))
        sell(desk, "6")

        with pytest.raises(OrderRejected, match="borrowing 11 BTC is above the 10 that are lent"):
            sell(desk, "5")

    def test_what_works_already_is_counted_as_owed(self, desk: PaperDesk) -> None:
        desk.ledger().credit("USDT", D(10_000_000))
        desk.place(resting(Side.SELL, "6", "60010", symbol=COIN, may_borrow=True))

        with pytest.raises(OrderRejected, match="borrowing 11 BTC"):
            sell(desk, "5")

    def test_a_tenth_of_the_loan_must_be_free(self) -> None:
        desk = lending(starting_balance=D(1_000))

        with pytest.raises(InsufficientMargin, match="1200 USDT needed, 1000 available"):
            sell(desk, "0.2")

    def test_what_works_on_loan_needs_its_tenth_too(self) -> None:
        desk = lending(starting_balance=D(1_000))
        desk.place(resting(Side.SELL, "0.1", "60010", symbol=COIN, may_borrow=True))

        with pytest.raises(InsufficientMargin, match="1200 USDT needed, 1000 available"):
            sell(desk, "0.1")

    def test_paper_borrows_where_spot_is_lent_by_the_hour_and_nowhere_else(
        self, desk: PaperDesk
    ) -> None:
        lending_ones = [name for name, one in PROFILES.items() if Terms(desk.paper, one).lends]

        assert sorted(lending_ones) == ["binance", "bybit", "okx"]

    def test_with_real_money_nothing_is_borrowed_but_at_bybit(self) -> None:
        real = [mode for mode in Mode if mode is not Mode.PAPER]

        assert {name for name in PROFILES if any(lends(name, mode) for mode in real)} == {"bybit"}

    def test_where_nothing_is_lent_the_sentence_is_that_of_a_real_account(
        self, desk: PaperDesk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(desk, "venue", "kraken")

        with pytest.raises(InvalidOrder, match="BTC cannot be borrowed here to sell it"):
            sell(desk)


class TestInterest:
    def test_each_hour_is_charged_once_five_minutes_later_and_owed_besides(
        self, desk: PaperDesk
    ) -> None:
        sell(desk)

        desk.pass_time(minutes=4, seconds=59)
        assert charges() == []
        desk.pass_time(seconds=1)
        desk.pass_time()
        desk.pass_time(hours=1)

        # 0.1 x 0.000004, then 0.1000004 x 0.000004 to twelve decimals
        assert charges() == [
            (timedelta(minutes=5), D("0.1"), D("0.0000004")),
            (timedelta(hours=1, minutes=5), D("0.1000004"), D("0.000000400002")),
        ]
        assert coins(desk) == D("-0.100000800002")

    def test_hours_that_nobody_saw_are_charged_later_at_the_rate_seen_nearest(
        self, desk: PaperDesk
    ) -> None:
        sell(desk)
        desk.borrow_rate = D("0.00001")

        desk.pass_time(hours=3)

        # 12:05 and 13:05 are nearer to 12:00, 14:05 is nearer to 15:00.
        rates = [row.hourly_rate for row in PaperInterest.objects.order_by("charged_at")]
        assert rates == [RATE, RATE, D("0.00001")]

    def test_the_assumed_rate_counts_where_the_venue_tells_none(self) -> None:
        desk = lending(borrow_rate=D("0.00002"))
        desk.borrow_rate = None
        sell(desk)

        desk.pass_time(minutes=5)

        assert charges() == [(timedelta(minutes=5), D("0.1"), D("0.000002"))]

    def test_a_rate_of_the_coin_itself_comes_before_that_of_all_others(self) -> None:
        # 8.76 % a year of 8,760 hours.
        desk = lending(borrow_rate=D("0.00002"), borrow_rates=[["BTC", "0.0876", "year"]])
        desk.borrow_rate = None
        sell(desk)

        desk.pass_time(minutes=5)

        assert charges() == [(timedelta(minutes=5), D("0.1"), D("0.000001"))]

    @pytest.mark.parametrize("venue", ["binance", "okx"])
    def test_where_no_port_of_ours_borrows_paper_does_at_an_assumed_rate(
        self, monkeypatch: pytest.MonkeyPatch, venue: str
    ) -> None:
        desk = lending(borrow_rates=[["BTC", "0.00001", "hour"]])
        desk.borrow_rate = None
        monkeypatch.setattr(desk, "venue", venue)
        sell(desk)

        desk.pass_time(minutes=5)

        assert charges() == [(timedelta(minutes=5), D("0.1"), D("0.000001"))]

    def test_a_rate_that_is_told_no_more_is_charged_on(self, desk: PaperDesk) -> None:
        sell(desk)
        desk.borrow_rate = None

        desk.pass_time(minutes=5)

        assert charges() == [(timedelta(minutes=5), D("0.1"), D("0.0000004"))]

    def test_what_was_bought_back_after_the_hour_was_owed_at_it(self, desk: PaperDesk) -> None:
        sell(desk)
        desk.wait(minutes=6)
        # The order comes before anybody has looked at the account since.
        desk.place(order(Side.BUY, "0.101", symbol=COIN))

        desk.pass_time(minutes=1)

        assert charges() == [(timedelta(minutes=5), D("0.1"), D("0.0000004"))]
        # 0.101 less 0.001 of it, less what was owed
        assert coins(desk) == D("0.0008986")
        assert not PaperLoan.objects.exists()
        desk.pass_time(hours=2)
        assert len(charges()) == 1


class TestLiquidation:
    def test_a_small_wallet_buys_back_with_what_the_loan_brought(self) -> None:
        desk = lending(starting_balance=D(1_000))
        sell(desk)
        # 6,994 less 6,000 owed and 600 held are far less than 6,007 that it costs.
        assert state(desk).available == D(394)

        desk.place(order(Side.BUY, "0.101", symbol=COIN))

        assert coins(desk) == D("0.000899")
        with pytest.raises(InsufficientMargin):
            desk.place(order(Side.BUY, "0.1", symbol=COIN))

    def test_a_loan_that_the_wallet_no_longer_carries_is_bought_back(self) -> None:
        desk = lending(starting_balance=D(1_000))
        sell(desk)

        # 6,994 - 0.1 P < 0.04 x 0.1 P from P = 67,250 on
        desk.mark = D(67_250)
        desk.pass_time(seconds=1)
        assert coins(desk) == D("-0.1")
        desk.mark = D(67_251)
        desk.pass_time(seconds=1)

        last = PaperFill.objects.order_by("pk").last()
        assert last is not None
        assert (last.order.cause, last.price) == (FillCause.LIQUIDATION, D(67_251))
        # The fee of 0.001 is money, so that nothing stays owed.
        assert (last.fee, last.fee_asset) == (D("6.7251"), "USDT")
        assert coins(desk) == 0
        assert desk.ledger().balance("USDT") == D(6_994) - D("6725.1") - D("6.7251")

    def test_contracts_are_closed_before_a_loan_is_bought_back(self) -> None:
        desk = lending(starting_balance=D(1_000))
        desk.asks = {"60000": "10"}
        sell(desk, "0.05")
        desk.lever(10)
        desk.place(order(Side.SELL, "0.05"))

        # 3,997 + 0.05 (60,000 - P) - 0.05 P against 0.04 x 0.05 P + 0.005 x 0.05 P: P = 68,430.8.
        desk.mark = D(68_431)
        desk.pass_time(seconds=1)

        # 3,997 - 421.55 - 3,421.55 = 153.9 carries the loan alone: 136.862.
        assert desk.ledger().held() == []
        assert coins(desk) == D("-0.05")
        assert desk.ledger().position(PERPETUAL).base_quantity == 0
