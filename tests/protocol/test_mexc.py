"""MEXC through the real adapter; payloads from its documentation (futures, market endpoints)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.domain import IntervalSource, Symbol
from tests.protocol.canned import NOW, CannedVenue
from tests.protocol.conftest import assert_exact

pytestmark = pytest.mark.protocol

BITCOIN = Symbol("BTC/USDT:USDT")
NEXT = datetime(2026, 3, 1, 16, tzinfo=UTC)
CONTRACT = {
    "symbol": "BTC_USDT",
    "baseCoin": "BTC",
    "quoteCoin": "USDT",
    "settleCoin": "USDT",
    "contractSize": 0.0001,
    "minLeverage": 1,
    "maxLeverage": 125,
    "priceUnit": 0.5,
    "volUnit": 1,
    "minVol": 1,
    "maxVol": 1000000,
    "takerFeeRate": 0.0006,
    "makerFeeRate": 0.0002,
    "maintenanceMarginRate": 0.004,
    "initialMarginRate": 0.008,
    "state": 0,
}
TICKER = {
    "symbol": "BTC_USDT",
    "lastPrice": 60010.0,
    "bid1": 60009.5,
    "ask1": 60010.0,
    "volume24": 4045530,
    "amount24": 141331823.5755,
    "holdVol": 5832946,
    "indexPrice": 60001.7,
    "fairPrice": 60011.2,
    "fundingRate": 0.000063,
    "timestamp": 1634162885016,
}
TERMS = {
    "symbol": "BTC_USDT",
    "fundingRate": 0.000014,
    "maxFundingRate": 0.003,
    "minFundingRate": -0.003,
    "collectCycle": 8,
    "nextSettleTime": int(NEXT.timestamp() * 1000),
    "timestamp": 1643240373359,
}


def answered(data: Any) -> dict[str, Any]:
    return {"success": True, "code": 0, "data": data}


def history(query: Mapping[str, str]) -> Any:
    """Answer with pages of settlements, 120 in all, the newest first."""
    size, number = int(query["page_size"]), int(query["page_num"])
    rows = [
        {
            "symbol": "BTC_USDT",
            "fundingRate": 0.00029,
            "settleTime": int((NEXT - timedelta(hours=8 * back + 8)).timestamp() * 1000),
        }
        for back in range(120)
    ]
    return answered({"resultList": rows[(number - 1) * size : number * size]})


def venue(**changes: Any) -> CannedVenue:
    payloads = {
        "/contract/detail": answered([CONTRACT]),
        "/contract/ticker": answered([TICKER]),
        "/contract/funding_rate/BTC_USDT": answered(TERMS),
        "/contract/funding_rate/history": history,
        "/contract/depth/BTC_USDT": answered(
            {"asks": [[60010.0, 2500, 1]], "bids": [[60009.5, 100, 1]], "version": 1}
        ),
        "/api/v3/time": {"serverTime": int(NOW.timestamp() * 1000)},
    }
    return CannedVenue("mexc", payloads | changes)


def test_contract_of_a_ten_thousandth_coin_is_counted_in_coins() -> None:
    instrument = venue().one(BITCOIN, CcxtMarketData.instruments)

    assert (instrument.contract_base, instrument.lot) == (Decimal("0.0001"), Decimal("0.0001"))
    assert (instrument.price_tick, instrument.max_base_quantity) == (Decimal("0.5"), 100)
    assert (instrument.max_leverage, instrument.maintenance_margin_rate) == (
        125,
        Decimal("0.004"),
    )
    assert_exact(instrument)


def test_rate_of_the_list_has_the_terms_that_the_contract_was_asked_for() -> None:
    rate = venue().one(BITCOIN, CcxtMarketData.funding_rates)

    assert rate.funding_rate == Decimal("0.000063")
    assert (rate.interval_seconds, rate.interval_source) == (28_800, IntervalSource.VENUE)
    assert rate.next_funding_at == NEXT
    assert (rate.cap, rate.floor) == (Decimal("0.003"), Decimal("-0.003"))
    assert (rate.mark_price, rate.index_price) == (Decimal("60011.2"), Decimal("60001.7"))
    assert_exact(rate)


def test_terms_are_asked_once_until_the_contract_has_settled() -> None:
    at = venue()

    async def after_the_settlement(data: CcxtMarketData) -> Any:
        at.now = NEXT + timedelta(seconds=1)
        return await data.funding_rates()

    rates = CcxtMarketData.funding_rates
    *_, last = at.one(BITCOIN, rates, rates, after_the_settlement)

    assert len(at.requests("/funding_rate/BTC_USDT")) == 2
    # What is told is still the settlement that has passed: one interval later is the next.
    assert last.next_funding_at == NEXT + timedelta(hours=8)


def test_contracts_beyond_a_round_wait_for_theirs_without_an_interval() -> None:
    names = [f"C{number}_USDT" for number in range(15)]
    listed = [CONTRACT | {"symbol": name, "baseCoin": name[:-5]} for name in names]
    tickers = [TICKER | {"symbol": name} for name in names]
    terms = {f"/contract/funding_rate/{name}": answered(TERMS | {"symbol": name}) for name in names}
    lists = {"/contract/detail": answered(listed), "/contract/ticker": answered(tickers)}
    rates = CcxtMarketData.funding_rates
    first, second = venue(**terms, **lists).ask(rates, rates)

    assert sum(rate.is_tradable for rate in first) == 10
    assert sum(rate.is_tradable for rate in second) == 15


def test_depth_and_activity_are_in_coins_and_no_list_tells_a_touch() -> None:
    activity = venue().one(BITCOIN, CcxtMarketData.activity)
    book, tops = venue().ask(lambda data: data.depth(BITCOIN, levels=5), CcxtMarketData.book_tops)

    assert activity.open_interest == Decimal("583.2946")
    assert activity.turnover_usd == Decimal("141331823.5755")
    assert (book.asks[0].price, book.asks[0].base_quantity) == (60_010, Decimal("0.25"))
    assert tops == []


def test_history_is_read_page_by_page() -> None:
    at = venue()
    since = NEXT - timedelta(hours=8 * 110)
    found = at.ask(lambda data: data.settled_funding(BITCOIN, since=since))

    assert len(found) == 110
    assert found[0].settled_at == since
    assert len(at.requests("/funding_rate/history")) == 2
