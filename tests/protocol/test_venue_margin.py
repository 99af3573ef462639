"""Margin of one position and the countdown of one symbol, through the library's own signing."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from exchanges import registry
from exchanges.domain import Side, VenueOrderStatus
from exchanges.errors import SettingRefused
from tests.machine import wait_until
from tests.protocol.conftest import Desk, OpenDesk, run

pytestmark = pytest.mark.protocol

ISOLATE: dict[str, tuple[str, dict[str, object]]] = {
    "binanceusdm": (
        "fapiPrivatePostMarginType",
        {"symbol": "BTCUSDT", "marginType": "ISOLATED"},
    ),
    "bybit": ("privatePostV5AccountSetMarginMode", {"setMarginMode": "ISOLATED_MARGIN"}),
    # There each order says it: the owner sells by hand.
    "okx": (
        "privatePostTradeOrder",
        {
            "instId": "BTC-USDT-SWAP",
            "tdMode": "isolated",
            "side": "sell",
            "ordType": "market",
            "sz": "1",
            "clOrdId": "byhand1",
        },
    ),
    "hyperliquid": (
        "privatePostExchange",
        {"type": "updateLeverage", "asset": 0, "isCross": False, "leverage": 20},
    ),
    # An order says there that it is cross: the owner sells by hand.
    "bitget": (
        "privateMixPostV2MixOrderPlaceOrder",
        {
            "symbol": "BTCUSDT",
            "productType": "USDT-FUTURES",
            "marginMode": "isolated",
            "marginCoin": "USDT",
            "side": "sell",
            "orderType": "market",
            "size": "0.01",
        },
    ),
    "gate": (
        "privateFuturesPostSettlePositionsContractLeverage",
        {"settle": "usdt", "contract": "BTC_USDT", "leverage": "20"},
    ),
    # Both: an order for another mode than the contract's is refused.
    "kucoin": (
        "futuresPrivatePostPositionChangeMarginMode",
        {"symbol": "XBTUSDTM", "marginMode": "ISOLATED"},
    ),
}
BY_HAND = {
    "clientOid": "byhand1",
    "symbol": "XBTUSDTM",
    "side": "sell",
    "type": "market",
    "size": 10,
    "leverage": 1,
    "marginMode": "ISOLATED",
}


def isolate(desk: Desk) -> None:
    """Hold isolated margin as the owner would, on the venue's own page."""
    method, request = ISOLATE[desk.key.venue]
    exchange = registry._client(desk.key).exchange
    run(getattr(exchange, method)(request))
    if desk.venue == "kucoin":
        run(exchange.futuresPrivatePostOrders(BY_HAND))


def test_a_cross_position_has_no_margin_of_its_own_and_takes_none(futures_desk: Desk) -> None:
    desk = futures_desk
    run(desk.trading.submit(desk.order("0.01")))

    assert run(desk.account.isolated_margin(desk.symbol)) is None
    with pytest.raises(SettingRefused):
        run(desk.trading.add_margin(desk.symbol, Decimal(10)))


def test_margin_is_added_behind_an_isolated_position(futures_desk: Desk) -> None:
    desk = futures_desk
    if desk.venue not in ISOLATE:
        # Kraken's isolated positions cannot be added to.
        return
    isolate(desk)
    if desk.venue not in ("okx", "bitget", "kucoin"):
        run(desk.trading.submit(desk.order("0.01", Side.SELL)))
    before = run(desk.account.isolated_margin(desk.symbol))

    run(desk.trading.add_margin(desk.symbol, Decimal("12.50")))

    after = run(desk.account.isolated_margin(desk.symbol))
    assert before is not None
    assert after is not None
    assert after - before == Decimal("12.50")


def test_a_countdown_cancels_what_rests_unless_it_is_ended(open_desk: OpenDesk) -> None:
    desk = open_desk("binanceusdm")
    order = desk.order("0.1", price=Decimal(20_000))
    run(desk.trading.submit(order))

    def status() -> VenueOrderStatus | None:
        return run(desk.trading.find_order(order.client_order_id, desk.symbol)).status

    run(desk.trading.arm_dead_man(desk.symbol, after=timedelta(milliseconds=300)))
    run(desk.trading.arm_dead_man(desk.symbol, after=timedelta(0)))
    assert status() is VenueOrderStatus.OPEN

    run(desk.trading.arm_dead_man(desk.symbol, after=timedelta(milliseconds=300)))
    wait_until(lambda: status() is VenueOrderStatus.CANCELED, timeout=10, what="the countdown ends")


def test_a_venue_whose_switch_is_not_safe_refuses_with_the_reason(open_desk: OpenDesk) -> None:
    desk = open_desk("bybit")

    with pytest.raises(SettingRefused, match="cancels the orders of a whole product"):
        run(desk.trading.arm_dead_man(desk.symbol, after=timedelta(seconds=10)))
