"""Kraken's perpetuals through the real adapter; recorded payloads, a history after its docs.

Source of what is written here: docs.kraken.com/api, Futures.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from exchanges import selectors
from exchanges.ccxt_adapter.calls.kraken_futures import relative
from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.domain import IntervalSource, SettlementKind, Symbol
from exchanges.errors import UnexpectedPayload
from tests.protocol.canned import NOW, CannedVenue
from tests.protocol.conftest import assert_exact
from tests.protocol.test_recorded_payloads import ADAPTERS, recorded

pytestmark = [
    pytest.mark.protocol,
    pytest.mark.skipif(not ADAPTERS.is_dir(), reason="../shared with recorded payloads is absent"),
]

ETHER, PEPE = Symbol("ETH/USD:USD"), Symbol("PEPE/USD:USD")
HOURS = [NOW.replace(minute=0) - timedelta(hours=back) for back in (3, 2, 1, 0)]


def told(name: str) -> Any:
    return recorded(f"kraken/http_futures_{name}.json")


def history(*hours: datetime) -> dict[str, Any]:
    """Return rates of 0.5, 0.51, 0.52 … dollars, on a coin of 40,000."""
    rates = [Decimal("0.5") + number * Decimal("0.01") for number in range(len(hours))]
    return {
        "result": "success",
        "rates": [
            {
                "timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
                "fundingRate": float(rate),
                "relativeFundingRate": float(rate / 40_000),
            }
            for at, rate in zip(hours, rates, strict=True)
        ],
    }


def tickers(now: float, at: str = "2026-03-01T12:30:00.000Z") -> Any:
    """Return the recorded tickers, and what bitcoin pays in the hour that runs."""
    recorded_ones = told("tickers")
    bitcoin = {"symbol": "PF_XBTUSD", "tag": "perpetual", "fundingRate": now, "openInterest": 1}
    prices = {"markPrice": 40_000, "indexPrice": 40_000, "vol24h": 1}
    return {
        **recorded_ones,
        "serverTime": at,
        "tickers": [*recorded_ones["tickers"], bitcoin | prices],
    }


def venue(**changes: Any) -> CannedVenue:
    payloads = {
        "/instruments": told("instruments"),
        "/tickers": tickers(0.53),
        "/tickers/PF_XBTUSD": {"result": "success", "serverTime": "2026-03-01T12:30:00.000Z"},
        "/historicalfundingrates": history(*HOURS),
        "/orderbook": told("orderbook"),
    }
    return CannedVenue("krakenfutures", payloads | changes)


def test_linear_perpetuals_alone_are_listed_in_steps_of_their_precision() -> None:
    found = {one.symbol: one for one in venue().ask(CcxtMarketData.instruments)}
    ether, pepe = found[ETHER], found[PEPE]

    assert (ether.contract_base, ether.lot, ether.price_tick) == (
        1,
        Decimal("0.001"),
        Decimal("0.1"),
    )
    # Of a precision of minus three places.
    assert (pepe.lot, pepe.price_tick) == (1000, Decimal("1e-10"))
    # 2 % of initial and 1 % of maintenance margin.
    assert (ether.max_leverage, ether.maintenance_margin_rate) == (50, Decimal("0.01"))
    assert ether.settlement is SettlementKind.ACCRUED
    # PI_XBTUSD is inverse.
    assert "BTC/USD:BTC" not in found
    assert_exact(ether)


def test_dollars_per_unit_become_a_fraction_of_the_index() -> None:
    rate = venue().one(ETHER, CcxtMarketData.funding_rates)

    # 0.000015 dollars an hour on an ether of 3,202.75.
    assert rate.funding_rate == Decimal("0.0000000046834751")
    assert (rate.interval_seconds, rate.interval_source) == (
        3600,
        IntervalSource.SETTLEMENT_SPACING,
    )
    assert rate.next_funding_at == datetime(2026, 3, 1, 13, tzinfo=UTC)
    assert (rate.cap, rate.floor) == (Decimal("0.0025"), Decimal("-0.0025"))
    assert (rate.mark_price, rate.index_price) == (Decimal("3205.25"), Decimal("3202.75"))
    assert_exact(rate)


@pytest.mark.parametrize(("absolute", "index"), [(None, None), (1, None), (1, 0), (None, 1)])
def test_rate_without_what_it_is_counted_from_is_none(absolute: Any, index: Any) -> None:
    assert relative(absolute, index) is None


def test_history_with_a_gap_tells_no_interval() -> None:
    gapped = venue(**{"/historicalfundingrates": history(*HOURS[:2], HOURS[3])})
    rate = gapped.one(ETHER, CcxtMarketData.funding_rates)

    assert (rate.interval_seconds, rate.is_tradable) == (None, False)


def test_touch_depth_activity_and_clock() -> None:
    top, activity = venue().one(ETHER, CcxtMarketData.book_tops, CcxtMarketData.activity)
    book, clock = venue().ask(lambda data: data.depth(ETHER, levels=5), CcxtMarketData.server_time)

    assert (top.bid, top.bid_quantity) == (3200, 100)
    assert (top.ask, top.ask_quantity) == (Decimal("3210.5"), 150)
    assert activity.open_interest == 1_000_000
    # 500,000 coins at the last price of 3,200.5.
    assert activity.turnover_usd == 1_600_250_000
    assert book.bids[0].price == 105_900
    assert clock == NOW


@pytest.mark.parametrize(
    ("now", "by_beginnings"),
    [(0.53, True), (0.5300000001, True), (0.6, False)],
    ids=["by beginnings", "by beginnings, to more digits", "by ends"],
)
def test_a_rate_stands_at_the_end_of_its_hour_however_the_history_names_it(
    now: float, by_beginnings: bool
) -> None:
    payloads = {"/tickers": tickers(now)}
    found = venue(**payloads).ask(lambda data: data.settled_funding(ETHER, since=HOURS[2]))

    # The newest rate is the one of the hour that runs, or of the hour before.
    first, second = ("0.00001275", "0.000013") if by_beginnings else ("0.000013", "0.00001325")
    assert [(one.settled_at, one.funding_rate, one.settlement_price) for one in found] == [
        (HOURS[2], Decimal(first), 40_000),
        (HOURS[3], Decimal(second), 40_000),
    ]


@pytest.mark.parametrize(
    ("now", "at"),
    [
        (0.52, "2026-03-01T12:30:00.000Z"),
        (0.53, "2026-03-01T12:00:14.000Z"),
        (0.6, "2026-03-01T13:00:00.000Z"),
    ],
    ids=["ticker of the hour before", "just begun", "history not told on"],
)
def test_while_an_hour_turns_no_settlement_is_told(now: float, at: str) -> None:
    turning = venue(**{"/tickers": tickers(now, at)})

    with pytest.raises(UnexpectedPayload):
        turning.ask(lambda data: data.settled_funding(ETHER, since=HOURS[2]))


def test_how_hours_are_named_is_asked_once() -> None:
    asked = venue()

    def settled(data: CcxtMarketData) -> Any:
        return data.settled_funding(ETHER, since=HOURS[2])

    asked.ask(settled, settled)

    named = [one["symbol"] for one in asked.requests("/historicalfundingrates")]
    assert named == ["PF_ETHUSD", "PF_XBTUSD", "PF_ETHUSD"]


def test_coins_at_kraken_and_contracts_there_are_of_one_company() -> None:
    assert selectors.company("krakenfutures") == selectors.company("kraken") == "kraken"
