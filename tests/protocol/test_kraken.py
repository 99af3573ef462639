"""Kraken's spot markets through the real adapter; recorded payloads."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.domain import InstrumentKind, SettlementKind, Symbol
from tests.protocol.canned import CannedVenue
from tests.protocol.conftest import assert_exact
from tests.protocol.test_recorded_payloads import ADAPTERS, recorded

pytestmark = [
    pytest.mark.protocol,
    pytest.mark.skipif(not ADAPTERS.is_dir(), reason="../shared with recorded payloads is absent"),
]

BITCOIN = Symbol("BTC/USDT")


def venue(**changes: Any) -> CannedVenue:
    payloads = {
        "/public/AssetPairs": recorded("kraken/http_asset_pairs.json"),
        "/public/Ticker": recorded("kraken/http_ticker.json"),
        "/public/Depth": recorded("kraken/http_order_book.json"),
        "/public/Time": recorded("kraken/http_server_time.json"),
    }
    return CannedVenue("kraken", payloads | changes)


def test_xbt_is_bitcoin_bought_in_coins() -> None:
    instrument = venue().one(BITCOIN, CcxtMarketData.instruments)

    assert (instrument.kind, instrument.base, instrument.settle) == (
        InstrumentKind.SPOT,
        "BTC",
        "USDT",
    )
    assert (instrument.price_tick, instrument.lot) == (Decimal("0.1"), Decimal("1e-8"))
    assert (instrument.min_base_quantity, instrument.min_notional) == (
        Decimal("0.00005"),
        Decimal("0.5"),
    )
    assert instrument.settlement is SettlementKind.NONE
    assert_exact(instrument)


def test_tick_may_be_larger_than_the_last_digit() -> None:
    pairs = recorded("kraken/http_asset_pairs.json")
    pairs["result"]["XBTUSDT"]["tick_size"] = "0.5"

    instrument = venue(**{"/public/AssetPairs": pairs}).one(BITCOIN, CcxtMarketData.instruments)

    assert instrument.price_tick == Decimal("0.5")


def test_pair_that_is_not_online_is_inactive() -> None:
    pairs = recorded("kraken/http_asset_pairs.json")
    pairs["result"]["XBTUSDT"]["status"] = "cancel_only"

    assert (
        not venue(**{"/public/AssetPairs": pairs})
        .one(BITCOIN, CcxtMarketData.instruments)
        .is_active
    )


def test_touch_last_price_depth_and_clock() -> None:
    top, quote = venue().one(BITCOIN, CcxtMarketData.book_tops, CcxtMarketData.quotes)
    book, clock, rates = venue().ask(
        lambda data: data.depth(BITCOIN, levels=5),
        CcxtMarketData.server_time,
        CcxtMarketData.funding_rates,
    )

    assert (top.bid, top.ask) == (Decimal("105944.2"), Decimal("105944.3"))
    assert (top.bid_quantity, top.ask_quantity) == (1, 1)
    assert quote.mark_price == Decimal("105899.4")
    assert (book.asks[0].price, book.asks[0].base_quantity) == (
        Decimal("105944.3"),
        Decimal("0.136"),
    )
    assert clock == datetime.fromtimestamp(1762820224, UTC)
    assert rates == []
