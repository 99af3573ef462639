"""Private sockets that their venue ends, and what is listed after they were opened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from exchanges.ccxt_adapter.client import Catalogue, VenueClient
from exchanges.ccxt_adapter.feeds import binance_account, bybit, hyperliquid
from exchanges.ccxt_adapter.library import Credential
from exchanges.ccxt_adapter.listing import Listings
from exchanges.ccxt_adapter.sockets import Feed
from exchanges.domain import Fill
from exchanges.venues import PROFILES
from tests.protocol.test_streams_payloads import USDM

pytestmark = pytest.mark.protocol

MakeFeed = Callable[[VenueClient, Listings, Callable[[Any], None]], Feed]


class Told:
    """A client whose venue lists more as time goes by, and what a feed of it has told."""

    def __init__(self, venue: str, make: MakeFeed) -> None:
        self.facts: list[Any] = []
        self.keys = 0
        self.catalogue = Catalogue(PROFILES[venue])
        credential = Credential(name="own", api_key=f"0x{'1' * 40}", secret="1" * 64)
        client = VenueClient(self.catalogue, credential=credential)
        client.exchange.fapiPrivatePostListenKey = self._listen_key
        self.feed = make(client, Listings(), self.facts.append)

    async def _listen_key(self) -> dict[str, str]:
        self.keys += 1
        return {"listenKey": f"key{self.keys}"}

    def url(self) -> str:
        async def asked() -> str:
            return await self.feed.url()

        return asyncio.run(asked())


TRADE = {
    "e": "ORDER_TRADE_UPDATE",
    "o": {
        **{"s": "BTCUSDT", "c": "x", "i": 1, "X": "FILLED", "S": "BUY", "q": "0.1", "z": "0.1"},
        **{"ap": "60000", "x": "TRADE", "t": 7, "L": "60000", "l": "0.1", "n": "1", "N": "USDT"},
        **{"m": False, "T": 1_700_000_000_000, "R": False},
    },
}
EXECUTION = {
    "topic": "execution",
    "data": [
        {
            **{"category": "linear", "symbol": "BTCUSDT", "execId": "7", "orderId": "1"},
            **{"orderLinkId": "x", "side": "Buy", "execPrice": "60000", "execQty": "0.1"},
            **{"execFee": "1", "feeCurrency": "USDT", "isMaker": False, "execType": "Trade"},
            **{"execTime": "1700000000000"},
        }
    ],
}
USER_FILL = {
    "channel": "userFills",
    "data": {
        "fills": [
            {
                **{"coin": "BTCUSDT", "px": "60000", "sz": "0.1", "side": "B", "tid": 7, "oid": 1},
                **{"time": 1_700_000_000_000, "fee": "1", "feeToken": "USDC", "crossed": True},
                **{"cloid": "0x1", "dir": "Open Long", "startPosition": "0"},
            }
        ]
    },
}


@pytest.mark.parametrize(
    ("venue", "make", "message"),
    [
        ("binanceusdm", binance_account.usdm_account_feed, TRADE),
        ("bybit", bybit.account_feed, EXECUTION),
        ("hyperliquid", hyperliquid.account_feed, USER_FILL),
    ],
)
def test_fills_of_what_was_listed_after_the_opening_are_heard(
    venue: str, make: MakeFeed, message: dict[str, Any]
) -> None:
    told = Told(venue, make)
    told.feed.handle(message)
    assert told.facts == []

    told.catalogue.listings = Listings([USDM])
    told.feed.handle(message)

    assert [fact.venue_trade_id for fact in told.facts if isinstance(fact, Fill)] == ["7"]


def test_a_listen_key_that_expired_ends_the_socket_and_the_next_has_a_new_one() -> None:
    told = Told("binanceusdm", binance_account.usdm_account_feed)
    assert told.url().endswith("key1")

    with pytest.raises(ConnectionResetError, match="the listen key has expired"):
        told.feed.handle({"e": "listenKeyExpired", "E": 1_576_653_824_250, "listenKey": "key1"})

    assert told.url().endswith("key2")


def test_a_user_data_stream_that_the_venue_ends_is_opened_anew() -> None:
    told = Told("binance", binance_account.spot_account_feed)

    with pytest.raises(ConnectionResetError, match="ended the user data stream"):
        told.feed.handle({"event": {"e": "eventStreamTerminated", "E": 1_728_973_001_334}})


@pytest.mark.parametrize(
    "pong",
    [{"op": "pong", "args": ["1"]}, {"op": "ping", "ret_msg": "pong", "success": True}],
)
def test_answers_to_pings_keep_a_quiet_private_socket_of_bybit_open(pong: dict[str, Any]) -> None:
    told = Told("bybit", bybit.account_feed)

    assert told.feed.silent_after is not None
    assert told.feed.upkeep_every * 2 < told.feed.silent_after
    assert told.feed.handle(pong) is True
    assert told.feed.handle({"op": "subscribe", "success": True}) is False
