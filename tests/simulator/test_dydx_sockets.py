"""The simulated indexer's socket: what each channel begins with, and what it tells after it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson
import pytest

from exchanges.simulator.faces.dydx_sockets import Socket
from exchanges.simulator.listings import DYDX
from exchanges.simulator.switchboard import Switchboard
from tests.simulator.world import World

pytestmark = pytest.mark.core


class Client:
    def __init__(self, world: World) -> None:
        self._world = world
        socket = Switchboard(world.venues).open("indexer.dydx.trade", "/v4/ws", "")
        assert isinstance(socket, Socket)
        self._socket = socket

    def asks(self, channel: str, kind: str = "subscribe", **more: Any) -> Any:
        asked = orjson.dumps({"type": kind, "channel": channel, **more}).decode()
        [told] = self._socket.receive(asked, now=self._world.at)
        return orjson.loads(told.body)

    def hears(self) -> list[Any]:
        return [orjson.loads(one.body) for one in self._socket.beat(now=self._world.at)]


def applied(book: dict[str, Any], contents: dict[str, Any]) -> dict[str, dict[str, str]]:
    sides = {side: {row["price"]: row["size"] for row in book[side]} for side in ("bids", "asks")}
    for side, rows in contents.items():
        sides[side] |= dict(rows)
    return {
        side: {price: size for price, size in rows.items() if size != "0"}
        for side, rows in sides.items()
    }


def test_book_and_its_changes_make_the_book_that_rest_tells(world: World) -> None:
    client = Client(world)
    world.pin(DYDX, price="60000")
    begun = client.asks("v4_orderbook", id="BTC-USD", batched=True)
    client.hears()
    world.pin(DYDX, price="60100")
    world.wait(seconds=1)
    [message] = client.hears()
    [contents] = message["contents"]

    assert (begun["type"], begun["id"]) == ("subscribed", "BTC-USD")
    assert (message["type"], message["message_id"]) == ("channel_batch_data", 2)
    told = applied(begun["contents"], contents)
    rest = world.public(DYDX, "/v4/orderbooks/perpetualMarket/BTC-USD").body
    for side in ("bids", "asks"):
        for row in rest[side]:
            assert told[side][row["price"]] == row["size"]
    assert max(map(Decimal, told["bids"])) < min(map(Decimal, told["asks"]))


def test_markets_begin_whole_and_then_tell_what_changes(world: World) -> None:
    client = Client(world)
    world.pin(DYDX, price="60000", funding_rate="0.0000125")
    begun = client.asks("v4_markets")
    client.hears()
    world.pin(DYDX, price="60100", funding_rate="0.00002")
    world.wait(seconds=1)
    [message] = client.hears()

    assert begun["contents"]["markets"]["BTC-USD"]["nextFundingRate"] == "0.0000125"
    assert message["type"] == "channel_data"
    assert message["contents"]["trading"]["BTC-USD"] == {"nextFundingRate": "0.00002"}
    price = Decimal(message["contents"]["oraclePrices"]["BTC-USD"]["oraclePrice"])
    assert price == world.simulator.market.index(world.listing(DYDX), world.at)


def test_a_block_comes_every_second_and_once(world: World) -> None:
    client = Client(world)
    client.asks("v4_block_height")
    client.hears()
    world.wait(seconds=1)
    [first] = client.hears()

    assert client.hears() == []
    assert first["contents"]["blockHeight"] == str(int(world.at.timestamp()))


@pytest.mark.parametrize(
    "asked",
    [
        {"channel": "v4_orderbook", "id": "NONE-USD"},
        {"channel": "v4_orderbook"},
        {"channel": "v4_subaccounts", "id": "x/0"},
        {"channel": "v4_markets", "kind": "ask"},
    ],
)
def test_what_is_not_there_is_refused_with_words(world: World, asked: dict[str, Any]) -> None:
    told = Client(world).asks(**asked)

    assert told["type"] == "error"
    assert told["message"]


def test_twice_the_same_is_refused_and_what_is_left_is_silent(world: World) -> None:
    client = Client(world)
    client.asks("v4_orderbook", id="BTC-USD")

    assert "already subscribed" in client.asks("v4_orderbook", id="BTC-USD")["message"]
    assert client.asks("v4_orderbook", "unsubscribe", id="BTC-USD")["type"] == "unsubscribed"
    assert client.hears() == []
