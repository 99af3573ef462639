"""dYdX v4's indexer socket, decoded straight from the wire.

Source: docs.dydx.xyz, Indexer, WebSockets: v4_markets, v4_orderbook and v4_block_height; how a
crossed book is read is its guide "How to uncross the orderbook".
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from exchanges.ccxt_adapter.client import VenueClient
from exchanges.ccxt_adapter.feeds import facts
from exchanges.ccxt_adapter.feeds.facts import ByVenueSymbol, Emit
from exchanges.ccxt_adapter.feeds.ladders import Books, Ladder, Touch
from exchanges.ccxt_adapter.listing import Listing
from exchanges.ccxt_adapter.numbers import streamed
from exchanges.ccxt_adapter.sockets import Feed, Receive, Send
from exchanges.domain import MarketFact, Side
from exchanges.errors import UnexpectedPayload

# What one connection may hear of one channel.
BOOKS_PER_SOCKET = 32
ZERO = Decimal(0)
MARKETS, BOOK, BLOCKS = "v4_markets", "v4_orderbook", "v4_block_height"
SNAPSHOT, CHANGE, CHANGES = "subscribed", "channel_data", "channel_batch_data"


def market_feeds(client: VenueClient, listings: ByVenueSymbol, emit: Emit) -> Iterator[Feed]:
    address = client.exchange.urls["api"]["ws"]
    yield _market_feed(address, listings, emit)
    for number, some in enumerate(facts.chunks(list(listings), BOOKS_PER_SOCKET)):
        yield _book_feed(address, number, {name: listings[name] for name in some}, emit)


def _market_feed(address: str, listings: ByVenueSymbol, emit: Emit) -> Feed:
    known: dict[str, dict[str, Any]] = {}

    async def greet(send: Send, _: Receive) -> None:
        known.clear()
        await send({"type": "subscribe", "channel": MARKETS})

    def handle(message: Any) -> bool:
        now, told = datetime.now(UTC), _contents(message, MARKETS)
        for contents in told:
            for name, row in _rows(contents):
                listing = listings.get(name)
                if listing is not None:
                    known[name] = known.get(name, {}) | row
                    for fact in market_facts(known[name], listing, now):
                        emit(fact)
        return bool(told)

    return Feed(
        name="dydx markets",
        url=facts.fixed(address),
        greet=greet,
        handle=handle,
        silent_after=facts.BOOK_SILENT_AFTER,
    )


def _rows(contents: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield markets by name: whole ones first, then what changed of them."""
    for part in ("markets", "trading", "oraclePrices"):
        yield from contents.get(part, {}).items()


def market_facts(row: dict[str, Any], listing: Listing, now: datetime) -> Iterator[MarketFact]:
    """Yield the oracle price, which is the mark too, and the rate of this hour.

    When it settles is not said.
    """
    oracle = facts.optional_price(row.get("oraclePrice"), listing)
    if oracle is not None:
        yield facts.quote(listing, oracle, oracle, now)
    if row.get("nextFundingRate"):
        yield facts.rate(listing, row["nextFundingRate"], None, oracle, oracle, now)


def _book_feed(address: str, number: int, listings: ByVenueSymbol, emit: Emit) -> Feed:
    books = Books(listings, emit, Uncrossed)

    async def greet(send: Send, _: Receive) -> None:
        books.restart()
        # A block comes every second: whatever else is quiet, the socket speaks.
        await send({"type": "subscribe", "channel": BLOCKS})
        for name in listings:
            await send({"type": "subscribe", "channel": BOOK, "id": name, "batched": True})

    def handle(message: Any) -> bool:
        now, told = datetime.now(UTC), _contents(message, BOOK)
        if told and books.knows(message["id"]):
            name = message["id"]
            book = books.begin(name) if message["type"] == SNAPSHOT else books.of(name)
            for contents in told:
                book.take(contents)
            books.tell(name, now)
        books.confirm(now)
        return bool(told)

    return Feed(
        name=f"dydx books {number}",
        url=facts.fixed(address),
        greet=greet,
        handle=handle,
        silent_after=facts.BOOK_SILENT_AFTER,
    )


def _contents(message: Any, channel: str) -> list[dict[str, Any]]:
    """Return what a message of a channel tells, oldest first; of others nothing.

    Raise UnexpectedPayload on a refusal. Messages have numbers, which are no proof of anything: a
    snapshot carries that of its question, and the socket itself loses nothing.
    """
    kind = message["type"]
    if kind == "error":
        raise UnexpectedPayload(f"subscription refused: {message['message']}", venue="dydx")
    if message.get("channel") != channel:
        return []
    if kind == CHANGES:
        return list(message["contents"])
    return [message["contents"]] if kind in (SNAPSHOT, CHANGE) else []


class Uncrossed(Ladder):
    """A book of what many validators hold, in which bids may stand above asks for a while.

    Of two levels that cross the one told of last is there; of two told of at once the larger, by
    the difference.
    """

    def __init__(self) -> None:
        super().__init__()
        self._turn = 0
        self._told: dict[Side, dict[Decimal, int]] = {side: {} for side in Side}

    def take(self, contents: dict[str, Any]) -> None:
        """Put the levels of a snapshot, which have names, or of a change, which are pairs."""
        self._turn += 1
        for key, side in (("bids", Side.BUY), ("asks", Side.SELL)):
            for level in contents.get(key) or ():
                named = isinstance(level, dict)
                self.put(side, *((level["price"], level["size"]) if named else level[:2]))

    def put(self, side: Side, price: Any, size: Any) -> None:
        super().put(side, price, size)
        self._told[side][streamed(price)] = self._turn
        if not streamed(size):
            del self._told[side][streamed(price)]

    def touch(self) -> Touch | None:
        while (crossed := super().touch()) is not None:
            (bid, bid_size), (ask, ask_size) = crossed
            if bid < ask:
                break
            later = self._told[Side.BUY][bid] - self._told[Side.SELL][ask]
            rest = bid_size - ask_size
            if later <= 0:
                self._leave(Side.BUY, bid, ZERO if later else rest)
            if later >= 0:
                self._leave(Side.SELL, ask, ZERO if later else -rest)
        return crossed

    def _leave(self, side: Side, price: Decimal, rest: Decimal) -> None:
        """Leave of a level what is more than nothing."""
        if rest > 0:
            self.levels(side)[price] = rest
        else:
            self.put(side, price, ZERO)
