"""Cards of the port `Trading`."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from exchanges.domain import Side, VenueOrderStatus
from exchanges.errors import (
    DuplicateClientOrderId,
    InsufficientMargin,
    InvalidOrder,
    NothingToReduce,
    OrderNotFound,
    OrderOutcomeUnknown,
    SettingRefused,
)
from tests.conformance.bench import Bench
from tests.conformance.cards import card
from tests.protocol.conftest import assert_exact
from tests.simulator.nearby import call

pytestmark = pytest.mark.protocol


class TestTrading:
    @card("C01")
    def test_place(self, bench: Bench) -> None:
        request = bench.order(price=59_000)

        report, found = bench.submit(request), bench.find(request)

        assert report.venue_order_id
        assert found.venue_order_id == report.venue_order_id
        assert (found.status, found.side) == (VenueOrderStatus.OPEN, Side.BUY)
        assert (found.base_quantity, found.filled_base_quantity) == (Decimal("0.01"), Decimal(0))
        listed = call(bench.trading.open_orders(bench.subject.symbol))
        assert [order.client_order_id for order in listed] == [request.client_order_id]
        assert_exact(found)

    @card("C02")
    def test_cancel(self, bench: Bench) -> None:
        request = bench.order(price=59_000)
        bench.submit(request)

        call(bench.trading.cancel(request.client_order_id, request.symbol))

        assert bench.find(request).status is VenueOrderStatus.CANCELED
        with pytest.raises(OrderNotFound):
            call(bench.trading.cancel(request.client_order_id, request.symbol))

    @card("C03")
    def test_fill(self, bench: Bench) -> None:
        request = bench.order("0.02")

        bench.submit(request)

        found = bench.find(request)
        assert (found.status, found.filled_base_quantity) == (
            VenueOrderStatus.FILLED,
            Decimal("0.02"),
        )
        assert found.average_price is not None
        assert abs(found.average_price - 60_000) < 60

    @card("C04")
    def test_partial(self, bench: Bench) -> None:
        bench.pin(level_quantity="0.004")
        touch = call(bench.market.depth(bench.subject.symbol, levels=5)).asks[0]
        request = bench.order("0.02", price=touch.price)

        bench.submit(request)

        found = bench.find(request)
        assert found.status is VenueOrderStatus.PARTIAL
        assert found.filled_base_quantity == touch.base_quantity
        # Not told where it could be what is left.
        assert found.base_quantity in (Decimal("0.02"), None)

    @card("C05")
    def test_late_fill(self, bench: Bench) -> None:
        request = bench.order(price=59_000)
        bench.submit(request)
        before = bench.find(request)

        bench.pin(price="58900")
        bench.world.wait(seconds=1)

        assert before.filled_base_quantity == 0
        found = bench.find(request)
        assert (found.status, found.average_price) == (VenueOrderStatus.FILLED, Decimal(59_000))

    @card("C06")
    def test_reject(self, bench: Bench) -> None:
        with pytest.raises(InsufficientMargin):
            bench.submit(bench.order("50"))

        assert bench.placed() == 0

    @card("C07")
    def test_duplicate_id(self, bench: Bench) -> None:
        request = bench.order(price=59_000)
        bench.submit(request)

        with pytest.raises(DuplicateClientOrderId):
            bench.submit(request)

        assert bench.placed() == 1

    @card("C08")
    def test_look_up_of_an_unknown_id(self, bench: Bench) -> None:
        with pytest.raises(OrderNotFound):
            bench.find(bench.order())

    @card("C09")
    def test_lost_answer(self, bench: Bench) -> None:
        request = bench.order(price=59_000)
        bench.disturb("accept_then_reset", method="POST", client_order_id=request.client_order_id)

        with pytest.raises(OrderOutcomeUnknown):
            bench.submit(request)

        assert bench.find(request).status is VenueOrderStatus.OPEN
        assert bench.placed() == 1

    @card("C10")
    def test_reduce_only_at_zero(self, bench: Bench) -> None:
        with pytest.raises(NothingToReduce):
            bench.submit(bench.order(side=Side.SELL, reduce_only=True))

        assert call(bench.account.positions()) == []

    @card("C11")
    def test_precision(self, bench: Bench) -> None:
        request = bench.order(price=59_000)
        quantity, price = Decimal("0.0100000001"), Decimal("59000.00001")

        with pytest.raises(InvalidOrder, match="no multiple of the lot"):
            bench.submit(replace(request, base_quantity=quantity))
        with pytest.raises(InvalidOrder, match="no multiple of the tick"):
            bench.submit(replace(request, price=price))

        assert bench.placed() == 0

    @card("C12")
    def test_least_order(self, bench: Bench) -> None:
        instrument = bench.of_subject(call(bench.market.instruments()))
        quantity, price = instrument.min_base_quantity, Decimal(59_000)
        if instrument.min_notional:
            tick = instrument.price_tick
            price = instrument.min_notional / quantity / 2 // tick * tick
        else:
            quantity /= 2

        with pytest.raises(InvalidOrder):
            bench.submit(bench.order(str(quantity), price=min(price, Decimal(59_000))))

        assert bench.placed() == 0

    @card("C13")
    def test_leverage_refused(self, bench: Bench) -> None:
        with pytest.raises(SettingRefused):
            call(bench.trading.prepare(bench.subject.symbol, leverage=Decimal(1000)))

    @card("C14")
    def test_hedge_mode(self, bench: Bench) -> None:
        bench.owner.is_hedge_mode = True

        with pytest.raises(SettingRefused, match=r"hedge mode.*One-[wW]ay Mode"):
            call(bench.trading.prepare(bench.subject.symbol, leverage=Decimal(2)))
