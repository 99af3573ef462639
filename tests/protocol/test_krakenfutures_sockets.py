"""Kraken's ticker through the real feed: a recorded message, under the name of a linear contract.

What is answered to a subscription is written after docs.kraken.com/api, Futures, WebSocket.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.domain import BookTop, FundingRate, IntervalSource, MarketFact, Quote
from tests.protocol.canned_sockets import CannedSockets
from tests.protocol.conftest import assert_exact
from tests.protocol.test_krakenfutures import ETHER, PEPE, venue
from tests.protocol.test_recorded_payloads import ADAPTERS, recorded

pytestmark = [
    pytest.mark.protocol,
    pytest.mark.skipif(not ADAPTERS.is_dir(), reason="../shared with recorded payloads is absent"),
]

WELCOME = {"event": "info", "version": 1}
REFUSAL = {"event": "error", "message": "Invalid product id"}
Enough = Callable[[list[MarketFact]], bool]


def ticker(**changes: Any) -> dict[str, Any]:
    """Return the recorded ticker as one of ether: 0.000015 dollars an hour at 3,202.75."""
    row: dict[str, Any] = recorded("kraken/ws_futures_ticker.json")
    ether = {
        "product_id": "PF_ETHUSD",
        "funding_rate": 1.5e-05,
        "index": 3202.75,
        "markPrice": 3205.25,
        "bid": 3200.1,
        "bid_size": 0.25,
        "ask": 3210.5,
        "ask_size": 150.0,
    }
    return row | ether | changes


def heard(*frames: Any, enough: Enough = lambda facts: len(facts) >= 3) -> list[MarketFact]:
    return speaking(*frames).facts(enough)


def speaking(*frames: Any) -> CannedSockets:
    def speech(said: Any) -> Any:
        if said is None:
            return [WELCOME]
        return [{**said, "event": "subscribed"}, *frames]

    return CannedSockets(venue(), speech)


def of_kind(facts: list[MarketFact], kind: type) -> Any:
    [found] = [fact for fact in facts if isinstance(fact, kind)]
    assert_exact(found)
    return found


def test_one_message_tells_mark_rate_and_touch_in_coins() -> None:
    facts = heard(ticker())
    mark, rate, top = (of_kind(facts, kind) for kind in (Quote, FundingRate, BookTop))

    assert (mark.symbol, mark.mark_price, mark.index_price) == (
        ETHER,
        Decimal("3205.25"),
        Decimal("3202.75"),
    )
    assert (rate.interval_seconds, rate.interval_source) == (None, IntervalSource.UNKNOWN)
    assert rate.next_funding_at == datetime(2023, 2, 14, 17, tzinfo=UTC)
    assert (top.bid, top.bid_quantity) == (Decimal("3200.1"), Decimal("0.25"))
    assert (top.ask, top.ask_quantity) == (Decimal("3210.5"), 150)


def test_rate_is_the_one_that_the_list_tells() -> None:
    streamed = of_kind(heard(ticker()), FundingRate)
    listed = venue().one(ETHER, CcxtMarketData.funding_rates)

    # 0.000015 / 3202.75, whatever the message calls its relative rate.
    assert streamed.funding_rate == listed.funding_rate == Decimal("0.0000000046834751")


def test_rate_that_is_left_out_is_zero_and_one_below_it_stays_so() -> None:
    without = ticker()
    del without["funding_rate"]

    assert of_kind(heard(without), FundingRate).funding_rate == 0
    paid_by_shorts = of_kind(heard(ticker(funding_rate=-1.5e-05)), FundingRate)
    assert paid_by_shorts.funding_rate == Decimal("-0.0000000046834751")


def test_empty_side_is_no_touch() -> None:
    empty = ticker()
    del empty["bid"], empty["bid_size"]
    facts = heard(empty, ticker(product_id="PF_PEPEUSD"), enough=lambda facts: len(facts) >= 5)

    assert [fact.symbol for fact in facts if isinstance(fact, BookTop)] == [PEPE]


def test_contract_that_was_not_asked_for_is_passed_over() -> None:
    facts = heard(recorded("kraken/ws_futures_ticker.json"), ticker())

    assert {fact.symbol for fact in facts} == {ETHER}


def test_all_contracts_are_subscribed_at_once() -> None:
    at = speaking(ticker())
    at.facts(lambda facts: len(facts) >= 3)

    [said] = at.said
    assert (said["event"], said["feed"]) == ("subscribe", "ticker")
    assert {"PF_ETHUSD", "PF_PEPEUSD"} <= set(said["product_ids"])
    assert "PI_XBTUSD" not in said["product_ids"]
    assert at.paths == ["/ws/v1"]


@pytest.mark.parametrize("refusal", [REFUSAL, {"event": "alert", "message": "Bad request"}])
def test_refusal_closes_the_socket_which_is_opened_again(refusal: dict[str, Any]) -> None:
    answers = [[refusal], [ticker()]]
    at = CannedSockets(venue(), lambda said: answers.pop(0) if said and answers else [])
    facts = at.facts(lambda found: len(found) >= 3)

    assert len(at.paths) == 2
    assert {fact.symbol for fact in facts} == {ETHER}
