"""Deribit's tickers through the real feed.

Written after docs.deribit.com (`ticker`, `public/subscribe`, `public/set_heartbeat`), in the shape
of the recorded messages, which are of inverse contracts; those are read as they are where present.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.domain import BookTop, FundingRate, IntervalSource, MarketFact, Quote, Symbol
from exchanges.interval_table import IntervalTable
from tests.protocol.canned_sockets import CannedSockets
from tests.protocol.conftest import assert_exact
from tests.protocol.test_deribit import BITCOIN, CONTRACT, HOURS, answered, venue
from tests.protocol.test_recorded_payloads import ADAPTERS, recorded

pytestmark = pytest.mark.protocol

ETHER = Symbol("ETH/USDC:USDC")
REFUSAL = {
    "jsonrpc": "2.0",
    "id": 1,
    "error": {"code": 10028, "message": "too_many_requests", "data": None},
}
HEARTBEAT = {"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": "heartbeat"}}
TEST = {"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": "test_request"}}
Enough = Callable[[list[MarketFact]], bool]


def ticker(**changes: Any) -> dict[str, Any]:
    """Return a ticker of bitcoin: the funding of eight hours, amounts in coins."""
    data: dict[str, Any] = {
        "timestamp": 1765541474086,
        "state": "open",
        "index_price": 60001.2,
        "instrument_name": "BTC_USDC-PERPETUAL",
        "last_price": 60010.5,
        "open_interest": 345.6789,
        "mark_price": 60010.02,
        "best_ask_price": 60010.5,
        "best_bid_price": 60009.5,
        "best_ask_amount": 0.402,
        "best_bid_amount": 1.143,
        "current_funding": -0.00016,
        "funding_8h": 0.0000123,
    }
    return told(data | changes)


def told(data: dict[str, Any]) -> dict[str, Any]:
    channel = f"ticker.{data['instrument_name']}.100ms"
    params = {"channel": channel, "data": data}
    return {"jsonrpc": "2.0", "method": "subscription", "params": params}


def two_contracts() -> Any:
    ether = CONTRACT | {"instrument_name": "ETH_USDC-PERPETUAL", "base_currency": "ETH"}
    return venue(**{"/public/get_instruments": answered([CONTRACT, ether])})


def speaking(*frames: Any) -> CannedSockets:
    def speech(said: Any) -> Any:
        match said and said["method"]:
            case "public/set_heartbeat":
                return [answered("ok")]
            case "public/subscribe":
                return [answered(said["params"]["channels"]), *frames]
        return []

    return CannedSockets(two_contracts(), speech)


def heard(*frames: Any, enough: Enough = lambda facts: len(facts) >= 3) -> list[MarketFact]:
    return speaking(*frames).facts(enough)


def of_kind(facts: list[MarketFact], kind: type) -> Any:
    [found] = [fact for fact in facts if isinstance(fact, kind)]
    assert_exact(found)
    return found


def test_one_message_tells_mark_rate_of_an_hour_and_touch_in_coins() -> None:
    facts = heard(ticker())
    mark, rate, top = (of_kind(facts, kind) for kind in (Quote, FundingRate, BookTop))

    assert (mark.symbol, mark.mark_price, mark.index_price) == (
        BITCOIN,
        Decimal("60010.02"),
        Decimal("60001.2"),
    )
    # -0.016 % in eight hours.
    assert rate.funding_rate == Decimal("-0.00002")
    assert (rate.interval_source, rate.next_funding_at) == (IntervalSource.UNKNOWN, None)
    assert (top.bid, top.bid_quantity) == (Decimal("60009.5"), Decimal("1.143"))
    assert (top.ask, top.ask_quantity) == (Decimal("60010.5"), Decimal("0.402"))


def test_rate_is_the_one_that_the_list_tells_and_gets_its_interval_there() -> None:
    listed = venue().one(BITCOIN, CcxtMarketData.funding_rates)
    streamed = of_kind(heard(ticker(current_funding=0.00016)), FundingRate)
    intervals = IntervalTable()
    intervals.learn([listed])
    completed = intervals.complete(streamed)

    assert streamed.funding_rate == listed.funding_rate == Decimal("0.00002")
    assert (completed.interval_seconds, completed.interval_source) == (
        3600,
        IntervalSource.SETTLEMENT_SPACING,
    )
    assert completed.is_tradable


def test_history_that_counts_otherwise_than_by_the_hour_tells_no_interval() -> None:
    every_other = [
        {"timestamp": int(at.timestamp() * 1000), "interest_1h": 0.00001, "interest_8h": 0.0001}
        for at in (HOURS[0], HOURS[2], HOURS[2] + (HOURS[2] - HOURS[0]))
    ]
    at = venue(**{"/public/get_funding_rate_history": answered(every_other)})
    rate = at.one(BITCOIN, CcxtMarketData.funding_rates)

    assert (rate.interval_seconds, rate.next_funding_at) == (None, None)
    assert rate.funding_rate == Decimal("0.00002")


@pytest.mark.parametrize("none", [None, 0])
def test_empty_side_is_no_touch_and_a_dated_future_has_no_rate(none: Any) -> None:
    empty = ticker(best_bid_price=none, best_bid_amount=none, current_funding=None)
    ether = ticker(instrument_name="ETH_USDC-PERPETUAL")
    facts = heard(empty, ether, enough=lambda facts: len(facts) >= 4)

    assert [type(fact) for fact in facts if fact.symbol == BITCOIN] == [Quote]
    assert {type(fact) for fact in facts if fact.symbol == ETHER} == {Quote, FundingRate, BookTop}


def test_contracts_are_subscribed_in_one_request_after_heartbeats_were_ordered() -> None:
    at = speaking(ticker())
    at.facts(lambda facts: len(facts) >= 3)

    assert at.said == [
        {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "public/set_heartbeat",
            "params": {"interval": 30},
        },
        {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "public/subscribe",
            "params": {
                "channels": ["ticker.BTC_USDC-PERPETUAL.100ms", "ticker.ETH_USDC-PERPETUAL.100ms"]
            },
        },
    ]
    assert at.paths == ["/ws/api/v2"]


def test_test_of_the_venue_is_answered_and_its_heartbeat_is_not() -> None:
    def speech(said: Any) -> Any:
        match said and said["method"]:
            case "public/subscribe":
                return [HEARTBEAT, TEST]
            case "public/test":
                return [answered({"version": "1.2.26"}), ticker()]
        return []

    at = CannedSockets(two_contracts(), speech)
    at.facts(lambda facts: len(facts) >= 3)

    assert [said["method"] for said in at.said] == [
        "public/set_heartbeat",
        "public/subscribe",
        "public/test",
    ]


def test_refusal_closes_the_socket_which_is_opened_again() -> None:
    answers = [[REFUSAL], [], [], [ticker()]]
    at = CannedSockets(two_contracts(), lambda said: answers.pop(0) if said and answers else [])
    at.facts(lambda found: len(found) >= 3)

    assert len(at.paths) == 2


@pytest.mark.skipif(not ADAPTERS.is_dir(), reason="../shared with recorded payloads is absent")
def test_recorded_messages_are_understood_and_of_inverse_contracts_nothing_is_told() -> None:
    names = ("subscribe_response", "test_request", "ticker")
    facts = heard(*(recorded(f"deribit/ws_{name}.json") for name in names), ticker())

    assert {fact.symbol for fact in facts} == {BITCOIN}


@pytest.mark.skipif(not ADAPTERS.is_dir(), reason="../shared with recorded payloads is absent")
def test_recorded_ticker_has_the_shape_that_is_read() -> None:
    data = recorded("deribit/ws_ticker.json")["params"]["data"]
    facts = heard(told(data | {"instrument_name": "BTC_USDC-PERPETUAL"}))

    assert of_kind(facts, Quote).index_price == Decimal("92263.55")
    assert of_kind(facts, FundingRate).funding_rate == 0
    assert of_kind(facts, BookTop).ask_quantity == 186_520
