"""Bitfinex's spot markets through the real adapter; payloads from its documentation."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.domain import InstrumentKind, Symbol
from tests.protocol.canned import CannedVenue
from tests.protocol.conftest import assert_exact

pytestmark = pytest.mark.protocol

BITCOIN, IN_TETHER = Symbol("BTC/USD"), Symbol("AAVE/USDT")
BOUNDS = [None, None, None, "0.00006", "2000.0", None, None, None, None, None, None, None]
CONFIGURATION = [
    [["BTCUSD", BOUNDS], ["AAVE:UST", BOUNDS]],
    [["BTCF0:USTF0", [*BOUNDS[:8], 0.01, 0.005]]],
    [],
    ["BTCUSD"],
]
# Price, how many orders, amount: > 0 bids, < 0 asks.
BOOK = [[60009.0, 3, 0.5], [60008.0, 1, 1.25], [60010.0, 2, -0.75], [60012.0, 1, -2.0]]


def venue(**changes: Any) -> CannedVenue:
    payloads = {
        "/v2/conf/pub:info:pair,pub:info:pair:futures,"
        "pub:list:pair:securities,pub:list:pair:margin": CONFIGURATION,
        "/v2/tickers": [
            ["tBTCUSD", 60009, 31.6, 60010, 28.1, 10, 0.0001, 60009.5, 1234.5, 61000, 59000],
            ["fUSD", 0.0003, 0.0002, 30, 1.5, 0.0003, 2, 3.5, 0, 0, 0.0003, 5, 1, 1],
        ],
        "/v2/book/tBTCUSD/P0": BOOK,
    }
    return CannedVenue("bitfinex", payloads | changes)


def test_spot_alone_is_listed_with_decimals_and_the_tick_of_its_last_price() -> None:
    found = {one.symbol: one for one in venue().ask(CcxtMarketData.instruments)}
    bitcoin = found[BITCOIN]

    assert found.keys() == {BITCOIN, IN_TETHER}
    assert (bitcoin.kind, bitcoin.venue_symbol) == (InstrumentKind.SPOT, "tBTCUSD")
    # A price has five digits, whatever it is: at 60,009.5 whole dollars.
    assert (bitcoin.price_tick, bitcoin.lot) == (1, Decimal("1e-8"))
    assert {one.symbol: one.is_active for one in found.values()} == {
        BITCOIN: True,
        IN_TETHER: False,
    }
    assert (bitcoin.min_base_quantity, bitcoin.max_base_quantity) == (Decimal("0.00006"), 2000)
    assert_exact(bitcoin)


def test_book_is_one_of_levels_and_no_list_tells_a_touch() -> None:
    book, tops = venue().ask(lambda data: data.depth(BITCOIN, levels=1), CcxtMarketData.book_tops)

    assert (book.bids[0].price, book.bids[0].base_quantity) == (60_009, Decimal("0.5"))
    assert (book.asks[0].price, book.asks[0].base_quantity) == (60_010, Decimal("0.75"))
    assert tops == []


def test_last_price_of_a_market_and_not_of_what_is_lent() -> None:
    [quote] = venue().ask(CcxtMarketData.quotes)

    assert (quote.symbol, quote.mark_price) == (BITCOIN, Decimal("60009.5"))
