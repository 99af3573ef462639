"""Garbage in any place of any frame of a watched venue: sound facts or a failure; never a crash.

The frames are those of each venue's own tests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings

from exchanges.ccxt_adapter import streams_coinbase
from exchanges.ccxt_adapter.sockets import CONNECTION_FAILURES, HANDLER_FAILURES, Feed
from exchanges.ccxt_adapter.streams import MARKET_FEEDS
from tests.protocol import (
    test_bitfinex,
    test_bitfinex_sockets,
    test_coinbase,
    test_coinbase_sockets,
    test_dydx,
    test_dydx_sockets,
    test_kraken,
    test_kraken_sockets,
)
from tests.protocol.bad_input import Spoiling, dumped, spoilings, wrong_with
from tests.protocol.canned import CannedVenue
from tests.protocol.test_recorded_payloads import ADAPTERS

pytestmark = [
    pytest.mark.protocol,
    pytest.mark.skipif(not ADAPTERS.is_dir(), reason="../shared with recorded payloads is absent"),
]


@dataclass(frozen=True)
class Subject:
    venue: Callable[[], CannedVenue]
    frames: Sequence[Any]
    is_spot: bool = False


SUBJECTS = {
    "bitfinex": Subject(test_bitfinex.venue, test_bitfinex_sockets.FRAMES, is_spot=True),
    "coinbase": Subject(test_coinbase.venue, test_coinbase_sockets.FRAMES, is_spot=True),
    "kraken": Subject(test_kraken.venue, test_kraken_sockets.FRAMES, is_spot=True),
    "dydx": Subject(test_dydx.recorded_venue, test_dydx_sockets.FRAMES),
}


def feeds_of(subject: Subject, facts: list[Any]) -> list[Feed]:
    """Return the feeds of a venue as a socket has just greeted them."""

    async def made() -> list[Feed]:
        client = subject.venue().client()
        listings = (await client.ready()).of(is_spot=subject.is_spot)
        read = MARKET_FEEDS[client.profile.name, subject.is_spot]
        feeds = list(read(client, listings, facts.append))
        await client.close()
        return feeds

    return asyncio.run(made())


@pytest.fixture(scope="module", params=sorted(SUBJECTS))
def spoken(request: pytest.FixtureRequest) -> tuple[Subject, list[Feed], list[Any]]:
    facts: list[Any] = []
    return SUBJECTS[request.param], feeds_of(SUBJECTS[request.param], facts), facts


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams_coinbase, "PAUSE_SECONDS", 0)


async def _nobody(*_: Any) -> None: ...


def written(frame: Any) -> bytes:
    return frame.encode() if isinstance(frame, str) else dumped(frame)


def hear(feed: Feed, frames: Sequence[bytes]) -> None:
    """Let one opening of a feed hear frames until it fails as a socket may."""

    async def greeted() -> None:
        await feed.greet(_nobody, _nobody)

    asyncio.run(greeted())
    for frame in frames:
        try:
            feed.handle(feed.decode(frame))
        except (*HANDLER_FAILURES, *CONNECTION_FAILURES):
            return


def test_frames_as_they_are_bring_facts(spoken: Any) -> None:
    subject, feeds, facts = spoken
    facts.clear()
    for feed in feeds:
        hear(feed, [written(frame) for frame in subject.frames])

    assert facts
    assert [wrong for fact in facts for wrong in wrong_with(fact)] == []


@settings(max_examples=300, deadline=None)
@given(spoiling=spoilings)
def test_garbage_brings_sound_facts_or_a_new_socket(spoken: Any, spoiling: Spoiling) -> None:
    subject, feeds, facts = spoken
    facts.clear()
    frames = [written(frame) for frame in subject.frames]
    spoilt = spoiling.seed % len(frames)
    frames[spoilt] = spoiling.of(frames[spoilt])
    for feed in feeds:
        hear(feed, frames)

    assert [wrong for fact in facts for wrong in wrong_with(fact)] == []
