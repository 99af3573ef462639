"""Bitget's sockets through the real feeds, on loopback.

Frames after www.bitget.com/api-doc (v2, contract, Tickers Channel); the refusal of one symbol
after what others saw.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import orjson
import pytest

from exchanges.domain import BookTop, FundingRate, IntervalSource, MarketFact, Quote, Symbol
from tests.protocol import test_bitget
from tests.protocol.canned_sockets import CannedSockets
from tests.protocol.conftest import assert_exact
from tests.protocol.spoilt_frames import Ear
from tests.protocol.test_bitget import BITCOIN, CONTRACT, NEXT, answered

pytestmark = pytest.mark.protocol

ETHER = Symbol("ETH/USDC:USDC")
ETHER_CONTRACT = CONTRACT | {
    "symbol": "ETHPERP",
    "baseCoin": "ETH",
    "quoteCoin": "USDC",
    "supportMarginCoins": ["USDC"],
}
ROW = {
    "instId": "BTCUSDT",
    "lastPr": "60010",
    "bidPr": "60009.5",
    "askPr": "60010",
    "bidSz": "0.1",
    "askSz": "3.055",
    "fundingRate": "-0.000096",
    "nextFundingTime": str(int(NEXT.timestamp() * 1000)),
    "markPrice": "60012.4",
    "indexPrice": "60001.353333",
    "holdingAmount": "50670.787",
    "symbolType": "1",
    "symbol": "BTCUSDT",
    "deliveryPrice": "0",
    "ts": "1701843962811",
}


def told(**changes: str) -> dict[str, Any]:
    row = ROW | changes
    arg = {"instType": "USDT-FUTURES", "channel": "ticker", "instId": row["instId"]}
    return {"action": "snapshot", "arg": arg, "data": [row], "ts": 1701843962812}


def acknowledged(arg: Any) -> dict[str, Any]:
    return {"event": "subscribe", "arg": arg}


def refused(arg: Mapping[str, str]) -> dict[str, Any]:
    said = f"instType:{arg['instType']},channel:ticker,instId:{arg['instId']} doesn't exist"
    return {"event": "error", "arg": arg, "code": 30001, "msg": said, "op": "subscribe"}


def speech(said: Any) -> Iterator[Any]:
    """Acknowledge, and tell of each contract that is asked for."""
    if isinstance(said, dict):
        for arg in said["args"]:
            yield acknowledged(arg)
            yield told(instId=arg["instId"])


def listed(*rows: Mapping[str, Any]) -> Any:
    def contracts(query: Mapping[str, str]) -> Any:
        coin = query["productType"].partition("-")[0]
        return answered([row for row in rows if row["supportMarginCoins"] == [coin]])

    return test_bitget.venue(**{"/mix/market/contracts": contracts})


def all_told(facts: list[MarketFact]) -> bool:
    return {type(fact) for fact in facts} == {Quote, FundingRate, BookTop}


def test_one_ticker_tells_marks_rate_and_touch() -> None:
    quote, rate, top = CannedSockets(test_bitget.venue(), speech).facts(all_told)

    assert isinstance(quote, Quote) and isinstance(rate, FundingRate) and isinstance(top, BookTop)
    assert (str(quote.mark_price), str(quote.index_price)) == ("60012.4", "60001.353333")
    assert (str(rate.funding_rate), rate.next_funding_at) == ("-0.000096", NEXT)
    assert (rate.interval_seconds, rate.interval_source) == (None, IntervalSource.UNKNOWN)
    assert (rate.mark_price, rate.index_price) == (quote.mark_price, quote.index_price)
    assert (str(top.bid), str(top.bid_quantity)) == ("60009.5", "0.1")
    assert (str(top.ask), str(top.ask_quantity)) == ("60010", "3.055")
    for fact in (quote, rate, top):
        assert fact.symbol == BITCOIN
        assert_exact(fact)


def test_a_thousand_of_a_coin_is_counted_and_priced_as_one() -> None:
    scaled = CONTRACT | {"symbol": "1000SATSUSDT", "baseCoin": "1000SATS", "minTradeNum": "1"}
    facts = CannedSockets(listed(scaled), speech).facts(all_told)

    [top] = [fact for fact in facts if isinstance(fact, BookTop)]
    assert (str(top.bid), top.bid_quantity) == ("60.0095", 100)


def test_both_products_are_asked_for_by_their_name() -> None:
    at = CannedSockets(listed(CONTRACT, ETHER_CONTRACT), speech)
    facts = at.facts(lambda facts: {fact.symbol for fact in facts} == {BITCOIN, ETHER})

    assert all_told(facts)
    assert at.said == [
        {
            "op": "subscribe",
            "args": [
                {"instType": "USDT-FUTURES", "channel": "ticker", "instId": "BTCUSDT"},
                {"instType": "USDC-FUTURES", "channel": "ticker", "instId": "ETHPERP"},
            ],
        }
    ]


def test_a_socket_is_asked_for_fewer_than_fifty_in_one_short_request() -> None:
    # As long as the longest name there was.
    names = [f"1000000LONGCOIN{number:02}USDT" for number in range(60)]
    rows = [CONTRACT | {"symbol": name, "baseCoin": name.removesuffix("USDT")} for name in names]
    at = CannedSockets(listed(*rows), speech)
    at.facts(lambda facts: len({fact.symbol for fact in facts}) == 60)

    asked = [[arg["instId"] for arg in said["args"]] for said in at.said]
    assert sorted(asked) == sorted([names[:45], names[45:]])
    assert len(at.paths) == 2
    assert max(len(orjson.dumps(said)) for said in at.said) <= 4096


def test_a_contract_that_the_venue_does_not_know_keeps_no_other_silent() -> None:
    gone = CONTRACT | {"symbol": "GONEUSDT", "baseCoin": "GONE"}

    def unknown_one(said: Any) -> Iterator[Any]:
        for arg in said["args"] if said else ():
            if arg["instId"] == "GONEUSDT":
                yield refused(arg)
                return
        yield from speech(said)

    at = CannedSockets(listed(gone, CONTRACT), unknown_one)
    facts = at.facts(all_told)

    assert {fact.symbol for fact in facts} == {BITCOIN}
    assert [[arg["instId"] for arg in said["args"]] for said in at.said] == [
        ["GONEUSDT", "BTCUSDT"],
        ["BTCUSDT"],
    ]


def test_the_socket_is_kept_alive_with_a_word_of_text() -> None:
    said: list[Any] = []

    async def send(message: Any) -> None:
        said.append(message)

    [feed] = ear().feeds
    assert feed.upkeep is not None
    asyncio.run(feed.upkeep(send))  # type: ignore[arg-type]  # a coroutine, as every feed's

    assert said == ["ping"]
    assert feed.upkeep_every < 30


@cache
def ear() -> Ear:
    return Ear(test_bitget.venue())


FRAMES = (
    told(),
    told(nextFundingTime=""),
    acknowledged(told()["arg"]),
    refused({"instType": "USDT-FUTURES", "instId": "ELSEUSDT"}),
)


@pytest.mark.parametrize("body", [orjson.dumps(FRAMES[2]), b"pong"], ids=["acknowledged", "pong"])
def test_an_answer_is_no_data(body: bytes) -> None:
    assert ear().tells(body) == ([], [False])


def test_what_was_not_asked_for_is_no_fact_but_shows_that_the_venue_speaks() -> None:
    assert ear().tells(orjson.dumps(told(instId="ELSEUSDT"))) == ([], [True])


def test_an_empty_side_is_no_touch_and_no_settlement_no_date() -> None:
    facts, _ = ear().tells(orjson.dumps(told(bidPr="", bidSz="", nextFundingTime="")))

    assert [type(fact) for fact in facts] == [Quote, FundingRate]
    assert [fact.next_funding_at for fact in facts if isinstance(fact, FundingRate)] == [None]
