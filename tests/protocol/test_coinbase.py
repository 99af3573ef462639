"""Coinbase's spot markets through the real adapter; payloads from its documentation."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.domain import InstrumentKind, Symbol
from tests.protocol.canned import CannedVenue
from tests.protocol.conftest import assert_exact

pytestmark = pytest.mark.protocol

BITCOIN = Symbol("BTC/USD")
PRODUCT = {
    "product_id": "BTC-USD",
    "price": "67060.12",
    "volume_24h": "10967.87426597",
    "base_increment": "0.00000001",
    "quote_increment": "0.01",
    "quote_min_size": "1",
    "quote_max_size": "150000000",
    "base_min_size": "0.00000001",
    "base_max_size": "3400",
    "is_disabled": False,
    "status": "online",
    "trading_disabled": False,
    "product_type": "SPOT",
    "quote_currency_id": "USD",
    "base_currency_id": "BTC",
    "price_increment": "0.01",
}


def venue(*products: Any) -> CannedVenue:
    return CannedVenue(
        "coinbase",
        {
            "/brokerage/market/products": {"products": [PRODUCT, *products], "num_products": "1"},
            "/brokerage/market/product_book": {
                "pricebook": {
                    "product_id": "BTC-USD",
                    "bids": [{"price": "67059.07", "size": "0.04877659"}],
                    "asks": [{"price": "67060.85", "size": "0.115"}],
                    "time": "2026-03-01T12:30:00.533606Z",
                }
            },
            "/v2/time": {"data": {"epoch": 1772368200, "iso": "2026-03-01T12:30:00Z"}},
        },
    )


def test_market_is_bought_in_coins_within_its_bounds() -> None:
    at = venue()
    instrument = at.one(BITCOIN, CcxtMarketData.instruments)

    assert (instrument.kind, instrument.settle) == (InstrumentKind.SPOT, "USD")
    assert (instrument.price_tick, instrument.lot) == (Decimal("0.01"), Decimal("1e-8"))
    assert (instrument.min_notional, instrument.max_base_quantity) == (1, 3400)
    assert at.requests("/market/products") == [{"product_type": "SPOT"}]
    assert_exact(instrument)


def test_disabled_market_is_inactive_and_other_quotes_are_left_out() -> None:
    others = (
        PRODUCT | {"product_id": "OLD-USD", "base_currency_id": "OLD", "trading_disabled": True},
        PRODUCT | {"product_id": "BTC-EUR", "quote_currency_id": "EUR"},
    )
    found = venue(*others).ask(CcxtMarketData.instruments)

    assert {one.symbol: one.is_active for one in found} == {BITCOIN: True, "OLD/USD": False}


def test_last_price_depth_and_clock_and_no_list_tells_a_touch() -> None:
    quote = venue().one(BITCOIN, CcxtMarketData.quotes)
    book, clock, tops = venue().ask(
        lambda data: data.depth(BITCOIN, levels=1),
        CcxtMarketData.server_time,
        CcxtMarketData.book_tops,
    )

    assert quote.mark_price == Decimal("67060.12")
    assert (book.bids[0].price, book.bids[0].base_quantity) == (
        Decimal("67059.07"),
        Decimal("0.04877659"),
    )
    assert clock == datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    assert tops == []
