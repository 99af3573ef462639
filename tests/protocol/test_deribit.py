"""Deribit's linear perpetuals through the real adapter.

Payloads from its documentation (docs.deribit.com, market data), a book of the recorded ones.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from exchanges.ccxt_adapter.client import Catalogue, VenueClient
from exchanges.ccxt_adapter.library import Surroundings
from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.domain import IntervalSource, SettlementKind, Symbol
from exchanges.errors import VenueError
from exchanges.venues import PROFILES
from tests.protocol.canned import NOW, CannedVenue
from tests.protocol.conftest import assert_exact
from tests.protocol.test_recorded_payloads import ADAPTERS, recorded
from tests.simulation.transport import InProcessSession
from tests.simulator.nearby import call

pytestmark = pytest.mark.protocol

BITCOIN = Symbol("BTC/USDC:USDC")
HOURS = [NOW.replace(minute=0) - timedelta(hours=back) for back in (3, 2, 1, 0)]
CONTRACT = {
    "price_index": "btc_usdc",
    "kind": "future",
    "instrument_name": "BTC_USDC-PERPETUAL",
    "max_leverage": 50,
    "maker_commission": 0.0,
    "taker_commission": 0.0005,
    "expiration_timestamp": 32503708800000,
    "is_active": True,
    "tick_size": 0.5,
    "contract_size": 0.0001,
    "min_trade_amount": 0.0002,
    "future_type": "linear",
    "instrument_type": "linear",
    "settlement_currency": "USDC",
    "settlement_period": "perpetual",
    "base_currency": "BTC",
    "counter_currency": "USDC",
    "quote_currency": "USDC",
}
DATED = CONTRACT | {
    "instrument_name": "BTC_USDC-27MAR26",
    "settlement_period": "month",
    "expiration_timestamp": 1774598400000,
}
SUMMARY = {
    "instrument_name": "BTC_USDC-PERPETUAL",
    "mark_price": 60010.02,
    "open_interest": 345.6789,
    "volume": 177.18,
    "volume_usd": 10632000.5,
    "volume_notional": 10632000.5,
    "estimated_delivery_price": 60001.2,
    "current_funding": 0.00016,
    "funding_8h": 0.0000123,
    "bid_price": 60009.5,
    "ask_price": 60010.5,
}


def answered(result: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "result": result, "usIn": 1, "usOut": 2, "usDiff": 1}


def venue(**changes: Any) -> CannedVenue:
    payloads = {
        "/public/get_instruments": answered([CONTRACT, DATED]),
        "/public/get_book_summary_by_currency": answered(
            [SUMMARY, {"instrument_name": "BTC_USDC-27MAR26", "mark_price": 60500.0}]
        ),
        "/public/get_funding_rate_history": answered(
            [
                {
                    "timestamp": int(at.timestamp() * 1000),
                    "index_price": 60000.0,
                    "prev_index_price": 59990.0,
                    "interest_8h": 0.0001,
                    "interest_1h": float(f"0.00001{number}"),
                }
                for number, at in enumerate(HOURS)
            ]
        ),
        "/public/get_funding_rate_value": answered(-0.00025056853702101664),
        "/public/get_time": answered(int(NOW.timestamp() * 1000)),
    }
    return CannedVenue("deribit", payloads | changes)


def test_linear_contract_counts_coins_in_steps_of_a_contract() -> None:
    at = venue()
    [instrument] = at.ask(CcxtMarketData.instruments)

    assert instrument.symbol == BITCOIN
    assert (instrument.contract_base, instrument.lot) == (1, Decimal("0.0001"))
    assert (instrument.min_base_quantity, instrument.price_tick) == (
        Decimal("0.0002"),
        Decimal("0.5"),
    )
    assert (instrument.max_leverage, instrument.settlement) == (50, SettlementKind.ACCRUED)
    # 0.112089298 dollars of 8.406277 were asked for on the testnet, 1.334 %.
    assert instrument.maintenance_margin_rate == Decimal("0.0134")
    assert at.requests("/get_instruments") == [{"currency": "USDC", "kind": "future"}]
    assert_exact(instrument)


def test_rate_of_eight_hours_is_told_for_the_hour_that_the_history_counts_by() -> None:
    rate = venue().one(BITCOIN, CcxtMarketData.funding_rates)

    assert rate.funding_rate == Decimal("0.00002")
    assert (rate.interval_seconds, rate.interval_source) == (
        3600,
        IntervalSource.SETTLEMENT_SPACING,
    )
    assert rate.next_funding_at == datetime(2026, 3, 1, 13, tzinfo=UTC)
    assert rate.mark_price == Decimal("60010.02")
    assert_exact(rate)


def test_without_a_history_the_interval_is_not_known() -> None:
    rate = venue(**{"/public/get_funding_rate_history": answered([])}).one(
        BITCOIN, CcxtMarketData.funding_rates
    )

    assert (rate.interval_seconds, rate.is_tradable) == (None, False)


def test_settlements_are_those_of_an_hour() -> None:
    found = venue().ask(lambda data: data.settled_funding(BITCOIN, since=HOURS[0]))

    assert [one.settled_at for one in found] == HOURS
    assert found[1].funding_rate == Decimal("0.000011")


def test_what_was_owed_between_two_instants_is_a_fraction_asked_for_by_the_millisecond() -> None:
    at, since = venue(), HOURS[2] + timedelta(milliseconds=1)
    rate = at.ask(lambda data: data.accrued_rate(BITCOIN, since=since, until=HOURS[3]))

    # As its documentation shows: below 0, longs received.
    assert rate == Decimal("-0.00025056853702101664")
    [asked] = at.requests("/get_funding_rate_value")
    assert asked == {
        "instrument_name": "BTC_USDC-PERPETUAL",
        "start_timestamp": "1772362800001",
        "end_timestamp": "1772366400000",
    }


@pytest.mark.parametrize(
    "result",
    [None, True, "", "n/a", "NaN", "Infinity", 1e300, [], [0.0001], {}, {"result": 0.0001}],
    ids=repr,
)
def test_what_was_owed_is_a_number_or_unknown(result: Any) -> None:
    at = venue(**{"/public/get_funding_rate_value": answered(result)})

    with pytest.raises(VenueError):
        at.ask(lambda data: data.accrued_rate(BITCOIN, since=HOURS[2], until=HOURS[3]))


def test_a_span_that_the_venue_does_not_take_is_refused_in_its_words() -> None:
    answer = {"error": {"code": -32602, "message": "Invalid params"}, "jsonrpc": "2.0"}
    at = venue(**{"/public/get_funding_rate_value": answer})

    with pytest.raises(VenueError, match="Invalid params"):
        at.ask(lambda data: data.accrued_rate(BITCOIN, since=HOURS[0], until=HOURS[1]))


def test_activity_in_coins_and_dollars() -> None:
    activity = venue().one(BITCOIN, CcxtMarketData.activity)

    assert activity.open_interest == Decimal("345.6789")
    assert activity.turnover_usd == Decimal("10632000.5")


@pytest.mark.skipif(not ADAPTERS.is_dir(), reason="../shared with recorded payloads is absent")
def test_recorded_book_is_read() -> None:
    book = venue(**{"/public/get_order_book": recorded("deribit/http_get_order_book.json")}).ask(
        lambda data: data.depth(BITCOIN, levels=20)
    )

    assert (book.bids[0].price, book.asks[0].price) == (Decimal("87002.5"), 87_003)
    assert book.bids[0].base_quantity == 199_190


def test_a_list_that_is_never_asked_says_nothing_of_the_venue_s_health() -> None:
    far, noted = venue(), list[str]()
    surroundings = Surroundings(
        now=lambda: far.now, session=lambda: InProcessSession(lambda: far), note=noted.append
    )
    client = VenueClient(Catalogue(PROFILES["deribit"]), surroundings=surroundings)
    data = CcxtMarketData(client)
    call(client.ready())
    heard, asked = list(noted), len(far.asked)

    assert call(data.book_tops()) == []

    assert (noted, len(far.asked)) == (heard, asked)
    call(client.close())
