"""Kraken Futures' private feeds, decoded straight from the wire.

Source: docs.kraken.com/api, Futures, WebSocket: challenge, open_orders_verbose, fills,
open_positions, balances and heartbeat. An order that ends is told by its names alone, and with
that what it filled is left for a look-up to tell: one that was full may have been cut before.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import ccxt

from exchanges.ccxt_adapter import parse_account
from exchanges.ccxt_adapter.calls import kraken_futures_orders as orders_told
from exchanges.ccxt_adapter.calls import kraken_futures_wallet as wallet
from exchanges.ccxt_adapter.calls.kraken_futures_signing import signature
from exchanges.ccxt_adapter.client import VenueClient
from exchanges.ccxt_adapter.feeds import facts
from exchanges.ccxt_adapter.feeds.facts import ByVenueSymbol, EmitAccount
from exchanges.ccxt_adapter.feeds.upkeep import keeping_listed
from exchanges.ccxt_adapter.listing import Listings
from exchanges.ccxt_adapter.numbers import as_written
from exchanges.ccxt_adapter.sockets import Feed, Receive, Send
from exchanges.domain import AccountFact
from exchanges.errors import CredentialRefused, UnexpectedPayload
from exchanges.venues.krakenfutures import PROFILE

# It says once a second that it is there.
HEARTBEAT, HEARTBEAT_SILENT_AFTER = "heartbeat", 10.0
ORDERS, FILLS, POSITIONS, BALANCES = "open_orders_verbose", "fills", "open_positions", "balances"
PRIVATE = (ORDERS, FILLS, POSITIONS, BALANCES)
KEY_REFUSED = "Failed to subscribe to authenticated feed"

Orders = dict[str, dict[str, Any]]


def account_feed(client: VenueClient, listings: Listings, emit: EmitAccount) -> Feed:
    exchange, orders = client.exchange, Orders()

    def handle(message: Any) -> bool:
        if "event" in message:
            return _acknowledged(message)
        # Not what was listed when the socket was opened: a contract may be new.
        now, known = datetime.now(UTC), client.listings.by_venue_symbol
        for fact in account_facts(message, orders, known, now):
            emit(fact)
        return True

    async def greet(send: Send, receive: Receive) -> None:
        orders.clear()
        await send({"event": "challenge", "api_key": exchange.apiKey})
        signed = await _signed(exchange, receive)
        for feed in PRIVATE:
            await send({"event": "subscribe", "feed": feed, **signed})
        await send({"event": "subscribe", "feed": HEARTBEAT})
        waiting = {*PRIVATE, HEARTBEAT}
        while waiting:
            message = await receive()
            handle(message)
            if message.get("event") == "subscribed":
                waiting.discard(message["feed"])

    return Feed(
        name="krakenfutures account",
        url=facts.fixed(exchange.urls["api"]["ws"]),
        greet=greet,
        handle=handle,
        silent_after=HEARTBEAT_SILENT_AFTER,
        upkeep=keeping_listed(client),
        decode=as_written,
    )


async def _signed(exchange: Any, receive: Receive) -> dict[str, str]:
    """Return what a private feed is asked for with, once the venue has told its challenge."""
    message = await receive()
    while message["event"] != "challenge":
        _acknowledged(message)
        message = await receive()
    challenge = message["message"]
    try:
        proof = signature(exchange.secret, challenge)
    except ccxt.AuthenticationError as refused:
        raise CredentialRefused(str(refused), venue=PROFILE.name) from None
    return {
        "api_key": exchange.apiKey,
        "original_challenge": challenge,
        "signed_challenge": proof,
    }


def _acknowledged(message: Any) -> bool:
    """Return False, which means no data; raise on a refusal, which is an alert or an error."""
    said = str(message.get("message", ""))
    if said == KEY_REFUSED:
        raise CredentialRefused(said, venue=PROFILE.name)
    if message["event"] not in ("info", "subscribed"):
        raise UnexpectedPayload(f"subscription refused: {said}", venue=PROFILE.name)
    return False


def account_facts(
    message: dict[str, Any], orders: Orders, listings: ByVenueSymbol, now: datetime
) -> Iterator[AccountFact]:
    """Yield the facts of one message; `orders` keeps what works, by the venue's number.

    Fills that are told again on opening were read by then.
    """
    match message["feed"]:
        case "open_orders_verbose_snapshot":
            for told in message["orders"]:
                yield from _order_facts({"order": told, "is_cancel": False}, orders, listings, now)
        case "open_orders_verbose":
            yield from _order_facts(message, orders, listings, now)
        case "fills":
            for told in message["fills"]:
                row = wallet.streamed_fill(told)
                if listing := listings.get(row["symbol"]):
                    yield parse_account.fill(row, PROFILE.fills.columns, listing, PROFILE)
        case "open_positions":
            yield from _position_facts(message, listings, now)
        case "balances" | "balances_snapshot":
            if "flex_futures" in message:
                yield from _balance_facts(message["flex_futures"], now)


def _order_facts(
    message: dict[str, Any], orders: Orders, listings: ByVenueSymbol, now: datetime
) -> Iterator[AccountFact]:
    told = message.get("order")
    if told:
        orders[told["order_id"]] = row = orders_told.streamed(told)
    else:
        row = orders.get(message["order_id"], {})
    if message["is_cancel"]:
        orders.pop(row.get("order_id", ""), None)
        row = row and {**row, **orders_told.ended(told, message["reason"])}
    listing = listings.get(row["symbol"]) if row else None
    if listing is not None:
        yield parse_account.order_report(orders_told.order(row), listing, now)


def _position_facts(
    message: dict[str, Any], listings: ByVenueSymbol, now: datetime
) -> Iterator[AccountFact]:
    columns = PROFILE.positions.columns if PROFILE.positions else {}
    for told in message["positions"]:
        row = wallet.streamed_position(told)
        if listing := listings.get(row["symbol"]):
            yield parse_account.position(row, columns, listing, now)


def _balance_facts(flex: dict[str, Any], now: datetime) -> Iterator[AccountFact]:
    found = wallet.balances(flex, margin="available_margin", unrealised="total_unrealized")
    for row in found:
        yield parse_account.balance(row, PROFILE.balances.columns, PROFILE.name, now)
