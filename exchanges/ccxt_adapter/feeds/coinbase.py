"""Coinbase's Advanced Trade socket, decoded straight from the wire.

Source: docs.cdp.coinbase.com, Advanced Trade, WebSocket: ticker and heartbeats. A ticker comes with
each trade; the channel of whole books brings some tens of thousands of levels of each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from exchanges.ccxt_adapter.bad_rows import take_each
from exchanges.ccxt_adapter.client import VenueClient
from exchanges.ccxt_adapter.feeds import facts
from exchanges.ccxt_adapter.feeds.facts import ByVenueSymbol, Emit
from exchanges.ccxt_adapter.listing import Listing
from exchanges.ccxt_adapter.sockets import Feed, Receive, Send
from exchanges.domain import BookTop
from exchanges.errors import UnexpectedPayload

TICKER, TICKERS = "ticker", "coinbase tickers"
PRODUCTS_PER_REQUEST = 100
# Eight messages a second may come from one address.
PAUSE_SECONDS = 0.2


def spot_market_feeds(client: VenueClient, listings: ByVenueSymbol, emit: Emit) -> Iterator[Feed]:
    """Yield one feed of all touches, as they stand at each trade."""
    sold_as = _by_book(listings)

    async def greet(send: Send, _: Receive) -> None:
        # Without them a quiet channel is closed after a minute.
        await send({"type": "subscribe", "channel": "heartbeats"})
        for some in facts.chunks(list(sold_as), PRODUCTS_PER_REQUEST):
            await asyncio.sleep(PAUSE_SECONDS)
            await send({"type": "subscribe", "channel": TICKER, "product_ids": some})

    def take(row: dict[str, Any], now: datetime) -> bool:
        found = sold_as.get(row["product_id"], ())
        for listing in found:
            for top in top_facts(row, listing, now):
                emit(top)
        return bool(found)

    def handle(message: Any) -> bool:
        if message.get("type") == "error":
            raise UnexpectedPayload(f"subscription refused: {message['message']}", venue="coinbase")
        if message["channel"] != TICKER:
            return False
        now = datetime.now(UTC)
        for event in message["events"]:
            # What a channel begins with is as old as the last trade.
            if event["type"] == "update":
                take_each(event["tickers"], take, now, TICKERS)
        return True

    yield Feed(
        name=TICKERS,
        url=facts.fixed(client.exchange.urls["api"]["ws"]),
        greet=greet,
        handle=handle,
        silent_after=facts.BOOK_SILENT_AFTER,
    )


def _by_book(listings: ByVenueSymbol) -> dict[str, list[Listing]]:
    """Return what is listed by the product whose book it shares: dollars and USDC are one."""
    found: dict[str, list[Listing]] = {}
    for name, listing in listings.items():
        found.setdefault(listing.market["info"].get("alias") or name, []).append(listing)
    return found


def top_facts(row: dict[str, Any], listing: Listing, now: datetime) -> Iterator[BookTop]:
    if row["best_bid"] and row["best_ask"]:
        bid = (row["best_bid"], row["best_bid_quantity"])
        yield facts.book_top(listing, bid, (row["best_ask"], row["best_ask_quantity"]), now)
