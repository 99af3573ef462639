"""Garbage in any place of any frame of a watched venue's sockets: sound facts, or a new socket.

The frames are those of each venue's own tests, heard one after the other as after an opening.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from exchanges.board import Board
from exchanges.ccxt_adapter.feeds import coinbase as coinbase_feeds
from tests.protocol import (
    test_bitfinex,
    test_bitfinex_sockets,
    test_bitget,
    test_bitget_sockets,
    test_coinbase,
    test_coinbase_sockets,
    test_deribit,
    test_deribit_sockets,
    test_dydx,
    test_dydx_sockets,
    test_gate,
    test_gate_sockets,
    test_kraken,
    test_kraken_sockets,
    test_krakenfutures,
    test_krakenfutures_sockets,
    test_kucoin_sockets,
    test_mexc,
    test_mexc_sockets,
)
from tests.protocol.bad_input import BODIES, Spoiling, spoilings
from tests.protocol.canned import CannedVenue
from tests.protocol.spoilt_frames import Ear, as_body
from tests.protocol.test_recorded_payloads import ADAPTERS
from tests.simulation.memory import MemoryRedis

pytestmark = [
    pytest.mark.protocol,
    pytest.mark.skipif(not ADAPTERS.is_dir(), reason="../shared with recorded payloads is absent"),
]

SPOT = frozenset({"bitfinex", "coinbase", "kraken"})
VENUES: dict[str, tuple[Callable[[], CannedVenue], Callable[[], Any]]] = {
    "bitfinex": (test_bitfinex.venue, lambda: test_bitfinex_sockets.FRAMES),
    "bitget": (test_bitget.venue, lambda: test_bitget_sockets.FRAMES),
    "coinbase": (test_coinbase.venue, lambda: test_coinbase_sockets.FRAMES),
    "deribit": (
        test_deribit.venue,
        lambda: [
            test_deribit_sockets.ticker(),
            test_deribit_sockets.TEST,
            test_deribit_sockets.REFUSAL,
            test_deribit.answered(["ticker.BTC_USDC-PERPETUAL.100ms"]),
        ],
    ),
    "dydx": (test_dydx.recorded_venue, lambda: test_dydx_sockets.FRAMES),
    "gate": (test_gate.venue, lambda: test_gate_sockets.FRAMES),
    "kraken": (test_kraken.venue, lambda: test_kraken_sockets.FRAMES),
    "krakenfutures": (
        test_krakenfutures.venue,
        lambda: [
            test_krakenfutures_sockets.ticker(),
            test_krakenfutures_sockets.WELCOME,
            test_krakenfutures_sockets.REFUSAL,
        ],
    ),
    "kucoin": (test_kucoin_sockets.venue, lambda: test_kucoin_sockets.FRAMES),
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
each = pytest.mark.parametrize("venue", sorted(VENUES))


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coinbase_feeds, "PAUSE_SECONDS", 0)


@cache
def ear_of(venue: str) -> Ear:
    return Ear(VENUES[venue][0](), is_spot=venue in SPOT)


def bodies_of(venue: str) -> list[bytes]:
    return [as_body(frame) for frame in VENUES[venue][1]()]


@each
def test_frames_tell_something_before_they_are_spoilt(venue: str) -> None:
    ear = ear_of(venue)

    assert all(ear.hears(feed, bodies_of(venue)) for feed in ear.feeds)


@each
@settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(how=spoilings)
def test_spoilt_frame_is_sound_facts_or_a_failure_the_socket_knows(
    venue: str, how: Spoiling
) -> None:
    ear, board, bodies = ear_of(venue), Board(), bodies_of(venue)
    spoilt = how.seed % len(bodies)
    bodies[spoilt] = how.of(bodies[spoilt])

    for feed in ear.feeds:
        for fact in ear.hears(feed, bodies):
            board.apply(fact)
    board.publish(MemoryRedis())  # type: ignore[arg-type]  # what is used of it


@each
@pytest.mark.parametrize("body", BODIES)
def test_frame_of_another_kind_tells_nothing(venue: str, body: bytes) -> None:
    ear = ear_of(venue)

    assert [ear.hears(feed, [body]) for feed in ear.feeds] == [[]] * len(ear.feeds)
