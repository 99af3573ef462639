"""A venue whose sockets say what a test wrote down, for the real feeds to hear, on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import orjson
import yarl
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer

from exchanges.ccxt_adapter.sockets import Socket
from exchanges.ccxt_adapter.streams import MARKET_FEEDS
from exchanges.domain import MarketFact
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

    async def _heard(self, enough: Callable[[list[MarketFact]], bool]) -> list[MarketFact]:
        facts: list[MarketFact] = []
        done = asyncio.Event()

        def take(fact: MarketFact) -> None:
            facts.append(fact)
            if enough(facts):
                done.set()

        app = web.Application()
        app.router.add_get("/{path:.*}", self._serve)
        client = self.venue.client()
        listings = await client.ready()
        async with TestServer(app) as server, aiohttp.ClientSession() as session:
            feeds = MARKET_FEEDS[self.venue.venue, self.is_spot](
                client, listings.of(is_spot=self.is_spot), take
            )
            sockets = [
                Socket(session, replace(feed, url=_at(server, feed.url))).run() for feed in feeds
            ]
            running = asyncio.gather(*sockets)
            try:
                async with asyncio.timeout(10):
                    await done.wait()
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
                await client.close()
        return facts

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
