"""Market and account streams of one venue on the session, addresses and keys of its client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from time import monotonic

from exchanges.ccxt_adapter.client import VenueClient
from exchanges.ccxt_adapter.feeds import (
    binance_account,
    binance_market,
    bitfinex,
    bitget,
    bitget_account,
    bybit,
    coinbase,
    deribit,
    deribit_account,
    dydx,
    gate,
    gate_account,
    hyperliquid,
    kraken,
    kraken_account,
    kraken_futures,
    kraken_futures_account,
    kucoin,
    kucoin_account,
    mexc,
    okx,
)
from exchanges.ccxt_adapter.feeds.facts import ByVenueSymbol, Emit, EmitAccount
from exchanges.ccxt_adapter.listing import Listings
from exchanges.ccxt_adapter.polled import PolledMarket
from exchanges.ccxt_adapter.sockets import Feed, Receive, Send, Socket
from exchanges.ccxt_adapter.tellers import Tellers
from exchanges.domain import BookTop, MarketFact, Symbol
from exchanges.errors import CredentialRefused

MarketFeeds = Callable[[VenueClient, ByVenueSymbol, Emit], Iterator[Feed]]

# By venue, and whether it is for its spot markets.
MARKET_FEEDS: dict[tuple[str, bool], MarketFeeds] = {
    ("binance", True): binance_market.spot_market_feeds,
    ("binanceusdm", False): binance_market.usdm_market_feeds,
    ("bybit", False): bybit.market_feeds,
    ("bybit", True): bybit.spot_market_feeds,
    ("okx", False): okx.market_feeds,
    ("okx", True): okx.spot_market_feeds,
    ("hyperliquid", False): hyperliquid.market_feeds,
    ("bitfinex", True): bitfinex.spot_market_feeds,
    ("bitget", False): bitget.market_feeds,
    ("coinbase", True): coinbase.spot_market_feeds,
    ("deribit", False): deribit.market_feeds,
    ("dydx", False): dydx.market_feeds,
    ("gate", False): gate.market_feeds,
    ("kraken", True): kraken.spot_market_feeds,
    ("krakenfutures", False): kraken_futures.market_feeds,
    ("kucoin", False): kucoin.market_feeds,
    ("mexc", False): mexc.market_feeds,
}
ACCOUNT_FEEDS: dict[str, Callable[[VenueClient, Listings, EmitAccount], Feed]] = {
    "binance": binance_account.spot_account_feed,
    "binanceusdm": binance_account.usdm_account_feed,
    "bybit": bybit.account_feed,
    "okx": okx.account_feed,
    "hyperliquid": hyperliquid.account_feed,
    "bitget": bitget_account.account_feed,
    "deribit": deribit_account.account_feed,
    "kraken": kraken_account.account_feed,
    "gate": gate_account.account_feed,
    "krakenfutures": kraken_futures_account.account_feed,
    "kucoin": kucoin_account.account_feed,
}


def account_feed(client: VenueClient, listings: Listings, emit: EmitAccount) -> Feed:
    """Return an account's feed, whose greeting is signed by the venue's time.

    A venue that refuses it for ours says so in the words of a key that does not work.
    """
    feed = ACCOUNT_FEEDS[client.profile.name](client, listings, emit)

    async def greet(send: Send, receive: Receive) -> None:
        await client.keep_time()
        await feed.greet(send, receive)

    return replace(feed, greet=greet)


class CcxtMarketStream:
    """The sockets of a venue's market, and reads by REST of what they do not tell."""

    def __init__(self, client: VenueClient) -> None:
        self._client = client
        self._tellers = Tellers()

    async def reopen(self, symbol: Symbol, kind: type[MarketFact]) -> bool:
        return await self._tellers.reopen(symbol, kind)

    async def run(self, symbols: Collection[Symbol], on_fact: Emit) -> None:
        listings, asked = await self._client.recent(), set(symbols)
        self._client.exchange.open()
        told_at: dict[Symbol, float] = {}
        self._tellers = tellers = Tellers()

        def hear(fact: MarketFact) -> None:
            tellers.hear(fact)
            if isinstance(fact, BookTop):
                told_at[fact.symbol] = monotonic()
            on_fact(fact)

        async with asyncio.TaskGroup() as group:
            for part in self._client.profile.parts:
                of_part = listings.of(is_spot=part.is_spot)
                wanted = {name: one for name, one in of_part.items() if one.symbol in asked}
                feeds = MARKET_FEEDS[part.name, part.is_spot]
                for feed in feeds(self._client, wanted, hear) if wanted else ():
                    session, budget = self._client.exchange.session, self._client.connections
                    socket = Socket(session, tellers.watched(feed), connections=budget)
                    tellers.add(feed.name, socket)
                    group.create_task(socket.run())
            group.create_task(PolledMarket(self._client).run(asked, on_fact, told_at))

    async def close(self) -> None:
        await self._client.close()


class CcxtAccountStream:
    def __init__(self, client: VenueClient) -> None:
        self._client = client

    async def run(self, on_fact: EmitAccount, on_open: Callable[[], None]) -> None:
        feed = account_feed(self._client, await self._client.ready(), on_fact)
        self._client.exchange.open()
        session = self._client.exchange.session
        socket = Socket(
            session,
            feed,
            on_open=on_open,
            refused=(CredentialRefused,),
            connections=self._client.connections,
        )
        await socket.run()

    async def close(self) -> None:
        await self._client.close()
