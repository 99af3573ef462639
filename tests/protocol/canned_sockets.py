"""A venue whose sockets say what a test wrote down, for the real feeds to hear, on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import orjson
import yarl
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer

from exchanges.ccxt_adapter.sockets import Socket
from exchanges.ccxt_adapter.streams import MARKET_FEEDS, CcxtMarketStream
from exchanges.domain import MarketFact, Symbol
from tests.protocol.canned import CannedVenue

# What a venue sends on opening (asked with None), and upon each message of ours.
Speech = Callable[[Any], Iterable[Any]]


@dataclass(slots=True)
class CannedSockets:
    """`speech` returns frames: a text or bytes as they are, anything else as JSON.

    `said` is what our feeds sent, in order; `paths` the paths and queries they opened, `headers`
    those of each opening.
    """

    venue: CannedVenue
    speech: Speech
    is_spot: bool = False
    said: list[Any] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)

    def facts(self, enough: Callable[[list[MarketFact]], bool]) -> list[MarketFact]:
        """Return what all feeds of this venue bring until it is enough, within ten seconds."""
        return asyncio.run(self._heard(enough))

    def market(
        self, symbols: Collection[Symbol], enough: Callable[[list[MarketFact]], bool]
    ) -> list[MarketFact]:
        """Return what the whole stream of a market brings, its reads by REST too."""
        return asyncio.run(self._brought(symbols, enough))

    async def _heard(self, enough: Callable[[list[MarketFact]], bool]) -> list[MarketFact]:
        client = self.venue.client()
        listings = (await client.ready()).of(is_spot=self.is_spot)
        facts = _Facts(enough)
        async with TestServer(self._app()) as server, aiohttp.ClientSession() as session:
            feeds = MARKET_FEEDS[self.venue.venue, self.is_spot](client, listings, facts.take)
            sockets = [
                Socket(session, replace(feed, url=_at(server, feed.url))).run() for feed in feeds
            ]
            try:
                return await facts.of(asyncio.gather(*sockets))
            finally:
                await client.close()

    async def _brought(
        self, symbols: Collection[Symbol], enough: Callable[[list[MarketFact]], bool]
    ) -> list[MarketFact]:
        client, facts = self.venue.client(), _Facts(enough)
        await client.ready()
        async with TestServer(self._app()) as server, aiohttp.ClientSession() as session:

            def connect(url: str, **options: Any) -> Any:
                here = server.make_url(yarl.URL(url).raw_path_qs)
                return session.ws_connect(here, **options)

            client.exchange.session.ws_connect = connect
            try:
                return await facts.of(CcxtMarketStream(client).run(symbols, facts.take))
            finally:
                await client.close()

    def _app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._serve)
        return app

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.paths.append(request.path_qs)
        self.headers.append(request.headers)
        await _say(socket, self.speech(None))
        async for message in socket:
            said = message.data if message.data in ("ping", "pong") else orjson.loads(message.data)
            self.said.append(said)
            await _say(socket, self.speech(said))
        return socket


class _Facts:
    """Facts as they come, until they are enough."""

    def __init__(self, enough: Callable[[list[MarketFact]], bool]) -> None:
        self._facts: list[MarketFact] = []
        self._enough = enough
        self._done = asyncio.Event()

    def take(self, fact: MarketFact) -> None:
        self._facts.append(fact)
        if self._enough(self._facts):
            self._done.set()

    async def of(self, work: Awaitable[Any]) -> list[MarketFact]:
        """Return what this work brings; it is cancelled then, or after ten seconds."""
        running = asyncio.ensure_future(work)
        try:
            async with asyncio.timeout(10):
                await self._done.wait()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        return self._facts


async def _say(socket: web.WebSocketResponse, frames: Iterable[Any]) -> None:
    for frame in frames:
        if isinstance(frame, bytes):
            await socket.send_bytes(frame)
        else:
            await socket.send_str(frame if isinstance(frame, str) else orjson.dumps(frame).decode())


def _at(server: BaseTestServer, url: Callable[[], Any]) -> Callable[[], Any]:
    """Return the same path and query at our server."""

    async def here() -> str:
        asked = yarl.URL(await url())
        return str(server.make_url(asked.raw_path_qs))

    return here
