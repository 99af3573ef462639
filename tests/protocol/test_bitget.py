"""Bitget through the real adapter; payloads from its documentation (v2, mix market)."""

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
    "symbol": "BTCUSDT",
    "baseCoin": "BTC",
    "quoteCoin": "USDT",
    "supportMarginCoins": ["USDT"],
    "minTradeNum": "0.001",
    "priceEndStep": "5",
    "volumePlace": "3",
    "pricePlace": "1",
    "sizeMultiplier": "0.001",
    "symbolType": "perpetual",
    "minTradeUSDT": "5",
    "symbolStatus": "normal",
    "deliveryTime": "",
    "fundInterval": "8",
    "minLever": "1",
    "maxLever": "125",
    "maxMarketOrderQty": "220",
    "makerFeeRate": "0.0002",
    "takerFeeRate": "0.0006",
}
TICKER = {
    "symbol": "BTCUSDT",
    "lastPr": "60010",
    "askPr": "60010.5",
    "bidPr": "60010",
    "bidSz": "0.5091",
    "askSz": "2.2694",
    "usdtVolume": "1234567890.5",
    "indexPrice": "60001.353333",
    "fundingRate": "0.0001",
    "holdingAmount": "42125.6844",
    "markPrice": "60012",
    "ts": "1695794271400",
}
RATE = {
    "symbol": "BTCUSDT",
    "fundingRate": "0.000068",
    "fundingRateInterval": "4",
    "nextUpdate": str(int(NEXT.timestamp() * 1000)),
    "minFundingRate": "-0.003",
    "maxFundingRate": "0.0031",
}


def answered(data: Any) -> dict[str, Any]:
    return {"code": "00000", "msg": "success", "requestTime": 1761659449917, "data": data}


def of_dollars(row: Any) -> Any:
    """Answer with the row for USDT and with an empty list for all other products."""

    def told(query: Mapping[str, str]) -> Any:
        return answered([row] if query["productType"] == "USDT-FUTURES" else [])

    return told


def history(query: Mapping[str, str]) -> Any:
    """Answer with pages of a hundred settlements, 250 in all, the newest first."""
    first = (int(query["pageNo"]) - 1) * int(query["pageSize"])
    numbers = range(first, min(first + int(query["pageSize"]), 250))
    return answered(
        [
            {
                "symbol": "BTCUSDT",
                "fundingRate": "0.0001",
                "fundingTime": str(int((NEXT - timedelta(hours=4 * n + 4)).timestamp() * 1000)),
            }
            for n in numbers
        ]
    )


def venue(**changes: Any) -> CannedVenue:
    payloads = {
        "/mix/market/contracts": of_dollars(CONTRACT),
        "/mix/market/tickers": of_dollars(TICKER),
        "/mix/market/current-fund-rate": of_dollars(RATE),
        "/mix/market/history-fund-rate": history,
        "/mix/market/merge-depth": answered(
            {"asks": [["60010.5", "2.2694"]], "bids": [["60010", "0.5091"]], "ts": "1695870968804"}
        ),
        "/public/time": answered({"serverTime": "1761659449917"}),
    }
    return CannedVenue("bitget", payloads | changes)


def test_contract_counts_coins_in_ticks_of_the_last_place() -> None:
    instrument = venue().one(BITCOIN, CcxtMarketData.instruments)

    assert (instrument.contract_base, instrument.lot) == (1, Decimal("0.001"))
    assert (instrument.price_tick, instrument.min_notional) == (Decimal("0.5"), 5)
    assert (instrument.max_leverage, instrument.maintenance_margin_rate) == (125, Decimal("0.004"))
    assert_exact(instrument)


def test_a_thousand_of_a_coin_is_listed_as_one() -> None:
    scaled = CONTRACT | {"symbol": "1000SATSUSDT", "baseCoin": "1000SATS", "minTradeNum": "1"}
    [instrument] = venue(**{"/mix/market/contracts": of_dollars(scaled)}).ask(
        CcxtMarketData.instruments
    )

    assert (instrument.base, instrument.contract_base) == ("SATS", 1000)
    assert instrument.min_base_quantity == 1000


def test_rate_is_that_of_the_list_that_tells_its_interval() -> None:
    rate = venue().one(BITCOIN, CcxtMarketData.funding_rates)

    assert rate.funding_rate == Decimal("0.000068")
    assert (rate.interval_seconds, rate.interval_source) == (14_400, IntervalSource.VENUE)
    assert (rate.cap, rate.floor) == (Decimal("0.0031"), Decimal("-0.003"))
    assert rate.next_funding_at == NEXT
    assert (rate.mark_price, rate.index_price) == (60_012, Decimal("60001.353333"))
    assert_exact(rate)


def test_touch_depth_and_activity() -> None:
    top, activity = venue().one(BITCOIN, CcxtMarketData.book_tops, CcxtMarketData.activity)
    book = venue().ask(lambda data: data.depth(BITCOIN, levels=5))

    assert (top.bid, top.bid_quantity, top.ask) == (60_010, Decimal("0.5091"), Decimal("60010.5"))
    assert (activity.open_interest, activity.turnover_usd) == (
        Decimal("42125.6844"),
        Decimal("1234567890.5"),
    )
    assert book.asks[0].price == Decimal("60010.5")


def test_history_is_read_back_to_the_day_asked_for_and_no_further() -> None:
    at = venue()
    since = NOW - timedelta(hours=4 * 150)
    found = at.ask(lambda data: data.settled_funding(BITCOIN, since=since))

    assert len(found) == 150
    assert found[0].settled_at >= since
    assert found == sorted(found, key=lambda one: one.settled_at)
    assert [query["pageNo"] for query in at.requests("/history-fund-rate")] == ["1", "2"]


@pytest.mark.parametrize(
    ("closed_to_new", "gone"),
    [("-1", "1772400000000"), ("1772400000000", "1772403600000"), ("1772400000000", "-1")],
)
def test_contract_that_goes_ends_when_nothing_may_be_opened_any_more(
    closed_to_new: str, gone: str
) -> None:
    listed = CONTRACT | {"limitOpenTime": closed_to_new, "offTime": gone}
    asked = CannedVenue("bitget", {"/mix/market/contracts": of_dollars(listed)})

    [instrument] = asked.ask(CcxtMarketData.instruments)

    assert instrument.expires_at == datetime(2026, 3, 1, 21, 20, tzinfo=UTC)


def test_contract_that_trades_on_after_its_opening_was_to_end_has_no_end() -> None:
    listed = CONTRACT | {"limitOpenTime": "1672400000000", "offTime": "-1"}
    asked = CannedVenue("bitget", {"/mix/market/contracts": of_dollars(listed)})

    [instrument] = asked.ask(CcxtMarketData.instruments)

    assert (instrument.expires_at, instrument.is_active) == (None, True)


@pytest.mark.parametrize("state", ["limit_open", "maintain", "off"])
@pytest.mark.parametrize("since", ["1672400000000", "-1"])
def test_contract_that_may_only_be_reduced_trades_and_its_end_has_come(
    since: str, state: str
) -> None:
    """Closing is what it is still for: an exit that waited would wait until it is settled."""
    listed = CONTRACT | {"symbolStatus": state, "limitOpenTime": since, "offTime": "-1"}
    asked = CannedVenue("bitget", {"/mix/market/contracts": of_dollars(listed)})

    [instrument] = asked.ask(CcxtMarketData.instruments)

    is_reduced = state == "limit_open"
    assert instrument.is_active is is_reduced
    assert not is_reduced or (instrument.expires_at and instrument.expires_at <= NOW)
