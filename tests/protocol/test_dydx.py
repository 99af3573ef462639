"""dYdX v4 through the real adapter: recorded payloads, and a history as its documentation has it.

Source of what is written here: docs.dydx.xyz, Indexer, HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.domain import IntervalSource, SettlementKind, Symbol
from tests.protocol.canned import CannedVenue
from tests.protocol.conftest import assert_exact
from tests.protocol.test_recorded_payloads import ADAPTERS, recorded

pytestmark = [
    pytest.mark.protocol,
    pytest.mark.skipif(not ADAPTERS.is_dir(), reason="../shared with recorded payloads is absent"),
]

BITCOIN = Symbol("BTC/USDC:USDC")
# Twelve minutes after the last settlement of the recording.
NOW = datetime(2025, 12, 8, 16, 12, tzinfo=UTC)


def told(name: str) -> Any:
    return recorded(f"dydx/http_get_{name}.json")["result"]


def recorded_venue(**changes: Any) -> CannedVenue:
    payloads = {
        "/v4/time": told("time"),
        "/v4/perpetualMarkets": told("perpetual_markets"),
        "/v4/historicalFunding/BTC-USD": told("historical_funding"),
        "/v4/orderbooks/perpetualMarket/BTC-USD": told("orderbook"),
    }
    return CannedVenue("dydx", payloads | changes, now=NOW)


def settled(*instants: str) -> dict[str, Any]:
    return {
        "historicalFunding": [
            {
                "ticker": "BTC-USD",
                "rate": "0.00001",
                "price": "90000",
                "effectiveAtHeight": "1",
                "effectiveAt": f"2025-12-08T{at}Z",
            }
            for at in instants
        ]
    }


def test_contract_is_one_coin_margined_in_usdc() -> None:
    instrument = recorded_venue().one(BITCOIN, CcxtMarketData.instruments)

    assert (instrument.base, instrument.settle, instrument.contract_base) == ("BTC", "USDC", 1)
    assert (instrument.price_tick, instrument.lot) == (1, Decimal("0.0001"))
    # 2 % of initial and 1.2 % of maintenance margin.
    assert (instrument.max_leverage, instrument.maintenance_margin_rate) == (50, Decimal("0.012"))
    assert instrument.settlement is SettlementKind.HOURLY
    assert instrument.is_active
    assert_exact(instrument)


def test_what_is_margined_apart_or_named_by_an_address_is_left_out() -> None:
    markets = told("perpetual_markets")["markets"]
    markets["ETH-USD"]["marketType"] = "ISOLATED"
    markets["SOL-USD"]["ticker"] = "SOL,RAYDIUM,9BB6NFEcjBCtnNLFko2FqVQBq8HHM13kCyYcdQbgpump-USD"
    venue = recorded_venue(**{"/v4/perpetualMarkets": {"markets": markets}})

    assert [one.symbol for one in venue.ask(CcxtMarketData.instruments)] == [BITCOIN]


def test_paused_market_is_listed_as_inactive() -> None:
    markets = told("perpetual_markets")["markets"]
    markets["BTC-USD"]["status"] = "CANCEL_ONLY"
    venue = recorded_venue(**{"/v4/perpetualMarkets": {"markets": markets}})

    assert not venue.one(BITCOIN, CcxtMarketData.instruments).is_active


def test_rate_of_this_hour_with_mark_interval_and_settlement() -> None:
    rate = recorded_venue().one(BITCOIN, CcxtMarketData.funding_rates)

    assert rate.funding_rate == Decimal("0.00000254545454545455")
    assert (rate.mark_price, rate.index_price) == (Decimal("89919.2"), Decimal("89919.2"))
    # 14:00, 15:00 and 16:00, each less than a second late.
    assert (rate.interval_seconds, rate.interval_source) == (
        3600,
        IntervalSource.SETTLEMENT_SPACING,
    )
    assert rate.next_funding_at == datetime(2025, 12, 8, 17, tzinfo=UTC)
    assert_exact(rate)


def test_history_is_asked_again_only_when_a_settlement_has_passed() -> None:
    venue = recorded_venue()

    async def an_hour_later(data: CcxtMarketData) -> Any:
        venue.now += timedelta(hours=1)
        return await data.funding_rates()

    rates = CcxtMarketData.funding_rates
    *before, after = venue.one(BITCOIN, rates, rates, rates, an_hour_later)

    assert len(venue.requests("/historicalFunding/BTC-USD")) == 2
    assert {one.next_funding_at.hour for one in before} == {17}
    # Its row is not written yet: the one after it comes next.
    assert after.next_funding_at == datetime(2025, 12, 8, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    "instants",
    [
        ("16:00:00.219", "15:00:00.586"),
        ("16:00:00.219", "15:00:00.586", "13:00:00.112"),
        ("08:00:00.219", "07:00:00.586", "06:00:00.112"),
        (),
    ],
    ids=["too few", "uneven", "long past", "none"],
)
def test_interval_that_settlements_do_not_show_is_not_known(instants: tuple[str, ...]) -> None:
    venue = recorded_venue(**{"/historicalFunding/BTC-USD": settled(*instants)})
    venue.payloads.pop("/v4/historicalFunding/BTC-USD")

    rate = venue.one(BITCOIN, CcxtMarketData.funding_rates)

    assert (rate.interval_seconds, rate.is_tradable) == (None, False)
    assert rate.interval_source is IntervalSource.UNKNOWN


def test_settlements_with_their_price_come_oldest_first() -> None:
    venue = recorded_venue()
    since = datetime(2025, 12, 8, 15, tzinfo=UTC)

    found = venue.ask(lambda data: data.settled_funding(BITCOIN, since=since))

    assert [one.funding_rate for one in found] == [Decimal("0.000000375"), Decimal("0.000002375")]
    assert found[1].settlement_price == Decimal("89993.8")
    assert found[1].settled_at == datetime(2025, 12, 8, 16, 0, 0, 219_000, tzinfo=UTC)
    assert venue.requests("/historicalFunding/BTC-USD")[-1]["effectiveBeforeOrAt"].endswith("Z")


def test_every_page_of_a_long_history_is_read_once() -> None:
    hours = [NOW.replace(minute=0) - timedelta(hours=back) for back in range(250)]

    def page(query: Mapping[str, str]) -> dict[str, Any]:
        until = datetime.fromisoformat(query["effectiveBeforeOrAt"])
        told = [at for at in hours if at <= until][: int(query["limit"])]
        rows = settled(*["00:00:00.000"] * len(told))["historicalFunding"]
        return {
            "historicalFunding": [
                row | {"effectiveAt": at.isoformat().replace("+00:00", "Z")}
                for row, at in zip(rows, told, strict=True)
            ]
        }

    venue = recorded_venue(**{"/v4/historicalFunding/BTC-USD": page})
    found = venue.ask(lambda data: data.settled_funding(BITCOIN, since=hours[-1]))

    assert [one.settled_at for one in found] == hours[::-1]


def test_book_open_interest_turnover_and_clock() -> None:
    venue = recorded_venue()
    book, [activity, *_], clock, tops = venue.ask(
        lambda data: data.depth(BITCOIN, levels=5),
        CcxtMarketData.activity,
        CcxtMarketData.server_time,
        CcxtMarketData.book_tops,
    )

    assert (book.bids[0].price, book.bids[0].base_quantity) == (89_947, Decimal("0.0002"))
    assert (book.asks[0].price, book.asks[0].base_quantity) == (89_958, Decimal("0.1177"))
    assert activity.open_interest == Decimal("381.7348")
    assert activity.turnover_usd == Decimal("247500844.6834")
    assert clock == datetime(2025, 12, 8, 16, 11, 56, 125_000, tzinfo=UTC)
    # No list tells them.
    assert tops == []


def test_library_s_own_recorded_market_is_read_as_well() -> None:
    excerpt = ADAPTERS.parents[2] / "ccxt_excerpt/dydx_response_excerpt.json"
    if not excerpt.is_file():
        pytest.skip("../shared with ccxt's excerpt is absent")
    [case] = json.loads(excerpt.read_text())["methods"]["fetchMarkets"]
    venue = recorded_venue(**{"/v4/perpetualMarkets": case["httpResponse"]})

    rate = venue.one(BITCOIN, CcxtMarketData.funding_rates)

    assert rate.funding_rate == Decimal("0.00016451111111111111")
    assert rate.mark_price == Decimal("118700.5426")
