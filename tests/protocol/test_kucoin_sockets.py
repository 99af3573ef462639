"""KuCoin's sockets through the real feeds, on loopback.

Frames after www.kucoin.com/docs-new (futures, tickerV2 and instrument); the refusal of a topic
after what others saw. One frame recorded in 2022 is read where it is at hand.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest

from exchanges.ccxt_adapter.feeds.kucoin import Door
from exchanges.domain import BookTop, MarketFact, Quote
from exchanges.errors import VenueError
from tests.protocol import test_kucoin
from tests.protocol.canned import CannedVenue
from tests.protocol.canned_sockets import CannedSockets
from tests.protocol.conftest import assert_exact
from tests.protocol.spoilt_frames import Ear
from tests.protocol.test_kucoin import BITCOIN, CONTRACT, answered

pytestmark = pytest.mark.protocol

RECORDED = Path(__file__).resolve().parents[3] / "shared/data/raw_ws/crypto_msg_parser/kucoin.jsonl"
MARKS, BOOKS = "/contract/instrument", "/contractMarket/tickerV2"
WELCOME = {"id": "hQvf8jkno", "type": "welcome"}
SERVER = {
    "endpoint": "wss://ws-api-futures.kucoin.com/",
    "encrypt": True,
    "protocol": "websocket",
    "pingInterval": 18000,
    "pingTimeout": 10000,
}


def bullet(**changes: Any) -> Any:
    return answered({"token": "2neAiu+/==", "instanceServers": [SERVER | changes]})


def venue(*names: str, server: Any = None) -> CannedVenue:
    changes: dict[str, Any] = {"/bullet-public": server or bullet()}
    if names:
        rows = [
            CONTRACT | {"symbol": name, "baseCurrency": name.removesuffix("USDTM")}
            for name in names
        ]
        changes["/contracts/active"] = answered(rows)
    return test_kucoin.venue(**changes)


def mark(name: str = "XBTUSDTM") -> bytes:
    """Return a frame as it is written: its prices are numbers, of more places than a float has."""
    return (
        f'{{"topic":"{MARKS}:{name}","type":"message","subject":"mark.index.price","data":'
        '{"markPrice":67193.510000000000000001,"indexPrice":67184.81,"granularity":1000,'
        '"timestamp":1731899129000}}'
    ).encode()


def touch(name: str = "XBTUSDTM", **changes: Any) -> dict[str, Any]:
    data = {
        "symbol": name,
        "sequence": 1713516609293,
        "bestBidSize": 5044,
        "bestBidPrice": "67191.7",
        "bestAskPrice": "67191.8",
        "bestAskSize": 73,
        "ts": 1740641976241000000,
    }
    return {
        "topic": f"{BOOKS}:{name}",
        "type": "message",
        "subject": "tickerV2",
        "sn": 1713516609293,
        "data": data | changes,
    }


def rate(granularity: int) -> dict[str, Any]:
    data = {"granularity": granularity, "fundingRate": -0.002966, "timestamp": 1551770400000}
    return {
        "topic": f"{MARKS}:XBTUSDTM",
        "type": "message",
        "subject": "funding.rate",
        "data": data,
    }


def speech(said: Any) -> Iterator[Any]:
    """Welcome, acknowledge, and tell of each contract that is asked for."""
    if said is None:
        yield WELCOME
    elif said["type"] == "subscribe":
        yield {"id": said["id"], "type": "ack"}
        topic, _, names = said["topic"].partition(":")
        for name in names.split(","):
            yield mark(name).decode() if topic == MARKS else touch(name)


def all_told(facts: list[MarketFact]) -> bool:
    return {type(fact) for fact in facts} == {Quote, BookTop}


def test_marks_and_touch_are_told_as_written_and_in_coins() -> None:
    facts = CannedSockets(venue(), speech).facts(all_told)
    [quote] = [fact for fact in facts if isinstance(fact, Quote)]
    [top] = [fact for fact in facts if isinstance(fact, BookTop)]

    assert str(quote.mark_price) == "67193.510000000000000001"
    assert quote.index_price == Decimal("67184.81")
    # 5044 and 73 contracts of a thousandth bitcoin.
    assert (top.bid, top.bid_quantity) == (Decimal("67191.7"), Decimal("5.044"))
    assert (top.ask, top.ask_quantity) == (Decimal("67191.8"), Decimal("0.073"))
    for fact in facts:
        assert fact.symbol == BITCOIN
        assert_exact(fact)


def test_a_socket_is_opened_with_a_token_and_asks_once_for_a_hundred_at_most() -> None:
    names = [f"C{number}USDTM" for number in range(130)]
    rest = venue(*names)
    at = CannedSockets(rest, speech)
    at.facts(lambda facts: len({(type(fact), fact.symbol) for fact in facts}) == 260)

    topics = [
        f"{topic}:{','.join(some)}"
        for topic in (MARKS, BOOKS)
        for some in (names[:100], names[100:])
    ]
    assert sorted(said["topic"] for said in at.said) == sorted(topics)
    asked = {"id": "1", "type": "subscribe", "response": True}
    assert [{**said, "topic": ""} for said in at.said] == [asked | {"topic": ""}] * 4
    assert at.paths == ["/?token=2neAiu%2B/%3D%3D"] * 4
    assert [request.method for request in rest.asked if request.path.endswith("public")] == [
        "POST"
    ] * 4


def test_pings_come_twice_in_the_time_that_the_venue_names() -> None:
    def pinged(said: Any) -> Iterator[Any]:
        if said is not None and said["type"] == "ping":
            yield {"id": said["id"], "type": "pong"}
            yield touch()
        elif said is None:
            yield WELCOME

    at = CannedSockets(venue(server=bullet(pingInterval=2000)), pinged)
    at.facts(lambda facts: bool(facts))

    assert {"id": "2", "type": "ping"} in at.said


def test_what_is_said_before_the_welcome_opens_the_socket_anew() -> None:
    first = iter(({"type": "error", "code": 401, "data": "token is expired"},) * 2)

    def late(said: Any) -> Any:
        return speech(said) if said is not None else [next(first, WELCOME)]

    at = CannedSockets(venue(), late)
    at.facts(all_told)

    assert len(at.paths) == 4
    assert len(at.said) == 2


def test_a_contract_that_the_venue_does_not_know_keeps_no_other_silent() -> None:
    def unknown_one(said: Any) -> Iterator[Any]:
        if said is not None and "GONEUSDTM" in said["topic"]:
            missing = f"topic {BOOKS}:GONEUSDTM is not found"
            yield {"id": said["id"], "type": "error", "code": 404, "data": missing}
        else:
            yield from speech(said)

    at = CannedSockets(venue("GONEUSDTM", "XBTUSDTM"), unknown_one)
    facts = at.facts(all_told)

    assert {fact.symbol for fact in facts} == {BITCOIN}
    assert [said["topic"] for said in at.said if said["topic"].startswith(BOOKS)] == [
        f"{BOOKS}:GONEUSDTM,XBTUSDTM",
        f"{BOOKS}:XBTUSDTM",
    ]


@pytest.mark.parametrize(
    "server",
    [
        bullet(pingInterval=0),
        bullet(pingInterval=600_000),
        bullet(endpoint="http://elsewhere"),
        answered({"token": "2neAiu", "instanceServers": []}),
        {"code": "400100", "msg": "no"},
    ],
    ids=["no pause", "a long pause", "no socket", "no server", "a refusal"],
)
def test_an_address_that_is_none_is_refused(server: Mapping[str, Any]) -> None:
    async def asked() -> None:
        client = venue(server=server).client()
        try:
            await Door(client).url()
        finally:
            await client.close()

    with pytest.raises((VenueError, LookupError)):
        asyncio.run(asked())


@cache
def ear() -> Ear:
    return Ear(venue())


FRAMES = (
    mark(),
    orjson.dumps(touch()),
    orjson.dumps(rate(60_000)),
    orjson.dumps({"id": "1", "type": "ack"}),
    orjson.dumps({"id": "2", "type": "pong"}),
    orjson.dumps({"id": "1", "type": "error", "code": 404, "data": "topic is not found"}),
)


@pytest.mark.parametrize("frame", FRAMES[2:5], ids=["rate", "acknowledged", "pong"])
def test_an_answer_and_a_rate_that_is_not_the_next_are_no_data(frame: bytes) -> None:
    assert ear().tells(frame) == ([], [False, False])


@pytest.mark.parametrize(
    "frame",
    [mark("ELSEUSDTM"), orjson.dumps(touch("ELSEUSDTM")), orjson.dumps(touch(bestBidPrice=None))],
    ids=["mark of another", "book of another", "a side without orders"],
)
def test_what_was_not_asked_for_and_half_a_book_are_no_facts(frame: bytes) -> None:
    assert ear().tells(frame) == ([], [True, True])


@pytest.mark.skipif(not RECORDED.is_file(), reason="../shared with recorded frames is absent")
def test_recorded_touch_is_read() -> None:
    rows = [orjson.loads(line) for line in RECORDED.read_bytes().splitlines()]
    [frame] = [row["raw"] for row in rows if (row["topic"], row["case"]) == ("bbo", "linear_swap")]
    facts, _ = ear().tells(orjson.dumps(frame))
    top = facts[0]

    assert isinstance(top, BookTop)
    assert (top.bid, top.bid_quantity) == (31_766, Decimal("20.074"))
    assert (top.ask, top.ask_quantity) == (31_767, Decimal("1.187"))
