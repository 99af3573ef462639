"""KuCoin through the real adapter; payloads from its documentation (futures, market data)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.domain import InstrumentKind, IntervalSource, Symbol
from tests.protocol.canned import NOW, CannedVenue
from tests.protocol.conftest import assert_exact

pytestmark = pytest.mark.protocol

BITCOIN = Symbol("BTC/USDT:USDT")
NEXT = datetime(2026, 3, 1, 16, tzinfo=UTC)
CONTRACT = {
    "symbol": "XBTUSDTM",
    "rootSymbol": "USDT",
    "type": "FFWCSX",
    "expireDate": None,
    "baseCurrency": "XBT",
    "quoteCurrency": "USDT",
    "settleCurrency": "USDT",
    "maxOrderQty": 1000000,
    "marketMaxOrderQty": 600000,
    "maxPrice": 1000000.0,
    "lotSize": 1,
    "tickSize": 0.1,
    "multiplier": 0.001,
    "initialMargin": 0.008,
    "maintainMargin": 0.004,
    "makerFeeRate": 0.0002,
    "takerFeeRate": 0.0006,
    "isInverse": False,
    "status": "Open",
    "fundingFeeRate": 0.000297,
    "predictedFundingFeeRate": 0.000327,
    "fundingRateGranularity": 28800000,
    "openInterest": "8033200",
    "turnoverOf24h": 659795309.2524643,
    "markPrice": 67193.51,
    "indexPrice": 67184.81,
    "lastTradePrice": 67191.8,
    # Half a second less than three and a half hours.
    "nextFundingRateTime": 12_599_500,
    "maxLeverage": 125,
}
TICKER = {
    "sequence": 1629930362547,
    "symbol": "XBTUSDTM",
    "side": "buy",
    "size": 130,
    "price": "67191.8",
    "bestBidSize": 5,
    "bestBidPrice": "67191.7",
    "bestAskPrice": "67191.8",
    "bestAskSize": 1789,
    "ts": 1636641371963227600,
}


def answered(data: Any) -> dict[str, Any]:
    return {"code": "200000", "data": data}


HOURLY = [NOW.replace(minute=0) - timedelta(hours=back) for back in range(720)]


def history(query: Mapping[str, str]) -> Any:
    """Answer with a hundred hourly settlements at most, whichever come first."""
    span = range(int(query["from"]), int(query["to"]) + 1)
    found = [at for at in HOURLY if int(at.timestamp() * 1000) in span][:100]
    return answered(
        [
            {
                "symbol": "XBTUSDTM",
                "fundingRate": 2.26e-4,
                "timepoint": int(at.timestamp() * 1000),
            }
            for at in found
        ]
    )


def venue(**changes: Any) -> CannedVenue:
    payloads = {
        "/contracts/active": answered([CONTRACT]),
        "/allTickers": answered([TICKER]),
        "/level2/depth20": answered(
            {
                "symbol": "XBTUSDTM",
                "sequence": 100,
                "asks": [["67191.8", 1789]],
                "bids": [["67191.7", 5]],
                "ts": 1604643655040584408,
            }
        ),
        "/contract/funding-rates": history,
        "/timestamp": answered(int(NOW.timestamp() * 1000)),
    }
    return CannedVenue("kucoin", payloads | changes)


def test_contract_of_a_thousandth_bitcoin_is_called_so() -> None:
    instrument = venue().one(BITCOIN, CcxtMarketData.instruments)

    assert (instrument.base, instrument.venue_symbol) == ("BTC", "XBTUSDTM")
    assert (instrument.contract_base, instrument.lot) == (Decimal("0.001"), Decimal("0.001"))
    # A market order may have less than one with a price.
    assert (instrument.price_tick, instrument.max_base_quantity) == (Decimal("0.1"), 600)
    assert (instrument.max_leverage, instrument.maintenance_margin_rate) == (
        125,
        Decimal("0.004"),
    )
    assert_exact(instrument)


def test_inverse_contract_and_dated_future_are_no_perpetuals() -> None:
    inverse = {"symbol": "XBTUSDM", "quoteCurrency": "USD", "settleCurrency": "XBT"}
    dated = {"symbol": "XBTMH26", "type": "FFICSX", "expireDate": 1774598400000}
    dated |= {"nextFundingRateTime": None}
    rows = [CONTRACT, CONTRACT | inverse | {"isInverse": True}, CONTRACT | dated]
    rates = venue(**{"/contracts/active": answered(rows)}).ask(CcxtMarketData.funding_rates)

    assert [rate.symbol for rate in rates] == [BITCOIN]


@pytest.mark.parametrize("ends_at", [None, 1774598400000])
def test_perpetual_that_tells_no_coming_settlement_stays_one(ends_at: int | None) -> None:
    halted = CONTRACT | {"nextFundingRateTime": None, "expireDate": ends_at, "status": "Paused"}
    of_one = venue(**{"/contracts/active": answered([halted])})

    instrument = of_one.one(BITCOIN, CcxtMarketData.instruments)
    rate = of_one.one(BITCOIN, CcxtMarketData.funding_rates)

    assert (instrument.kind, instrument.is_active) == (InstrumentKind.PERPETUAL, False)
    assert (rate.next_funding_at, rate.is_tradable) == (None, False)


def test_rate_settles_on_the_minute_that_the_time_left_ends_in() -> None:
    rate = venue().one(BITCOIN, CcxtMarketData.funding_rates)

    assert rate.funding_rate == Decimal("0.000297")
    assert (rate.interval_seconds, rate.interval_source) == (28_800, IntervalSource.VENUE)
    assert rate.next_funding_at == NEXT
    assert (rate.mark_price, rate.index_price) == (Decimal("67193.51"), Decimal("67184.81"))
    # Not told in this list.
    assert (rate.cap, rate.floor) == (None, None)
    assert_exact(rate)


def test_rate_without_an_interval_is_not_tradable() -> None:
    silent = {key: value for key, value in CONTRACT.items() if key != "fundingRateGranularity"}
    rate = venue(**{"/contracts/active": answered([silent])}).one(
        BITCOIN, CcxtMarketData.funding_rates
    )

    assert (rate.interval_seconds, rate.is_tradable) == (None, False)


def test_touch_depth_and_activity_are_in_coins() -> None:
    top, activity = venue().one(BITCOIN, CcxtMarketData.book_tops, CcxtMarketData.activity)
    book = venue().ask(lambda data: data.depth(BITCOIN, levels=5))

    assert (top.bid, top.bid_quantity) == (Decimal("67191.7"), Decimal("0.005"))
    assert top.ask_quantity == Decimal("1.789")
    assert activity.open_interest == Decimal("8033.2")
    assert activity.turnover_usd == Decimal("659795309.2524643")
    assert book.asks[0].base_quantity == Decimal("1.789")


def test_history_that_is_cut_off_at_a_hundred_rows_is_read_in_halves() -> None:
    found = venue().ask(lambda data: data.settled_funding(BITCOIN, since=HOURLY[-1]))

    assert [one.settled_at for one in found] == HOURLY[::-1]
    assert found[0].funding_rate == Decimal("0.000226")
