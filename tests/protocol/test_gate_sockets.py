"""Gate's sockets through the real feeds, on loopback.

Frames after www.gate.com/docs/developers/futures/ws and announcements 48788 and 49851; that a
refusal names the contract, and what a ticker tells of the next settlement, after what others saw.
Frames that others keep are read where they are at hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest

from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.domain import BookTop, FundingRate, IntervalSource, MarketFact, Quote
from exchanges.interval_table import IntervalTable
from tests.protocol import test_gate
from tests.protocol.canned_sockets import CannedSockets
from tests.protocol.conftest import assert_exact
from tests.protocol.spoilt_frames import Ear
from tests.protocol.test_gate import BITCOIN, CONTRACT, NEXT

pytestmark = pytest.mark.protocol

SHARED = Path(__file__).resolve().parents[3] / "shared"
RECORDED = SHARED / "data/raw_ws/gocryptotrader/gateio__wsFutures.json"
TICKERS, BOOKS = "futures.tickers", "futures.book_ticker"
ROW = {
    "contract": "BTC_USDT",
    "last": "60010",
    "funding_rate": "-0.000135",
    "funding_rate_indicative": "0.01875",
    "mark_price": "60010.5",
    "index_price": "60001",
    "total_size": "32323904",
    "volume_24h_quote": "184040233284",
}
TIMED = ROW | {"funding_interval": 28800, "funding_next_apply": int(NEXT.timestamp())}
TOP = {
    "t": 1615366379123,
    "u": 2517661076,
    "s": "BTC_USDT",
    "b": "60009.9",
    "B": "2500.5",
    "a": "60010.1",
    "A": "100",
}
PONG = {"time": 1545404023, "channel": "futures.pong", "event": "", "result": None}
END = {
    "time": 1770694860,
    "channel": "futures.system",
    "event": "update",
    "result": {"type": "upgrade", "msg": "The connection will soon be closed."},
}


def told(channel: str, result: Any) -> dict[str, Any]:
    return {"time": 1615366379, "channel": channel, "event": "update", "result": result}


def acknowledged(said: Any) -> dict[str, Any]:
    return {**said, "payload": None, "error": None, "result": {"status": "success"}}


def refused(said: Any, name: str) -> dict[str, Any]:
    error = {"code": 2, "message": f"unknown currency pair {name}"}
    return {**said, "payload": None, "error": error, "result": {"status": "fail"}}


def speech(said: Any) -> Iterator[Any]:
    """Acknowledge, and tell of the first contract that is asked for."""
    if said is None:
        return
    yield acknowledged(said)
    first, channel = said["payload"][0], said["channel"]
    yield told(channel, [TIMED | {"contract": first}] if channel == TICKERS else TOP | {"s": first})


def all_told(facts: list[MarketFact]) -> bool:
    return {type(fact) for fact in facts} == {Quote, FundingRate, BookTop}


def listed(*names: str) -> Any:
    rows = [CONTRACT | {"name": name} for name in names]
    return test_gate.venue(**{"/futures/usdt/contracts": rows})


def test_marks_rate_and_touch_are_told_in_coins() -> None:
    facts = CannedSockets(test_gate.venue(), speech).facts(all_told)
    [quote] = [fact for fact in facts if isinstance(fact, Quote)]
    [rate] = [fact for fact in facts if isinstance(fact, FundingRate)]
    [top] = [fact for fact in facts if isinstance(fact, BookTop)]

    assert (quote.mark_price, quote.index_price) == (Decimal("60010.5"), 60_001)
    assert (rate.funding_rate, rate.next_funding_at) == (Decimal("-0.000135"), NEXT)
    assert (rate.mark_price, rate.index_price) == (Decimal("60010.5"), 60_001)
    # 2500.5 and 100 contracts of a ten-thousandth bitcoin.
    assert (top.bid, top.bid_quantity) == (Decimal("60009.9"), Decimal("0.25005"))
    assert (top.ask, top.ask_quantity) == (Decimal("60010.1"), Decimal("0.01"))
    for fact in facts:
        assert fact.symbol == BITCOIN
        assert_exact(fact)


def test_subscriptions_name_contracts_by_the_hundred_and_ask_for_undivided_sizes() -> None:
    names = [f"C{number}_USDT" for number in range(250)]
    at = CannedSockets(listed(*names), speech)
    at.facts(lambda _: len(at.said) == 6)

    asked = [(said["channel"], said["payload"]) for said in at.said]
    assert sorted(asked) == sorted(
        [
            *((TICKERS, names[first : first + 100]) for first in (0, 100, 200)),
            # Of two sockets, with 200 contracts at most.
            *((BOOKS, names[first : first + 100]) for first in (0, 100, 200)),
        ]
    )
    assert all(said.keys() == {"time", "channel", "event", "payload"} for said in at.said)
    assert {said["event"] for said in at.said} == {"subscribe"}
    assert len(at.paths) == 3
    assert {headers["X-Gate-Size-Decimal"] for headers in at.headers} == {"1"}


def test_rate_without_a_settlement_gets_that_of_the_list() -> None:
    frame = orjson.dumps(told(TICKERS, [ROW]))
    facts, _ = ear().tells(frame)
    [streamed] = [fact for fact in facts if isinstance(fact, FundingRate)]
    listed_rate = test_gate.venue().one(BITCOIN, CcxtMarketData.funding_rates)
    table = IntervalTable()
    table.learn([listed_rate])

    rate = table.complete(replace(streamed, observed_at=NEXT - timedelta(hours=1)))

    assert (streamed.next_funding_at, streamed.interval_source) == (None, IntervalSource.UNKNOWN)
    assert (rate.interval_seconds, rate.next_funding_at) == (28_800, NEXT)


def test_a_contract_that_the_venue_does_not_know_keeps_no_other_silent() -> None:
    def unknown_one(said: Any) -> Iterator[Any]:
        if said is not None and "GONE_USDT" in said["payload"]:
            yield refused(said, "GONE_USDT")
        else:
            yield from speech(said)

    at = CannedSockets(listed("BTC_USDT", "GONE_USDT"), unknown_one)
    facts = at.facts(all_told)

    assert {fact.symbol for fact in facts} == {BITCOIN}
    assert [said["payload"] for said in at.said if said["channel"] == BOOKS] == [
        ["BTC_USDT", "GONE_USDT"],
        ["BTC_USDT"],
    ]


def test_a_refusal_that_names_nobody_closes_the_socket_and_asks_for_all_again() -> None:
    answers = iter((lambda said: [refused(said, "")], speech))

    def refused_once(said: Any) -> Any:
        return () if said is None else next(answers, speech)(said)

    at = CannedSockets(test_gate.venue(), refused_once)
    at.facts(all_told)

    assert len(at.paths) == 3
    assert {tuple(said["payload"]) for said in at.said} == {("BTC_USDT",)}


def test_a_notice_of_an_end_opens_the_socket_anew() -> None:
    notices = iter((END, END))

    def ends(said: Any) -> Any:
        notice = next(notices, None)
        return speech(said) if notice is None else [notice]

    at = CannedSockets(test_gate.venue(), ends)
    at.facts(all_told)

    assert len(at.paths) == 4


@cache
def ear() -> Ear:
    return Ear(test_gate.venue())


FRAMES = (
    told(TICKERS, [ROW]),
    told(TICKERS, [TIMED, TIMED | {"contract": "ELSE_USDT"}]),
    told(BOOKS, TOP),
    acknowledged({"time": 1, "channel": TICKERS, "event": "subscribe"}),
    refused({"time": 1, "channel": TICKERS, "event": "subscribe"}, "ELSE_USDT"),
    PONG,
    END,
)


@pytest.mark.parametrize("frame", [FRAMES[3], PONG], ids=["acknowledged", "pong"])
def test_an_answer_is_no_data(frame: Any) -> None:
    assert ear().tells(orjson.dumps(frame)) == ([], [False, False])


@pytest.mark.parametrize(
    "frame",
    [
        told(TICKERS, [ROW | {"contract": "ELSE_USDT"}]),
        told(BOOKS, TOP | {"s": "ELSE_USDT"}),
        told(BOOKS, TOP | {"b": "", "B": 0}),
    ],
    ids=["ticker of another", "book of another", "a side without orders"],
)
def test_what_was_not_asked_for_and_half_a_book_are_no_facts(frame: Any) -> None:
    facts, is_data = ear().tells(orjson.dumps(frame))

    assert facts == []
    assert True in is_data


@pytest.mark.skipif(not RECORDED.is_file(), reason="../shared with recorded frames is absent")
def test_recorded_ticker_and_touch_are_read() -> None:
    # Recorded of the inverse contract, whose frames are the same.
    lines = RECORDED.read_bytes().replace(b"BTC_USD", b"BTC_USDT").splitlines()
    told_there = [fact for line in lines for fact in ear().tells(line)[0]]
    [quote] = [fact for fact in told_there if isinstance(fact, Quote)]
    [rate] = [fact for fact in told_there if isinstance(fact, FundingRate)]
    [top] = [fact for fact in told_there if isinstance(fact, BookTop)]

    assert (quote.mark_price, quote.index_price) == (Decimal("118.35"), Decimal("118.36"))
    assert rate.funding_rate == Decimal("-0.000114")
    assert (top.bid, top.bid_quantity) == (Decimal("54696.6"), Decimal("3.7"))
    assert (top.ask, top.ask_quantity) == (Decimal("54696.7"), Decimal("4.7061"))
