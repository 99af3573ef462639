"""Garbage in any place of any frame of a watched venue's sockets: sound facts, or a new socket.

The frames are those of each venue's own tests.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import aiohttp
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchanges.board import Board
from exchanges.ccxt_adapter.sockets import CONNECTION_FAILURES, HANDLER_FAILURES, Feed, payload_of
from exchanges.ccxt_adapter.streams import MARKET_FEEDS
from exchanges.domain import MarketFact
from tests.protocol import (
    test_deribit,
    test_deribit_sockets,
    test_krakenfutures,
    test_krakenfutures_sockets,
    test_mexc,
    test_mexc_sockets,
)
from tests.protocol.bad_input import BODIES, Spoiling, spoilings, wrong_with
from tests.protocol.canned import CannedVenue
from tests.protocol.test_recorded_payloads import ADAPTERS
from tests.simulation.memory import MemoryRedis

pytestmark = [
    pytest.mark.protocol,
    pytest.mark.skipif(not ADAPTERS.is_dir(), reason="../shared with recorded payloads is absent"),
]

Frames = Callable[[], list[Any]]
VENUES: dict[str, tuple[Callable[[], CannedVenue], Frames]] = {
    "deribit": (
        test_deribit.venue,
        lambda: [
            test_deribit_sockets.ticker(),
            test_deribit_sockets.TEST,
            test_deribit_sockets.REFUSAL,
            test_deribit.answered(["ticker.BTC_USDC-PERPETUAL.100ms"]),
        ],
    ),
    "krakenfutures": (
        test_krakenfutures.venue,
        lambda: [
            test_krakenfutures_sockets.ticker(),
            test_krakenfutures_sockets.WELCOME,
            test_krakenfutures_sockets.REFUSAL,
        ],
    ),
    "mexc": (
        test_mexc.venue,
        lambda: [
            test_mexc_sockets.tickers(test_mexc_sockets.ticker()),
            test_mexc_sockets.BOOK,
            test_mexc_sockets.REFUSAL,
            test_mexc_sockets.PONG,
        ],
    ),
}


@dataclass
class Ears:
    """The feeds of a venue without their sockets, and what they made of the last frame."""

    feeds: list[Feed]
    facts: list[MarketFact] = field(default_factory=list)

    def hear(self, feed: Feed, body: bytes) -> list[MarketFact]:
        """Return the facts of one frame; fail on what a socket would not survive."""
        self.facts.clear()
        message = aiohttp.WSMessage(aiohttp.WSMsgType.BINARY, body, None)
        with contextlib.suppress(*HANDLER_FAILURES, *CONNECTION_FAILURES):
            feed.handle(payload_of(message, feed.decode))
        assert [trouble for fact in self.facts for trouble in wrong_with(fact)] == []
        return list(self.facts)


@cache
def ears_of(venue: str) -> Ears:
    client, facts = VENUES[venue][0]().client(), list[MarketFact]()

    async def listening() -> Ears:
        listings = (await client.ready()).of(is_spot=False)
        await client.close()
        return Ears(list(MARKET_FEEDS[venue, False](client, listings, facts.append)), facts)

    return asyncio.run(listening())


@pytest.mark.parametrize("venue", sorted(VENUES))
def test_frames_tell_something_before_they_are_spoilt(venue: str) -> None:
    ears = ears_of(venue)
    frames = [orjson.dumps(frame) for frame in VENUES[venue][1]()]

    assert all(any(ears.hear(feed, body) for body in frames) for feed in ears.feeds)


@pytest.mark.parametrize("venue", sorted(VENUES))
@settings(max_examples=200, deadline=None)
@given(data=st.data(), how=spoilings)
def test_spoilt_frame_is_sound_facts_or_a_failure_the_socket_knows(
    venue: str, data: st.DataObject, how: Spoiling
) -> None:
    ears, board = ears_of(venue), Board()
    body = orjson.dumps(data.draw(st.sampled_from(VENUES[venue][1]())))

    for feed in ears.feeds:
        for fact in ears.hear(feed, how.of(body)):
            board.apply(fact)
    board.publish(MemoryRedis())  # type: ignore[arg-type]  # what is used of it


@pytest.mark.parametrize("venue", sorted(VENUES))
@pytest.mark.parametrize("body", BODIES)
def test_frame_of_another_kind_tells_nothing(venue: str, body: bytes) -> None:
    ears = ears_of(venue)

    assert [ears.hear(feed, body) for feed in ears.feeds] == [[]] * len(ears.feeds)
