"""Kraken's spot socket, version 2, decoded straight from the wire.

Source: docs.kraken.com, Spot WebSocket v2, book, and its guide to checksums. Its ticker tells a
touch when the price of it changes and not when the size does, so that ten levels are heard instead.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from exchanges.ccxt_adapter.client import VenueClient
from exchanges.ccxt_adapter.feeds import facts
from exchanges.ccxt_adapter.feeds.facts import ByVenueSymbol, Emit
from exchanges.ccxt_adapter.feeds.ladders import Books, Ladder
from exchanges.ccxt_adapter.feeds.subscriptions import Subscriptions
from exchanges.ccxt_adapter.feeds.upkeep import pinging
from exchanges.ccxt_adapter.listing import Listing
from exchanges.ccxt_adapter.numbers import as_written
from exchanges.ccxt_adapter.sockets import Feed, Receive, Send
from exchanges.domain import Side
from exchanges.errors import UnexpectedPayload

PING = pinging({"method": "ping"})
DEPTH = 10
UNSUPPORTED = "not supported"
BOOKS_PER_SOCKET = 200
# The socket calls them otherwise than the list of pairs does.
RENAMED = {"XBT": "BTC", "XDG": "DOGE"}


def spot_market_feeds(client: VenueClient, listings: ByVenueSymbol, emit: Emit) -> Iterator[Feed]:
    named = {name_of(listing): listing for listing in listings.values()}
    for number, some in enumerate(facts.chunks(sorted(filter(None, named)), BOOKS_PER_SOCKET)):
        books = {name: named[name] for name in some}
        yield _book_feed(client.exchange.urls["api"]["ws"]["publicV2"], number, books, emit)


def name_of(listing: Listing) -> str:
    """Return what the socket calls a pair, empty where it has no name there."""
    assets = str(listing.market["info"].get("wsname") or "").split("/")
    return "/".join(RENAMED.get(asset, asset) for asset in assets)


def _book_feed(address: str, number: int, named: ByVenueSymbol, emit: Emit) -> Feed:
    books, asked = Books(named, emit, Ladder), Subscriptions(named, "kraken")

    async def greet(send: Send, _: Receive) -> None:
        books.restart()
        params = {"channel": "book", "symbol": asked.names(), "depth": DEPTH}
        await send({"method": "subscribe", "params": params})

    def handle(message: Any) -> bool:
        now, told = datetime.now(UTC), _told(message, asked)
        for row in told:
            if books.knows(row["symbol"]):
                is_new = message["type"] == "snapshot"
                book = books.begin(row["symbol"]) if is_new else books.of(row["symbol"])
                take(book, row)
                books.tell(row["symbol"], now)
        books.confirm(now)
        return bool(told)

    return Feed(
        name=f"kraken books {number}",
        url=facts.fixed(address),
        greet=greet,
        handle=handle,
        silent_after=facts.BOOK_SILENT_AFTER,
        upkeep=PING,
        pings=False,
        decode=as_written,
    )


def _told(message: Any, asked: Subscriptions) -> list[dict[str, Any]]:
    """Return the books of a message; of others nothing. Raise on a refusal."""
    if message.get("success") is False or "error" in message:
        said = str(message["error"])
        asked.refuse(f"{said} {message.get('symbol', '')}", is_unknown=UNSUPPORTED in said)
    return list(message["data"]) if message.get("channel") == "book" else []


def take(book: Ladder, row: dict[str, Any]) -> None:
    """Put the levels of one message. Raise UnexpectedPayload where it is not Kraken's book then."""
    for side, key in ((Side.BUY, "bids"), (Side.SELL, "asks")):
        for level in row[key]:
            book.put(side, level["price"], level["qty"])
    book.trim(DEPTH)
    if checksum(book) != row["checksum"]:
        raise UnexpectedPayload("a book that is not the venue's", venue="kraken")


def checksum(book: Ladder) -> int:
    """Return the CRC32 of all digits: asks from the lowest, then bids from the highest price."""
    asks, bids = sorted(book.asks.items()), sorted(book.bids.items(), reverse=True)
    return zlib.crc32(
        "".join(_digits(number for level in asks + bids for number in level)).encode()
    )


def _digits(numbers: Iterable[Decimal]) -> Iterator[str]:
    for number in numbers:
        yield f"{number:f}".replace(".", "").lstrip("0")
