"""Deribit's tickers of perpetuals, decoded straight from the wire: JSON-RPC, one socket.

Source: docs.deribit.com, `ticker.(instrument_name).(interval)`, `public/subscribe` and
`public/set_heartbeat`. A ticker comes whole, at most ten times a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from exchanges.ccxt_adapter.calls.deribit import of_an_hour
from exchanges.ccxt_adapter.client import VenueClient
from exchanges.ccxt_adapter.feeds import facts
from exchanges.ccxt_adapter.feeds.facts import ByVenueSymbol, Emit
from exchanges.ccxt_adapter.listing import Listing
from exchanges.ccxt_adapter.numbers import as_written, streamed
from exchanges.ccxt_adapter.sockets import Feed, Receive, Send
from exchanges.domain import MarketFact
from exchanges.errors import UnexpectedPayload
from exchanges.venues.deribit import PROFILE

# Who asks in bursts of more than ten is cut off; a request may name 32 KB of channels.
CHANNELS_PER_REQUEST = 200
HEARTBEAT_SECONDS = 30
# A test that is not answered ends the connection.
ANSWER_EVERY = 1.0


def market_feeds(client: VenueClient, listings: ByVenueSymbol, emit: Emit) -> Iterator[Feed]:
    channels = [f"ticker.{name}.100ms" for name in listings]
    tested = asyncio.Event()

    async def greet(send: Send, _: Receive) -> None:
        tested.clear()
        await send(request_of("public/set_heartbeat", {"interval": HEARTBEAT_SECONDS}))
        for some in facts.chunks(channels, CHANNELS_PER_REQUEST):
            await send(request_of("public/subscribe", {"channels": some}))

    def handle(message: Any) -> bool:
        match message.get("method"):
            case "subscription":
                _take(message["params"]["data"], listings, emit)
                return True
            case "heartbeat":
                if message["params"]["type"] == "test_request":
                    tested.set()
                return False
        return acknowledged(message)

    async def keep_up(send: Send) -> None:
        if tested.is_set():
            tested.clear()
            await send(request_of("public/test", {}))

    yield Feed(
        name="deribit tickers",
        url=facts.fixed(client.exchange.urls["api"]["ws"]),
        greet=greet,
        handle=handle,
        silent_after=facts.MARK_SILENT_AFTER,
        upkeep=keep_up,
        upkeep_every=ANSWER_EVERY,
        decode=as_written,
    )


def _take(data: dict[str, Any], listings: ByVenueSymbol, emit: Emit) -> None:
    listing = listings.get(data["instrument_name"])
    if listing is not None:
        for fact in ticker_facts(data, listing, datetime.now(UTC)):
            emit(fact)


def ticker_facts(data: dict[str, Any], listing: Listing, now: datetime) -> Iterator[MarketFact]:
    """Yield mark, rate of an hour and touch; neither interval nor settlement is told."""
    mark = facts.optional_price(data.get("mark_price"), listing)
    index = facts.optional_price(data.get("index_price"), listing)
    if mark is not None:
        yield facts.quote(listing, mark, index, now)
    if data.get("current_funding") is not None:
        rate = of_an_hour(streamed(data["current_funding"]))
        yield facts.rate(listing, rate, None, mark, index, now)
    if data.get("best_bid_price") and data.get("best_ask_price"):
        bid = (data["best_bid_price"], data["best_bid_amount"])
        ask = (data["best_ask_price"], data["best_ask_amount"])
        yield facts.book_top(listing, bid, ask, now)


def request_of(method: str, params: Mapping[str, object], number: int = 1) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def acknowledged(message: Any) -> bool:
    """Return False, which means no data; raise if the venue refused what was asked."""
    if "result" not in message:
        raise UnexpectedPayload(
            f"request refused: {message['error']['message']}", venue=PROFILE.name
        )
    return False
