"""Hyperliquid's sockets, decoded straight from the wire.

Source: hyperliquid.gitbook.io, API, Websocket: bbo, activeAssetCtx, orderUpdates and userFills.
Those of a wallet are open to all, so that no key is checked here.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from exchanges.ccxt_adapter import parse_account
from exchanges.ccxt_adapter.calls import hyperliquid_rows as rows
from exchanges.ccxt_adapter.client import VenueClient
from exchanges.ccxt_adapter.feeds import facts
from exchanges.ccxt_adapter.feeds.facts import ByVenueSymbol, Emit, EmitAccount, Facts
from exchanges.ccxt_adapter.feeds.subscriptions import Subscriptions
from exchanges.ccxt_adapter.feeds.upkeep import PONG_SILENT_AFTER, keeping_listed, pinging
from exchanges.ccxt_adapter.listing import Listing, Listings
from exchanges.ccxt_adapter.numbers import as_written
from exchanges.ccxt_adapter.sockets import Feed, Receive, Send
from exchanges.domain import AccountFact, MarketFact
from exchanges.venues.hyperliquid import PROFILE

PING = pinging({"method": "ping"})
CONTEXT_SILENT_AFTER = 25.0
PONG, REFUSED, TWICE = "pong", "error", "Already subscribed"
ACKNOWLEDGED = frozenset({"subscriptionResponse", PONG})

# No contract is named in what an account asks for.
ALL_OF_ACCOUNT = Subscriptions({}, PROFILE.name)


def market_feeds(client: VenueClient, listings: ByVenueSymbol, emit: Emit) -> Iterator[Feed]:
    for channel, silent_after in (
        ("activeAssetCtx", CONTEXT_SILENT_AFTER),
        ("bbo", facts.BOOK_SILENT_AFTER),
    ):
        yield _market_feed(client, channel, listings, emit, silent_after)


def _market_feed(
    client: VenueClient, channel: str, listings: ByVenueSymbol, emit: Emit, silent_after: float
) -> Feed:
    read, asked = MARKET_FACTS[channel], Subscriptions(listings, PROFILE.name)

    async def greet(send: Send, _: Receive) -> None:
        await _subscribe(send, [{"type": channel, "coin": coin} for coin in asked.names()])

    def handle(message: Any) -> bool:
        if _is_answer(message, asked):
            return False
        data, now = message["data"], datetime.now(UTC)
        listing = listings.get(data["coin"])
        if listing is not None:
            for fact in read(data, listing, now):
                emit(fact)
        return True

    return Feed(
        name=f"hyperliquid {channel}",
        url=facts.fixed(client.exchange.urls["api"]["ws"]["public"]),
        greet=greet,
        handle=handle,
        silent_after=silent_after,
        upkeep=PING,
        pings=False,
    )


def context_facts(data: dict[str, Any], listing: Listing, now: datetime) -> Iterator[MarketFact]:
    """Yield mark and oracle price, and the coming rate, whose settlement is not named."""
    context = data["ctx"]
    mark = facts.price(context["markPx"], listing)
    oracle = facts.optional_price(context["oraclePx"], listing)
    yield facts.quote(listing, mark, oracle, now)
    yield facts.rate(listing, context["funding"], None, mark, oracle, now)


def book_facts(data: dict[str, Any], listing: Listing, now: datetime) -> Iterator[MarketFact]:
    bid, ask = data["bbo"]
    if bid and ask:
        yield facts.book_top(listing, (bid["px"], bid["sz"]), (ask["px"], ask["sz"]), now)


MARKET_FACTS: dict[str, Facts] = {"activeAssetCtx": context_facts, "bbo": book_facts}


async def _subscribe(send: Send, channels: list[dict[str, str]]) -> None:
    for channel in channels:
        await send({"method": "subscribe", "subscription": channel})


def _is_answer(message: Any, asked: Subscriptions) -> bool:
    """Tell whether a message is no data; raise on a refusal."""
    if message["channel"] == REFUSED:
        said = str(message["data"])
        asked.refuse(said, is_unknown=not said.startswith(TWICE))
    return str(message["channel"]) in ACKNOWLEDGED


# --- Own orders and fills ---------------------------------------------------------------------


def account_feed(client: VenueClient, listings: Listings, emit: EmitAccount) -> Feed:
    wallet = client.exchange.walletAddress
    channels = [{"type": name, "user": wallet} for name in ("orderUpdates", "userFills")]

    async def greet(send: Send, _: Receive) -> None:
        await _subscribe(send, channels)

    def handle(message: Any) -> bool:
        if _is_answer(message, ALL_OF_ACCOUNT):
            return str(message["channel"]) == PONG
        # Not what was listed when the socket was opened: a contract may be new.
        now, known = datetime.now(UTC), client.listings.by_venue_symbol
        for fact in account_facts(message["channel"], message["data"], known, wallet, now):
            emit(fact)
        return True

    return Feed(
        name="hyperliquid account",
        url=facts.fixed(client.exchange.urls["api"]["ws"]["public"]),
        greet=greet,
        handle=handle,
        silent_after=PONG_SILENT_AFTER,
        upkeep=keeping_listed(client, PING),
        pings=False,
        decode=as_written,
    )


def account_facts(
    channel: str, data: Any, listings: ByVenueSymbol, wallet: str, now: datetime
) -> Iterator[AccountFact]:
    """Yield the facts of one message; the fills that a socket begins with are read otherwise."""
    if channel == "orderUpdates":
        for row in data:
            listing = listings.get(row["order"]["coin"])
            if listing is not None:
                yield parse_account.order_report(rows.order(row), listing, now)
    elif channel == "userFills" and not data.get("isSnapshot"):
        for row in data["fills"]:
            listing = listings.get(row["coin"])
            if listing is not None:
                told = rows.fill(row, wallet)
                yield parse_account.fill(told, PROFILE.fills.columns, listing, PROFILE)
