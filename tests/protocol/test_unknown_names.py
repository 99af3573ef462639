"""A name that a venue does not know keeps its socket down no longer than one opening."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest

from exchanges.ccxt_adapter.client import Catalogue, VenueClient
from exchanges.ccxt_adapter.feeds.subscriptions import Subscriptions
from exchanges.ccxt_adapter.sockets import Feed, Receive, Send
from exchanges.ccxt_adapter.streams import MARKET_FEEDS
from exchanges.domain import MarketFact
from exchanges.errors import UnexpectedPayload
from exchanges.simulator.faces.sockets import first_words
from exchanges.simulator.switchboard import Switchboard
from exchanges.venues import PROFILES
from tests.simulator.nearby import call, public_client_at
from tests.simulator.world import World, bitcoin

pytestmark = pytest.mark.protocol

# What each calls a contract, or a pair, that has ended.
GONE = {
    "bybit": "GONEUSDT",
    "okx": "GONE-USDT-SWAP",
    "hyperliquid": "GONE",
    "kraken": "GONEUSDT",
    "krakenfutures": "PF_GONEUSD",
    "gate": "GONE_USDT",
    "bitget": "GONEUSDT",
    "kucoin": "GONEUSDTM",
}


class Line:
    """The market feeds of one venue that believes in one name too many, and the venue's end."""

    def __init__(self, client: VenueClient, world: World, venue: str) -> None:
        self.facts: list[MarketFact] = []
        self._world, self._board = world, Switchboard(world.venues)
        part = client.profile.parts[0]
        listed = call(client.ready()).of(is_spot=part.is_spot)
        one = listed[bitcoin(venue)]
        gone = _renamed(one, GONE[venue])
        listings = {bitcoin(venue): one, GONE[venue]: gone}
        self.feeds = list(
            MARKET_FEEDS[part.name, part.is_spot](client, listings, self.facts.append)
        )

    def open(self, feed: Feed) -> list[str]:
        """Open one socket, hear all it says and return the names that were asked for."""
        address = urlsplit(call(_address(feed)))
        socket = self._board.open(address.hostname or "", address.path, address.query)
        assert socket is not None
        sent: list[str] = []
        replies: list[bytes] = [row.body for row in first_words(socket)]

        async def send(message: Any) -> None:
            text = message if isinstance(message, str) else orjson.dumps(message).decode()
            sent.append(text)
            replies.extend(row.body for row in socket.receive(text, now=self._world.at))

        async def receive() -> Any:
            return feed.decode(replies.pop(0))

        call(_greeted(feed, send, receive))
        self._world.wait(seconds=1)
        replies.extend(row.body for row in socket.beat(now=self._world.at))
        for body in replies:
            feed.handle(feed.decode(body))
        return sent


def _renamed(listing: Any, name: str) -> Any:
    instrument = replace(listing.instrument, venue_symbol=name, symbol="GONE/USDT:USDT")
    market = {**listing.market, "info": {**listing.market["info"], "wsname": "GONE/USDT"}}
    return replace(listing, instrument=instrument, market=market)


async def _greeted(feed: Feed, send: Send, receive: Receive) -> None:
    await feed.greet(send, receive)


async def _address(feed: Feed) -> str:
    return await feed.url()


@pytest.fixture(params=GONE)
def line(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Line]:
    world = World(tmp_path, watched=True)
    client = public_client_at(world, Catalogue(PROFILES[request.param]))
    yield Line(client, world, request.param)
    call(client.close())


def test_a_name_that_is_refused_is_left_out_of_the_next_opening(line: Line) -> None:
    for feed in line.feeds:
        with pytest.raises(UnexpectedPayload, match="subscription refused"):
            line.open(feed)
        line.facts.clear()

        asked = line.open(feed)

        assert asked
        assert not any("GONE" in text for text in asked)
    assert line.facts


def test_one_that_is_refused_for_another_reason_is_asked_for_again() -> None:
    asked = Subscriptions({"BTC/USD": 1, "BTC-USDT-SWAP": 1}, "somewhere")

    with pytest.raises(UnexpectedPayload, match="too many"):
        asked.refuse("too many requests for BTC/USD", is_unknown=False)
    assert asked.names() == ["BTC/USD", "BTC-USDT-SWAP"]
    with pytest.raises(UnexpectedPayload, match="not supported"):
        asked.refuse("Currency pair not supported BTC/USD")
    assert asked.names() == ["BTC-USDT-SWAP"]
