"""Bitget's sockets of USDT and USDC perpetuals, decoded straight from the wire.

Source: www.bitget.com/api-doc, Common, Websocket, and Contract, Websocket, Tickers Channel. Each
ticker is whole and comes when something of it changes, three times a second at most.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from exchanges.ccxt_adapter.bad_rows import take_each
from exchanges.ccxt_adapter.client import VenueClient
from exchanges.ccxt_adapter.feeds import facts
from exchanges.ccxt_adapter.feeds.facts import ByVenueSymbol, Emit
from exchanges.ccxt_adapter.feeds.subscriptions import Subscriptions
from exchanges.ccxt_adapter.feeds.upkeep import pinging
from exchanges.ccxt_adapter.listing import Listing
from exchanges.ccxt_adapter.sockets import PONG, Feed, Receive, Send
from exchanges.domain import MarketFact

PING = pinging("ping")
# It wants fewer than 50, and no request of more than 4096 bytes: these make 3600 at most.
TICKERS_PER_SOCKET = 45
# It closes a socket that has not said ping for two minutes, and wants to hear it every 30 s.
PING_EVERY = 20.0


def market_feeds(client: VenueClient, listings: ByVenueSymbol, emit: Emit) -> Iterator[Feed]:
    url = client.exchange.urls["api"]["ws"]["public"]
    for number, some in enumerate(facts.chunks(list(listings), TICKERS_PER_SOCKET)):
        known = {name: listings[name] for name in some}
        yield _feed(f"bitget tickers {number}", url, known, emit)


def _feed(name: str, url: str, listings: ByVenueSymbol, emit: Emit) -> Feed:
    asked = Subscriptions(listings, "bitget")

    async def greet(send: Send, _: Receive) -> None:
        channels = [_channel(listings[name]) for name in asked.names()]
        await send({"op": "subscribe", "args": channels})

    take = facts.taker(listings, "instId", ticker_facts, emit)

    def handle(message: Any) -> bool:
        if "data" not in message:
            return _acknowledged(message, asked)
        take_each(message["data"], take, datetime.now(UTC), name)
        return True

    return Feed(
        name=name,
        url=facts.fixed(url),
        greet=greet,
        handle=handle,
        silent_after=facts.BOOK_SILENT_AFTER,
        upkeep=PING,
        upkeep_every=PING_EVERY,
        pings=False,
    )


def _channel(listing: Listing) -> dict[str, str]:
    instrument = listing.instrument
    product = f"{instrument.settle}-FUTURES"
    return {"instType": product, "channel": "ticker", "instId": instrument.venue_symbol}


def ticker_facts(row: dict[str, Any], listing: Listing, now: datetime) -> Iterator[MarketFact]:
    """Yield mark and index price, the coming rate and the touch; the interval is not told."""
    mark = facts.optional_price(row["markPrice"], listing)
    index = facts.optional_price(row["indexPrice"], listing)
    if mark is not None:
        yield facts.quote(listing, mark, index, now)
    if row["fundingRate"]:
        settles_at = int(row["nextFundingTime"] or 0)
        yield facts.rate(listing, row["fundingRate"], settles_at, mark, index, now)
    if row["bidPr"] and row["askPr"]:
        bid, ask = (row["bidPr"], row["bidSz"]), (row["askPr"], row["askSz"])
        yield facts.book_top(listing, bid, ask, now)


def _acknowledged(message: Any, asked: Subscriptions) -> bool:
    """Return False, which means no data; raise if the venue refused a subscription."""
    if message != PONG and message["event"] == "error":
        asked.refuse(str(message["msg"]))
    return False
