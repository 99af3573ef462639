"""A paper account's money, row by row, against numbers worked by hand."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from exchanges.domain import FillCause, Side, VenueOrderStatus
from exchanges.errors import (
    InsufficientMargin,
    NothingToReduce,
    OrderRejected,
    PostOnlyWouldTake,
)
from exchanges.matching import MarginState
from exchanges.paper.ledger import IMPACT_LASTS
from exchanges.paper.margin import liquidation_price, margin_state
from exchanges.paper.rows import PaperFill, PaperFunding, PaperHolding, PaperOrder
from tests.paper_desk import COIN, PERPETUAL, START, D, PaperDesk, listed, order, resting

pytestmark = [pytest.mark.db, pytest.mark.django_db]


@pytest.fixture
def desk() -> PaperDesk:
    return PaperDesk(taker_fee=D("0.0005"), maker_fee=D("0.0001"))


def fills() -> list[tuple[Decimal, Decimal, Decimal]]:
    rows = PaperFill.objects.order_by("pk")
    return [(row.price, row.base_quantity, row.fee) for row in rows]


def state(desk: PaperDesk) -> MarginState:
    return margin_state(desk.ledger(), "USDT", desk.facts(), desk.terms())


class TestTaking:
    def test_a_market_order_walks_the_book_and_pays_the_taker_fee_of_each_fill(
        self, desk: PaperDesk
    ) -> None:
        desk.asks = {"60001": "0.4", "60002": "0.6"}

        placed = desk.place(order(Side.BUY, "0.5"))

        # 0.4 x 60,001 x 0.0005 = 12.0002; 0.1 x 60,002 x 0.0005 = 3.0001
        assert fills() == [
            (D(60001), D("0.4"), D("12.0002")),
            (D(60002), D("0.1"), D("3.0001")),
        ]
        assert placed.status == VenueOrderStatus.FILLED
        assert desk.ledger().balance("USDT") == D(100_000) - D("15.0003")
        # 0.4 x 60,001 + 0.1 x 60,002
        assert desk.ledger().position(PERPETUAL).cost == D("30000.6")

    def test_a_second_order_finds_what_the_first_left_until_the_book_has_had_its_time(
        self, desk: PaperDesk
    ) -> None:
        desk.asks = {"60001": "0.4", "60002": "0.6"}
        desk.place(order(Side.BUY, "0.4"))

        desk.place(order(Side.BUY, "0.1"))
        desk.wait(seconds=IMPACT_LASTS.total_seconds())
        desk.place(order(Side.BUY, "0.1"))

        assert [price for price, _, _ in fills()] == [D(60001), D(60002), D(60001)]

    def test_a_book_that_ends_leaves_the_rest_of_a_market_order_expired(
        self, desk: PaperDesk
    ) -> None:
        desk.asks = {"60001": "0.4"}

        placed = desk.place(order(Side.BUY, "0.5"))

        assert (placed.status, placed.filled) == (VenueOrderStatus.EXPIRED, D("0.4"))

    def test_a_contract_whose_maintenance_nobody_tells_is_not_opened_unless_one_is_assumed(
        self, desk: PaperDesk
    ) -> None:
        desk.instruments[PERPETUAL] = listed(maintenance_margin_rate=D(0))

        with pytest.raises(OrderRejected, match="how much margin must stay behind BTC is not list"):
            desk.place(order(Side.BUY, "0.1"))
        desk.paper.maintenance_rate = D("0.01")
        desk.paper.save()
        desk.place(order(Side.BUY, "0.1"))

        # 0.1 x 60,000 x 0.01
        assert state(desk).maintenance_margin == D(60)

    def test_slippage_is_charged_beyond_the_book(self) -> None:
        desk = PaperDesk(slippage=D("0.0001"))

        desk.place(order(Side.SELL, "0.1"))

        # 60,000 x 0.9999
        assert [price for price, _, _ in fills()] == [D("59994.0")]

    def test_spot_exchanges_coins_for_money_and_pays_its_fee_in_what_it_receives(self) -> None:
        desk = PaperDesk(spot_taker_fee=D("0.001"))

        desk.place(order(Side.BUY, "0.5", symbol=COIN))
        desk.place(order(Side.SELL, "0.2", symbol=COIN))

        # 0.5 - 0.0005 - 0.2; 100,000 - 0.5 x 60,001 + 0.2 x 60,000 x 0.999
        assert desk.ledger().balance("BTC") == D("0.2995")
        assert desk.ledger().balance("USDT") == D("81987.5")

    def test_coins_that_are_not_there_are_not_sold(self, desk: PaperDesk) -> None:
        with pytest.raises(InsufficientMargin, match=r"0\.2 BTC needed, 0 free"):
            desk.place(order(Side.SELL, "0.2", symbol=COIN))

        assert not PaperOrder.objects.exists()


class TestResting:
    def test_a_maker_waits_for_the_queue_and_pays_the_maker_fee(self, desk: PaperDesk) -> None:
        desk.bids = {"60000": "2"}
        placed = desk.place(resting(Side.BUY, "0.5", "60000"))

        desk.bids = {"60000": "0.5"}
        desk.pass_time(seconds=1)
        assert fills() == []
        desk.bids = {"60000": "0.2", "59999": "1"}
        desk.pass_time(seconds=1)
        assert fills() == []
        desk.bids, desk.asks = {"59998": "1"}, {"59999": "0.3", "60001": "1"}
        desk.pass_time(seconds=1)

        placed.refresh_from_db()
        # 0.3 x 60,000 x 0.0001
        assert fills() == [(D(60000), D("0.3"), D("1.8"))]
        assert (placed.status, placed.filled) == (VenueOrderStatus.PARTIAL, D("0.3"))

    def test_a_post_only_order_that_would_take_is_refused(self, desk: PaperDesk) -> None:
        with pytest.raises(PostOnlyWouldTake, match="would trade at 60001"):
            desk.place(resting(Side.BUY, "0.5", "60001"))

    def test_a_book_from_before_the_last_look_changes_nothing(self, desk: PaperDesk) -> None:
        placed = desk.place(resting(Side.BUY, "0.5", "60000"))

        desk.asks = {"59000": "10"}
        desk.pass_time(seconds=-1)

        placed.refresh_from_db()
        assert placed.filled == 0

    def test_a_reduce_only_order_never_turns_a_position(self, desk: PaperDesk) -> None:
        with pytest.raises(NothingToReduce):
            desk.place(order(Side.SELL, "0.1", reduce_only=True))
        desk.place(order(Side.BUY, "0.2"))
        desk.place(resting(Side.SELL, "0.2", "60010", reduce_only=True))
        desk.place(order(Side.SELL, "0.15", reduce_only=True))

        desk.bids = {"60020": "10"}
        desk.pass_time(seconds=1)

        assert desk.ledger().position(PERPETUAL).base_quantity == 0
        assert fills()[-1][:2] == (D(60010), D("0.05"))
        assert desk.ledger().orders() == []

    def test_a_countdown_cancels_what_rests(self, desk: PaperDesk) -> None:
        placed = desk.place(resting(Side.BUY, "0.5", "59000"))
        row = desk.ledger().hold(PERPETUAL, desk.now)
        PaperHolding.objects.filter(pk=row.pk).update(cancels_at=desk.now + timedelta(seconds=5))

        desk.pass_time(seconds=4)
        placed.refresh_from_db()
        assert placed.status == VenueOrderStatus.OPEN
        desk.pass_time(seconds=1)

        placed.refresh_from_db()
        assert placed.status == VenueOrderStatus.CANCELED


class TestFunding:
    def test_each_settlement_pays_what_was_held_at_it_once(self, desk: PaperDesk) -> None:
        desk.place(order(Side.SELL, "0.5"))
        desk.wait(hours=1)
        desk.settle("0.001", price="61000")
        # Half is closed after the settlement and before the venue publishes it.
        desk.wait(seconds=2)
        desk.place(order(Side.BUY, "0.25"))
        before = desk.ledger().balance("USDT")
        desk.pass_time(seconds=3)
        desk.pass_time(seconds=1)

        [row] = PaperFunding.objects.all()
        # -(-0.5) x 61,000 x 0.001
        assert (row.payment, row.position_base) == (D("30.5"), D("-0.5"))
        assert row.is_venue_price
        assert desk.ledger().balance("USDT") == before + D("30.5")
        assert row.venue_payment_id == f"{PERPETUAL}@{int(START.timestamp()) + 3600}"

    def test_without_the_venues_price_the_nearest_mark_counts(self, desk: PaperDesk) -> None:
        desk.place(order(Side.SELL, "0.5"))
        desk.wait(hours=1, seconds=-2)
        desk.mark = D(61_000)
        desk.pass_time()
        desk.wait(seconds=2)
        desk.settle("0.001")
        desk.mark = D(62_000)
        desk.pass_time(seconds=9)

        [row] = PaperFunding.objects.all()
        # 2 s before the settlement the mark was 61,000; 9 s after it 62,000.
        assert (row.settlement_price, row.is_venue_price) == (D(61_000), False)

    def test_a_settlement_before_the_position_pays_nothing(self, desk: PaperDesk) -> None:
        desk.settle("0.001", price="60000")
        desk.wait(seconds=1)
        desk.place(order(Side.SELL, "0.5"))

        desk.pass_time(seconds=10)

        assert not PaperFunding.objects.exists()

    def test_settlements_missed_while_nothing_ran_are_booked_later(self, desk: PaperDesk) -> None:
        desk.place(order(Side.BUY, "0.5"))
        for _ in range(3):
            desk.wait(hours=1)
            desk.settle("0.0001", price="60000")

        desk.pass_time(hours=5)

        payments = [row.payment for row in PaperFunding.objects.all()]
        assert payments == [D(-3), D(-3), D(-3)]


class TestMargin:
    def test_an_order_beyond_the_free_margin_is_refused(self, desk: PaperDesk) -> None:
        desk.lever(2)

        # 4 x 60,001 / 2 and the fee are more than 100,000.
        with pytest.raises(InsufficientMargin, match="USDT needed, 100000 available"):
            desk.place(order(Side.BUY, "4"))

        desk.place(order(Side.BUY, "3"))
        # 3 x 60,001 x 0.0005 = 90.0015 of fee; 3 x (60,000 - 60,001) = -3 unrealised
        assert state(desk).equity == D(100_000) - D("90.0015") - 3
        assert state(desk).initial_margin == D(90_000)

    def test_the_liquidation_price_is_where_equity_meets_maintenance(self) -> None:
        desk = PaperDesk(starting_balance=D(1_000), taker_fee=D(0))
        desk.lever(10)
        desk.asks = {"60000": "10"}
        desk.place(order(Side.BUY, "0.1"))

        row = desk.ledger().held()[0]
        price = liquidation_price(row, state(desk), desk.facts(), desk.terms())

        # 1,000 + 0.1 (P - 60,000) = 0.005 x 0.1 P  →  P = 5,000 / 0.0995
        assert price is not None
        assert price.quantize(D("0.01")) == D("50251.26")

    def test_a_wallet_below_its_maintenance_is_closed_at_the_mark(self) -> None:
        desk = PaperDesk(starting_balance=D(1_000), taker_fee=D("0.0005"))
        desk.lever(10)
        desk.asks = {"60000": "10"}
        desk.place(order(Side.BUY, "0.1"))
        rested = desk.place(resting(Side.BUY, "0.001", "59000"))

        # The opening fee of 3 has moved the price to 5,003 / 0.0995 = 50,281.4.
        desk.mark = D("50282")
        desk.pass_time(seconds=1)
        assert desk.ledger().held()
        desk.mark = D("50281")
        desk.pass_time(seconds=1)

        last = PaperFill.objects.order_by("pk").last()
        assert last is not None
        assert (last.price, last.order.cause) == (D("50281"), FillCause.LIQUIDATION)
        assert desk.ledger().held() == []
        rested.refresh_from_db()
        assert rested.status == VenueOrderStatus.CANCELED
        # 1,000 - 3 - 971.9 - 0.1 x 50,281 x 0.0005
        assert desk.ledger().balance("USDT") == D(1_000) - 3 - D("971.9") - D("2.51405")

    def test_own_tiers_stand_in_for_the_venues(self) -> None:
        desk = PaperDesk(tiers=[["50000", "50", "0.01"], ["1000000", "20", "0.02"]])
        desk.lever(2)
        desk.place(order(Side.BUY, "1"))

        # 60,000 x 0.02 - 50,000 x (0.02 - 0.01)
        assert state(desk).maintenance_margin == D(700)

    def test_the_venues_own_tiers_judge_a_large_position(self) -> None:
        desk = PaperDesk()
        desk.tell_tiers([("50000", "100", "0.004"), ("1000000", "20", "0.02")])
        desk.lever(50)

        with pytest.raises(InsufficientMargin, match="of 60001 USDT is above the 50000 allowed at"):
            desk.place(order(Side.BUY, "1"))
        desk.lever(20)
        desk.place(order(Side.BUY, "1"))

        # 60,000 x 0.02 - 50,000 x (0.02 - 0.004); by the listed rate of 0.005 it would be 300.
        assert state(desk).maintenance_margin == D(400)
        desk.mark = D(90_000)
        assert state(desk).maintenance_margin == D(1_000)

    def test_what_is_allocated_is_what_there_is(self) -> None:
        desk = PaperDesk(allocation=D("0.4"))

        assert desk.ledger().balance("USDT") == D(40_000)
