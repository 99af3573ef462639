"""Binance spot and USD-M market streams, decoded straight from the wire.

The library's unified parser needs about 10 ms of one core for one array of 400 mark prices; this
needs the JSON decoder and a few Decimals. Source: developers.binance.com, "WebSocket streams" of
spot and USD-M futures.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from exchanges.ccxt_adapter.bad_rows import take_each
from exchanges.ccxt_adapter.client import VenueClient
from exchanges.ccxt_adapter.feeds import facts
from exchanges.ccxt_adapter.feeds.facts import ByVenueSymbol, Emit
from exchanges.ccxt_adapter.listing import Listing
from exchanges.ccxt_adapter.sockets import Feed, Receive, Send
from exchanges.domain import MarketFact
from exchanges.errors import UnexpectedPayload

STREAMS_PER_SOCKET = 200
MARKS = "binanceusdm mark"


def spot_market_feeds(client: VenueClient, listings: ByVenueSymbol, emit: Emit) -> Iterator[Feed]:
    """Yield the book feeds; spot has neither mark price nor funding."""
    yield from _book_feeds("binance", client.exchange.get_ws_url("spot", ""), listings, emit)


def usdm_market_feeds(client: VenueClient, listings: ByVenueSymbol, emit: Emit) -> Iterator[Feed]:
    yield from _book_feeds(
        "binanceusdm", client.exchange.get_ws_url("linear", "public"), listings, emit
    )
    if listings:
        yield _mark_feed(client.exchange.get_ws_url("linear", "market"), listings, emit)


def mark_facts(update: dict[str, Any], listing: Listing, now: datetime) -> Iterator[MarketFact]:
    """Yield the facts of one `markPriceUpdate`.

    `{"s": "BTCUSDT", "p": "11794.15", "i": "11784.62", "r": "0.00038167", "T": 1562306400000}`:
    p mark, i index, r rate to come, T its settlement; the interval is not said. A dated future
    comes with r empty and T 0.
    """
    mark = facts.price(update["p"], listing)
    index = facts.optional_price(update["i"], listing)
    yield facts.quote(listing, mark, index, now)
    if update["r"] and update["T"]:
        yield facts.rate(listing, update["r"], update["T"], mark, index, now)


def _mark_feed(address: str, listings: ByVenueSymbol, emit: Emit) -> Feed:
    take = facts.taker(listings, "s", mark_facts, emit)

    def handle(message: Any) -> bool:
        if not isinstance(message, list):
            return _acknowledged(message)
        take_each(message, take, datetime.now(UTC), MARKS)
        return True

    return Feed(
        name=MARKS,
        url=facts.fixed(f"{address}/0"),
        greet=_subscribe(["!markPrice@arr@1s"]),
        handle=handle,
        silent_after=facts.MARK_SILENT_AFTER,
    )


def _book_feeds(venue: str, address: str, listings: ByVenueSymbol, emit: Emit) -> Iterator[Feed]:
    def handle(message: Any) -> bool:
        if "b" not in message:
            return _acknowledged(message)
        listing = listings.get(message["s"])
        if listing is not None:
            bid, ask = (message["b"], message["B"]), (message["a"], message["A"])
            emit(facts.book_top(listing, bid, ask, datetime.now(UTC)))
        return True

    streams = [f"{symbol.lower()}@bookTicker" for symbol in listings]
    for number, some in enumerate(facts.chunks(streams, STREAMS_PER_SOCKET)):
        yield Feed(
            name=f"{venue} book {number}",
            url=facts.fixed(f"{address}/{number}"),
            greet=_subscribe(some),
            handle=handle,
            silent_after=facts.BOOK_SILENT_AFTER,
        )


def _subscribe(streams: list[str]) -> Callable[[Send, Receive], Awaitable[None]]:
    async def greet(send: Send, _: Receive) -> None:
        await send({"method": "SUBSCRIBE", "params": streams, "id": 1})

    return greet


def _acknowledged(message: Any) -> bool:
    """Return False, which means no data; raise if the venue refused the subscription."""
    if "error" in message or "code" in message:
        raise UnexpectedPayload(f"subscription refused: {message}", venue="binance")
    return False
