"""The feeds of a canned venue, and what they make of messages, sound or spoilt; no socket."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from typing import Any

import aiohttp

from exchanges.ccxt_adapter.sockets import (
    CONNECTION_FAILURES,
    HANDLER_FAILURES,
    Feed,
    payload_of,
)
from exchanges.ccxt_adapter.streams import MARKET_FEEDS
from exchanges.domain import MarketFact
from tests.protocol.bad_input import dumped, wrong_with
from tests.protocol.canned import CannedVenue

WHAT_A_SOCKET_SURVIVES = (*HANDLER_FAILURES, *CONNECTION_FAILURES)


class Ear:
    """All feeds of one venue's contracts, or of its spot markets."""

    def __init__(self, at: CannedVenue, *, is_spot: bool = False) -> None:
        self._facts: list[MarketFact] = []
        self.feeds: list[Feed] = asyncio.run(self._feeds(at, is_spot))

    async def _feeds(self, at: CannedVenue, is_spot: bool) -> list[Feed]:
        client = at.client()
        try:
            listings = (await client.ready()).of(is_spot=is_spot)
            return list(MARKET_FEEDS[at.venue, is_spot](client, listings, self._facts.append))
        finally:
            await client.close()

    def tells(self, body: bytes) -> tuple[list[MarketFact], list[bool]]:
        """Return the facts of one message, and of each feed that bore it whether it was data.

        Fail on what a socket would not survive, and on a fact that is not sound.
        """
        self._facts.clear()
        is_data = []
        for feed in self.feeds:
            with contextlib.suppress(*WHAT_A_SOCKET_SURVIVES):
                is_data.append(feed.handle(payload_of(_message(body), feed.decode)))
        assert [trouble for fact in self._facts for trouble in wrong_with(fact)] == []
        return list(self._facts), is_data

    def hears(self, feed: Feed, bodies: Iterable[bytes]) -> list[MarketFact]:
        """Return the facts of messages one after the other; what is not borne begins anew.

        Fail as `tells` does.
        """
        self._facts.clear()
        _greet(feed)
        for body in bodies:
            try:
                feed.handle(payload_of(_message(body), feed.decode))
            except WHAT_A_SOCKET_SURVIVES:
                _greet(feed)
        assert [trouble for fact in self._facts for trouble in wrong_with(fact)] == []
        return list(self._facts)


def as_body(frame: Any) -> bytes:
    """Return a frame as it travels: a text or bytes as they are, anything else as JSON."""
    if isinstance(frame, bytes):
        return frame
    return frame.encode() if isinstance(frame, str) else dumped(frame)


def _greet(feed: Feed) -> None:
    async def send(_: Any) -> None: ...

    async def receive() -> Any:
        return None

    async def greeted() -> None:
        await feed.greet(send, receive)

    with contextlib.suppress(*WHAT_A_SOCKET_SURVIVES):
        asyncio.run(greeted())


def _message(body: bytes) -> aiohttp.WSMessage:
    data: Any = "pong" if body == b"pong" else body
    return aiohttp.WSMessage(aiohttp.WSMsgType.BINARY, data, None)
