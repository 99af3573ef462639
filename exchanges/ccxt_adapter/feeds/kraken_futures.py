"""Kraken's ticker of perpetuals, decoded straight from the wire: one socket tells all of them.

Source: docs.kraken.com/api, Futures, WebSocket, Ticker: every field once a second. The venue wants
a ping a minute, which those of the WebSocket protocol are.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from exchanges.ccxt_adapter.calls.kraken_futures import relative
from exchanges.ccxt_adapter.client import VenueClient
from exchanges.ccxt_adapter.feeds import facts
from exchanges.ccxt_adapter.feeds.facts import ByVenueSymbol, Emit
from exchanges.ccxt_adapter.feeds.subscriptions import Subscriptions
from exchanges.ccxt_adapter.listing import Listing
from exchanges.ccxt_adapter.numbers import as_written
from exchanges.ccxt_adapter.sockets import Feed, Receive, Send
from exchanges.domain import MarketFact
from exchanges.venues.krakenfutures import PROFILE

PRODUCTS_PER_REQUEST = 100
TICKER = "ticker"
WELCOME, ACKNOWLEDGED = "info", "subscribed"


def market_feeds(client: VenueClient, listings: ByVenueSymbol, emit: Emit) -> Iterator[Feed]:
    asked = Subscriptions(listings, PROFILE.name)

    async def greet(send: Send, _: Receive) -> None:
        for some in facts.chunks(asked.names(), PRODUCTS_PER_REQUEST):
            await send({"event": "subscribe", "feed": TICKER, "product_ids": some})

    def handle(message: Any) -> bool:
        if "event" in message:
            return _acknowledged(message, asked)
        listing = listings.get(message["product_id"])
        if listing is not None:
            for fact in ticker_facts(message, listing, datetime.now(UTC)):
                emit(fact)
        return True

    yield Feed(
        name="krakenfutures tickers",
        url=facts.fixed(client.exchange.urls["api"]["ws"]),
        greet=greet,
        handle=handle,
        silent_after=facts.MARK_SILENT_AFTER,
        decode=as_written,
    )


def ticker_facts(row: dict[str, Any], listing: Listing, now: datetime) -> Iterator[MarketFact]:
    """Yield mark, coming rate and touch; the rate is counted as from the list of all tickers.

    A rate of zero is left out of the message. Its interval is not told.
    """
    mark = facts.optional_price(row.get("markPrice"), listing)
    index = facts.optional_price(row.get("index"), listing)
    if mark is not None:
        yield facts.quote(listing, mark, index, now)
    settles_at = row.get("next_funding_rate_time")
    fraction = relative(row.get("funding_rate", 0), row.get("index"))
    if settles_at and fraction is not None:
        yield facts.rate(listing, fraction, settles_at, mark, index, now)
    if row.get("bid") and row.get("ask"):
        bid, ask = (row["bid"], row["bid_size"]), (row["ask"], row["ask_size"])
        yield facts.book_top(listing, bid, ask, now)


def _acknowledged(message: Any, asked: Subscriptions) -> bool:
    """Return False, which means no data; raise on a refusal, which is an alert or an error."""
    if message["event"] not in (WELCOME, ACKNOWLEDGED):
        told = str(message.get("message", message["event"]))
        asked.refuse(f"{told} {message.get('product_ids', '')}")
    return False
