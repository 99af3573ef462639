"""KuCoin's sockets as the simulator speaks them: tokens, topics, what one account hears."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest

from exchanges.domain import Side
from exchanges.simulator.faces.sockets import VenueSocket
from exchanges.simulator.listings import KUCOIN
from exchanges.simulator.switchboard import Switchboard
from tests.simulator.open_sockets import says, socket_at
from tests.simulator.test_kucoin import post
from tests.simulator.world import World

pytestmark = pytest.mark.core


HOST = "ws-api-futures.kucoin.com"
ORDERS, POSITIONS, WALLET = (
    "/contractMarket/tradeOrders",
    "/contract/positionAll",
    "/contractAccount/wallet",
)


@pytest.fixture(autouse=True)
def pinned(world: World) -> None:
    world.pin(KUCOIN, price="60000")


def opened(world: World, kind: str, heard: list[Any] | None = None) -> VenueSocket:
    token = post(world, f"v1/bullet-{kind}").body["data"]["token"]
    query = orjson.dumps(token).decode().strip('"').replace("+", "%2B")
    return socket_at(world, HOST, "/", heard, query=f"token={query}&connectId=1")


def subscribe(socket: VenueSocket, world: World, topic: str) -> list[Any]:
    return says(socket, world, {"id": 7, "type": "subscribe", "topic": topic, "response": True})


def test_socket_needs_a_token_and_answers_pings(world: World) -> None:
    assert Switchboard(world.venues).open(HOST, "/", "token=made-up") is None
    assert Switchboard(world.venues).open(HOST, "/", "") is None

    [pong] = says(opened(world, "public"), world, {"id": 9, "type": "ping"})

    assert (pong["id"], pong["type"]) == (9, "pong")


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"type": "subscribe", "topic": ORDERS}, 403),
        ({"type": "subscribe", "topic": "/contract/unheard:XBTUSDTM"}, 404),
        ({"type": "subscribe", "topic": "/contract/instrument:NOPEUSDTM"}, 404),
        ({"type": "subscribe"}, 404),
        ({"type": "shout"}, 415),
        ("nonsense", 415),
    ],
)
def test_public_socket_refuses_what_is_not_for_it(world: World, message: Any, code: int) -> None:
    [answer] = says(opened(world, "public"), world, message)

    assert (answer["type"], answer["code"]) == ("error", code)


def test_private_topics_tell_an_execution_with_our_id_and_without_its_fee(world: World) -> None:
    heard: list[Any] = []
    socket = opened(world, "private", heard)
    for topic in (ORDERS, POSITIONS, WALLET):
        assert subscribe(socket, world, topic) == [{"id": 7, "type": "ack"}]

    world.place(KUCOIN, Side.SELL, "0.01", client_order_id="a1")

    rows = [(message["topic"], message["data"]) for message in heard]
    placed, match, end = [row for topic, row in rows if topic == ORDERS]
    assert (match["type"], match["clientOid"], match["matchSize"]) == ("match", "a1", "10")
    assert placed["type"] == "open"
    assert "fee" not in match
    assert (end["type"], end["status"], end["filledSize"]) == ("filled", "done", "10")
    [held] = [row for topic, row in rows if topic == POSITIONS]
    assert (held["symbol"], held["currentQty"]) == ("XBTUSDTM", -10)
    [wallet] = [row for topic, row in rows if topic == WALLET]
    assert wallet["currency"] == "USDT"


def test_one_account_hears_nothing_of_another_and_of_no_topic_unasked(world: World) -> None:
    heard: list[Any] = []
    opened(world, "private", heard)

    world.place(KUCOIN, Side.SELL, "0.01", client_order_id="a1")

    assert heard == []


def test_public_topic_comes_once_a_beat(world: World) -> None:
    socket = opened(world, "public")
    assert subscribe(socket, world, "/contractMarket/tickerV2:XBTUSDTM")[0]["type"] == "ack"

    [first] = [orjson.loads(row.body) for row in socket.beat(now=world.at)]

    assert (first["subject"], first["data"]["symbol"]) == ("tickerV2", "XBTUSDTM")
    assert socket.beat(now=world.at) == []
    world.at += timedelta(seconds=1)
    assert len(socket.beat(now=world.at)) == 1
