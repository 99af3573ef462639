"""Coinbase's Advanced Trade socket; frames after its documentation.

Source: docs.cdp.coinbase.com, Advanced Trade, WebSocket channels: ticker, heartbeats.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from exchanges.ccxt_adapter.client import Catalogue, VenueClient
from exchanges.ccxt_adapter.library import Surroundings
from exchanges.ccxt_adapter.streams import CcxtMarketStream
from exchanges.domain import BookTop, MarketFact
from exchanges.venues import PROFILES
from tests.protocol.canned_sockets import CannedSockets
from tests.protocol.conftest import assert_exact
from tests.protocol.test_coinbase import BITCOIN, PRODUCT, venue
from tests.simulation.transport import InProcessSession

pytestmark = pytest.mark.protocol

IN_USDC = PRODUCT | {
    "product_id": "BTC-USDC",
    "quote_currency_id": "USDC",
    "alias": "BTC-USD",
    "alias_to": [],
}
ROW = {
    "type": "ticker",
    "product_id": "BTC-USD",
    "price": "21932.98",
    "volume_24_h": "16038.28770938",
    "best_bid": "21931.98",
    "best_bid_quantity": "8000.21",
    "best_ask": "21933.98",
    "best_ask_quantity": "8038.07770938",
}
HEARTBEAT = {
    "channel": "heartbeats",
    "timestamp": "2026-03-01T12:30:01Z",
    "sequence_num": 1,
    "events": [{"current_time": "2026-03-01 12:30:01 +0000 UTC", "heartbeat_counter": 1}],
}
ACCEPTED = {
    "channel": "subscriptions",
    "sequence_num": 0,
    "events": [{"subscriptions": {"ticker": ["BTC-USD"]}}],
}


def told(*rows: Any, kind: str = "update") -> dict[str, Any]:
    return {
        "channel": "ticker",
        "client_id": "",
        "timestamp": "2026-03-01T12:30:00.533606Z",
        "sequence_num": 2,
        "events": [{"type": kind, "tickers": list(rows)}],
    }


FRAMES = [ACCEPTED, HEARTBEAT, told(ROW)]


def speaking(frames: Iterable[Any]) -> Callable[[Any], Iterable[Any]]:
    return lambda said: frames if said and said["channel"] == "ticker" else []


def heard(frames: Iterable[Any], *products: Any, enough: int = 1) -> list[MarketFact]:
    sockets = CannedSockets(venue(*products), speaking(frames), is_spot=True)
    facts = sockets.facts(lambda found: len(found) >= enough)
    for fact in facts:
        assert_exact(fact)
    return facts


def test_tickers_and_heartbeats_are_asked_for_without_a_key() -> None:
    sockets = CannedSockets(venue(), speaking(FRAMES), is_spot=True)
    sockets.facts(bool)

    assert sockets.said == [
        {"type": "subscribe", "channel": "heartbeats"},
        {"type": "subscribe", "channel": "ticker", "product_ids": ["BTC-USD"]},
    ]


def test_touch_at_a_trade_with_its_sizes() -> None:
    [top] = heard([ACCEPTED, HEARTBEAT, told(ROW)])

    assert isinstance(top, BookTop)
    assert (top.symbol, top.bid, top.ask) == (BITCOIN, Decimal("21931.98"), Decimal("21933.98"))
    assert (top.bid_quantity, top.ask_quantity) == (Decimal("8000.21"), Decimal("8038.07770938"))


def test_what_a_channel_begins_with_may_be_old_and_is_left_out() -> None:
    old, strange = ROW | {"best_bid": "1"}, ROW | {"product_id": "DOGE-USD"}
    empty = ROW | {"best_bid": "", "best_bid_quantity": ""}

    [top] = heard([told(old, kind="snapshot"), told(strange, empty), told(ROW)])

    assert isinstance(top, BookTop)
    assert top.bid == Decimal("21931.98")


def test_dollars_and_usdc_share_one_book_that_is_asked_for_once() -> None:
    sockets = CannedSockets(venue(IN_USDC), speaking(FRAMES), is_spot=True)
    found = sockets.facts(lambda facts: len(facts) == 2)

    assert {one.symbol for one in found} == {"BTC/USD", "BTC/USDC"}
    assert sockets.said[-1]["product_ids"] == ["BTC-USD"]


@pytest.mark.parametrize(
    "trouble",
    [
        {"type": "error", "message": "failed to parse message"},
        told(ROW | {"best_bid": 21931.98}),
        told({"product_id": "BTC-USD"}),
    ],
    ids=["refused", "float", "nothing"],
)
def test_refusal_and_what_is_not_understood_open_the_socket_anew(trouble: Any) -> None:
    answers = iter([[trouble], [told(ROW)]])

    def speech(said: Any) -> Iterable[Any]:
        return next(answers) if said and said["channel"] == "ticker" else []

    sockets = CannedSockets(venue(), speech, is_spot=True)
    [top] = sockets.facts(bool)

    assert top.symbol == BITCOIN
    assert len(sockets.paths) == 2


class Socketless(InProcessSession):
    """A way to a venue on which requests are answered and no socket opens."""

    async def ws_connect(self, *_: Any, **__: Any) -> Any:
        raise aiohttp.ClientConnectionError("nobody there")


def test_books_are_read_besides_because_quiet_markets_do_not_trade() -> None:
    async def story() -> MarketFact:
        at, facts = venue(), asyncio.Queue[MarketFact]()
        surroundings = Surroundings(now=lambda: at.now, session=lambda: Socketless(lambda: at))
        client = VenueClient(Catalogue(PROFILES["coinbase"]), surroundings=surroundings)
        running = asyncio.ensure_future(CcxtMarketStream(client).run([BITCOIN], facts.put_nowait))
        async with asyncio.timeout(10):
            top = await facts.get()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await client.close()
        return top

    top = asyncio.run(story())

    assert isinstance(top, BookTop)
    assert (top.bid, top.ask) == (Decimal("67059.07"), Decimal("67060.85"))
