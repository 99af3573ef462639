"""Spot of Bybit's unified account through the real adapters: facts, orders, loans."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from exchanges import registry
from exchanges.domain import (
    Balance,
    BookTop,
    Fill,
    InstrumentKind,
    OrderReport,
    SettlementKind,
    Side,
    Symbol,
    TimeInForce,
    VenueOrderStatus,
)
from exchanges.errors import (
    InsufficientMargin,
    InvalidOrder,
    OrderNotFound,
    OrderRejected,
    SettingRefused,
)
from exchanges.modes import Mode
from tests.protocol.conftest import Desk, OpenDesk, Simulator, assert_exact, run
from tests.protocol.test_streams_venues import account_of, is_of, market_of

pytestmark = pytest.mark.protocol

SPOT, PERPETUAL = Symbol("BTC/USDT"), Symbol("BTC/USDT:USDT")


@pytest.fixture
def desk(open_desk: OpenDesk) -> Desk:
    """A unified account, asked for its spot market."""
    return replace(open_desk("bybit"), symbol=SPOT)


def balance(desk: Desk, asset: str) -> Balance:
    return next(found for found in run(desk.account.balances()) if found.asset == asset)


def recently() -> datetime:
    return datetime.now(UTC) - timedelta(minutes=1)


def test_spot_and_perpetual_of_one_name_are_listed_apart(simulator: Simulator) -> None:
    listed = run(registry.market_data("bybit", Mode.REHEARSAL).instruments())
    named = {i.symbol: i for i in listed if i.venue_symbol == "BTCUSDT"}

    assert set(named) == {SPOT, PERPETUAL}
    spot = named[SPOT]
    assert (spot.kind, spot.settlement) == (InstrumentKind.SPOT, SettlementKind.NONE)
    assert (spot.max_leverage, spot.lot) == (1, Decimal("0.00001"))
    assert named[PERPETUAL].lot == Decimal("0.001")


def test_books_of_both_come_by_rest_and_by_stream(simulator: Simulator) -> None:
    data = registry.market_data("bybit", Mode.REHEARSAL)

    async def story() -> list[BookTop]:
        tops = [top for top in await data.book_tops() if top.symbol in (SPOT, PERPETUAL)]
        async with market_of("bybit") as heard:
            streamed = [await heard.first(is_of(symbol, BookTop)) for symbol in (SPOT, PERPETUAL)]
        depth = await data.depth(SPOT, levels=10)
        assert depth.symbol == SPOT
        assert len(depth.bids) >= 10
        return [*tops, *streamed]

    tops = run(story())

    assert sorted(top.symbol for top in tops) == [SPOT, SPOT, PERPETUAL, PERPETUAL]
    for top in tops:
        assert_exact(top)
        assert 0 < top.bid < top.ask


def test_purchase_is_told_by_stream_list_and_balance_with_its_fee_in_coins(desk: Desk) -> None:
    since = recently()
    run(desk.trading.prepare(SPOT, leverage=Decimal(1)))
    order = desk.order("0.01")

    async def story() -> Fill:
        async with account_of(desk) as heard:
            report = await desk.trading.submit(order)
            assert report.venue_order_id
            fill: Fill = await heard.first(is_of(SPOT, Fill))
            await heard.first(
                lambda fact: (
                    isinstance(fact, OrderReport) and fact.status is VenueOrderStatus.FILLED
                )
            )
        return fill

    streamed = run(story())

    [listed] = run(desk.account.fills(SPOT, since=since))
    assert listed == streamed
    assert (listed.fee, listed.fee_asset) == (Decimal("0.00001"), "BTC")
    assert balance(desk, "BTC").total == Decimal("0.00999")
    assert run(desk.account.fills(PERPETUAL, since=since)) == []
    assert run(desk.account.positions()) == []
    found = run(desk.trading.find_order(order.client_order_id, SPOT))
    assert (found.status, found.base_quantity) == (VenueOrderStatus.FILLED, Decimal("0.01"))
    assert run(desk.account.fee_tier(SPOT)).taker == Decimal("0.001")
    assert run(desk.account.isolated_margin(SPOT)) is None


def test_resting_orders_of_both_kinds_are_listed_held_and_cancelled(desk: Desk) -> None:
    perpetual = replace(desk, symbol=PERPETUAL)
    spot_order, other = desk.resting(), perpetual.resting()
    run(desk.trading.submit(spot_order))
    run(perpetual.trading.submit(other))

    assert {report.symbol for report in run(desk.trading.open_orders())} == {SPOT, PERPETUAL}
    assert [r.client_order_id for r in run(desk.trading.open_orders(SPOT))] == [
        spot_order.client_order_id
    ]
    assert spot_order.price is not None
    assert other.price is not None
    held = spot_order.price * spot_order.base_quantity
    usdt = balance(desk, "USDT")
    assert Decimal(99_000) < usdt.free <= 100_000 - held

    run(desk.trading.cancel(spot_order.client_order_id, SPOT))
    run(perpetual.trading.cancel(other.client_order_id, PERPETUAL))
    assert run(desk.trading.open_orders()) == []
    with pytest.raises(OrderNotFound):
        run(desk.trading.cancel(spot_order.client_order_id, SPOT))


def test_borrowed_coins_are_sold_owed_charged_and_bought_back(
    simulator: Simulator, desk: Desk
) -> None:
    since = recently()
    with pytest.raises(InsufficientMargin):
        run(desk.trading.submit(desk.order("0.5", Side.SELL)))

    run(desk.trading.submit(desk.order("0.5", Side.SELL, may_borrow=True)))

    btc, usdt = balance(desk, "BTC"), balance(desk, "USDT")
    assert (btc.total, btc.equity, btc.borrowed, btc.free) == (
        Decimal("-0.5"),
        Decimal("-0.5"),
        Decimal("0.5"),
        0,
    )
    # The proceeds are in the wallet, but they are owed.
    assert usdt.total > 115_000
    assert usdt.free < 100_000

    [booked] = simulator.ask("POST", "/charge-interest", api_key=desk.key.api_key)["interest"]
    [charge] = run(desk.account.borrow_interest(since=since))
    assert_exact(charge)
    assert (charge.venue_interest_id, charge.asset) == (booked["venue_interest_id"], "BTC")
    assert charge.amount == Decimal(booked["interest"]) > 0
    exact = Decimal("0.5") * Decimal(booked["hourly_rate"])
    assert abs(charge.amount - exact) <= Decimal("1e-12")
    assert balance(desk, "BTC").total == Decimal("-0.5") - charge.amount

    run(desk.trading.submit(desk.order("0.50051")))
    assert balance(desk, "BTC").borrowed == 0


def test_rates_are_those_of_what_is_lent(simulator: Simulator, open_desk: OpenDesk) -> None:
    rates = {
        rate.asset: rate
        for rate in run(registry.market_data("bybit", Mode.REHEARSAL).borrow_rates())
    }

    assert set(rates) == {"BTC", "ETH"}
    for rate in rates.values():
        assert_exact(rate)
        assert Decimal("0.000002") < rate.hourly_rate < Decimal("0.000007")
        assert rate.prudent_hourly_rate == rate.hourly_rate
    assert rates["BTC"].most == 10
    assert run(registry.market_data("binance", Mode.REHEARSAL).borrow_rates()) == []
    assert run(open_desk("binanceusdm").account.borrow_interest(since=recently())) == []


def test_okx_tells_rates_by_the_day_and_what_is_lent(simulator: Simulator) -> None:
    rates = {
        rate.asset: rate for rate in run(registry.market_data("okx", Mode.REHEARSAL).borrow_rates())
    }

    assert set(rates) == {"BTC", "ETH"}
    for rate in rates.values():
        assert_exact(rate)
        # The day's rate is 24 of these.
        assert Decimal("0.000002") < rate.hourly_rate < Decimal("0.000007")
    assert (rates["BTC"].most, rates["ETH"].most) == (10, 200)


def test_what_cannot_be_borrowed_is_refused_before_or_by_the_venue(
    desk: Desk, open_desk: OpenDesk
) -> None:
    sol = replace(desk, symbol=Symbol("SOL/USDT"))
    with pytest.raises(OrderRejected, match="not yet supported"):
        run(desk.trading.submit(sol.order("1", Side.SELL, may_borrow=True)))
    binance = open_desk("binance")
    with pytest.raises(InvalidOrder, match="BTC cannot be borrowed here"):
        run(binance.trading.submit(binance.order("0.01", Side.SELL, may_borrow=True)))
    with pytest.raises(SettingRefused, match="leverage 1"):
        run(desk.trading.prepare(SPOT, leverage=Decimal(3)))


def test_refusals_of_spot_are_told_apart(desk: Desk) -> None:
    with pytest.raises(InsufficientMargin):
        run(desk.trading.submit(desk.order("5")))
    top = desk.top()
    beyond = (top.ask * Decimal("1.5")).quantize(Decimal(1))
    order = desk.order("0.01", price=beyond, time_in_force=TimeInForce.GTC)
    with pytest.raises(InvalidOrder):
        run(desk.trading.submit(order))
