"""MEXC's contracts: marks of all in one message, books one by one, decoded straight from the wire.

Source: www.mexc.com/api-docs/futures, WebSocket API, `sub.tickers` (once a second) and
`sub.depth.full`. No channel tells the rates of all contracts, nor any their interval: they are read
by REST. Books come whole, which needs no sequence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from exchanges.ccxt_adapter.bad_rows import take_each
from exchanges.ccxt_adapter.client import VenueClient
from exchanges.ccxt_adapter.feeds import facts
from exchanges.ccxt_adapter.feeds.facts import ByVenueSymbol, Emit
from exchanges.ccxt_adapter.feeds.upkeep import pinging
from exchanges.ccxt_adapter.listing import Listing
from exchanges.ccxt_adapter.numbers import as_written
from exchanges.ccxt_adapter.sockets import Feed, Receive, Send
from exchanges.domain import MarketFact
from exchanges.errors import UnexpectedPayload
from exchanges.venues.mexc import PROFILE

PING = pinging({"method": "ping"})
# Of contracts no maximum is documented; this is the one of its spot markets.
BOOKS_PER_SOCKET = 30
# The fewest levels that a full book may have.
LEVELS = 5
# After a minute without a ping the venue closes.
PING_EVERY = 15.0
TICKERS, BOOK = "tickers", "depth.full"
MARKS_TOLD, BOOK_TOLD = f"push.{TICKERS}", f"push.{BOOK}"
SUBSCRIBED, REFUSED, SUCCESS = "rs.sub.", "rs.error", "success"


def market_feeds(client: VenueClient, listings: ByVenueSymbol, emit: Emit) -> Iterator[Feed]:
    url = client.exchange.urls["api"]["ws"]["swap"]
    if listings:
        of_all = [_subscription(TICKERS, {})]
        yield _feed("mexc tickers", url, of_all, listings, emit, facts.MARK_SILENT_AFTER)
    for number, some in enumerate(facts.chunks(list(listings), BOOKS_PER_SOCKET)):
        books = [_subscription(BOOK, {"symbol": name, "limit": LEVELS}) for name in some]
        yield _feed(f"mexc books {number}", url, books, listings, emit, facts.BOOK_SILENT_AFTER)


def _feed(
    name: str,
    url: str,
    subscriptions: list[dict[str, object]],
    listings: ByVenueSymbol,
    emit: Emit,
    silent_after: float,
) -> Feed:
    async def greet(send: Send, _: Receive) -> None:
        for subscription in subscriptions:
            await send(subscription)

    take = facts.taker(listings, "symbol", ticker_facts, emit)

    def handle(message: Any) -> bool:
        channel, now = message["channel"], datetime.now(UTC)
        if channel == MARKS_TOLD:
            take_each(message["data"], take, now, name)
        elif channel == BOOK_TOLD:
            for fact in book_facts(message, listings, now):
                emit(fact)
        else:
            return _acknowledged(message)
        return True

    return Feed(
        name=name,
        url=facts.fixed(url),
        greet=greet,
        handle=handle,
        silent_after=silent_after,
        upkeep=PING,
        upkeep_every=PING_EVERY,
        pings=False,
        decode=as_written,
    )


def ticker_facts(row: dict[str, Any], listing: Listing, now: datetime) -> Iterator[MarketFact]:
    """Yield the mark of one contract; where it lacks its index, REST alone tells it."""
    if row.get("fairPrice") and row.get("indexPrice"):
        index = facts.price(row["indexPrice"], listing)
        yield facts.quote(listing, facts.price(row["fairPrice"], listing), index, now)


def book_facts(message: Any, listings: ByVenueSymbol, now: datetime) -> Iterator[MarketFact]:
    """Yield the touch of a book, whose levels are price, contracts and number of orders."""
    listing, book = listings.get(message["symbol"]), message["data"]
    if listing is not None and book["bids"] and book["asks"]:
        bid, ask = book["bids"][0], book["asks"][0]
        yield facts.book_top(listing, (bid[0], bid[1]), (ask[0], ask[1]), now)


def _subscription(channel: str, param: Mapping[str, object]) -> dict[str, object]:
    """Return what asks for a channel as text; the venue may compress it otherwise."""
    return {"method": f"sub.{channel}", "param": param, "gzip": False}


def _acknowledged(message: Any) -> bool:
    """Return False, which means no data; raise if the venue refused the subscription."""
    channel, said = message["channel"], message.get("data")
    if channel == REFUSED or (channel.startswith(SUBSCRIBED) and said != SUCCESS):
        raise UnexpectedPayload(f"subscription refused: {said}", venue=PROFILE.name)
    return False
