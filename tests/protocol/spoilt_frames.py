"""The feeds of a canned venue, and what they make of single messages, sound or spoilt."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import aiohttp
from hypothesis import HealthCheck, settings

from exchanges.ccxt_adapter.sockets import (
    CONNECTION_FAILURES,
    HANDLER_FAILURES,
    Feed,
    payload_of,
)
from exchanges.ccxt_adapter.streams import MARKET_FEEDS
from exchanges.domain import MarketFact
from tests.protocol.bad_input import wrong_with
from tests.protocol.canned import CannedVenue

quick = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


class Ear:
    """All feeds of one venue's contracts; no socket is opened."""

    def __init__(self, at: CannedVenue) -> None:
        self._facts: list[MarketFact] = []
        self.feeds: list[Feed] = asyncio.run(self._feeds(at))

    async def _feeds(self, at: CannedVenue) -> list[Feed]:
        client = at.client()
        try:
            listings = (await client.ready()).of(is_spot=False)
            return list(MARKET_FEEDS[at.venue, False](client, listings, self._facts.append))
        finally:
            await client.close()

    def tells(self, body: bytes) -> tuple[list[MarketFact], list[bool]]:
        """Return the facts of one message, and of each feed that bore it whether it was data.

        Fail on what a socket would not survive, and on a fact that is not sound.
        """
        self._facts.clear()
        is_data = []
        for feed in self.feeds:
            with contextlib.suppress(*HANDLER_FAILURES, *CONNECTION_FAILURES):
                is_data.append(feed.handle(payload_of(_message(body), feed.decode)))
        assert [trouble for fact in self._facts for trouble in wrong_with(fact)] == []
        return list(self._facts), is_data


def _message(body: bytes) -> aiohttp.WSMessage:
    data: Any = "pong" if body == b"pong" else body
    return aiohttp.WSMessage(aiohttp.WSMsgType.BINARY, data, None)
