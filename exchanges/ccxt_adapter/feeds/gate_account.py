"""Gate's private channels, decoded straight from the wire.

Source: www.gate.com/docs/developers/futures/ws, channels futures.orders, futures.usertrades and
futures.positions. Its numbers are written as numbers. Balances are left out: that channel tells the
wallet, and not what of it is free.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from exchanges.ccxt_adapter import parse_account
from exchanges.ccxt_adapter.calls import gate_rows as rows
from exchanges.ccxt_adapter.client import VenueClient
from exchanges.ccxt_adapter.feeds import facts
from exchanges.ccxt_adapter.feeds.facts import EmitAccount
from exchanges.ccxt_adapter.feeds.gate import DECIMAL_SIZES, SYSTEM
from exchanges.ccxt_adapter.feeds.upkeep import PONG_SILENT_AFTER, keeping_listed
from exchanges.ccxt_adapter.listing import Listing, Listings
from exchanges.ccxt_adapter.numbers import as_written
from exchanges.ccxt_adapter.sockets import Feed, Receive, Send
from exchanges.domain import AccountFact
from exchanges.errors import CredentialRefused, UnexpectedPayload
from exchanges.venues.gate import POSITIONS as HELD
from exchanges.venues.gate import PROFILE

ORDERS, FILLS, POSITIONS = "futures.orders", "futures.usertrades", "futures.positions"
PING, PONG = "futures.ping", "futures.pong"
OF_ALL = "!all"
# The code of a subscription that its key does not allow.
NOT_AUTHENTICATED = "4"

Read = Callable[[dict[str, Any], Listing, datetime], AccountFact]


def account_feed(client: VenueClient, listings: Listings, emit: EmitAccount) -> Feed:
    exchange = client.exchange

    async def greet(send: Send, receive: Receive) -> None:
        user = await client.reading(exchange.user_id())
        for channel in CHANNELS:
            await send(_subscription(exchange, channel, user))
            # What a channel that is open already tells meanwhile must not be lost.
            while not _accepted(channel, answer := await receive()):
                handle(answer)

    def handle(message: Any) -> bool:
        channel = message["channel"]
        if channel == SYSTEM:
            raise ConnectionResetError("the venue is about to close this connection")
        if message.get("event") != "update":
            _refuse(message)
            return bool(channel == PONG)
        for fact in account_facts(channel, message["result"], client, datetime.now(UTC)):
            emit(fact)
        return True

    async def ping(send: Send) -> None:
        await send({"time": int(exchange.nonce()) // 1000, "channel": PING})

    return Feed(
        name="gate account",
        url=facts.fixed(exchange.urls["api"]["swap"]["usdt"]),
        greet=greet,
        handle=handle,
        silent_after=PONG_SILENT_AFTER,
        upkeep=keeping_listed(client, ping),
        decode=as_written,
        headers=DECIMAL_SIZES,
    )


def _subscription(exchange: Any, channel: str, user: str) -> dict[str, Any]:
    """Return what asks for one private channel, signed by itself."""
    stamp = int(exchange.nonce()) // 1000
    text = f"channel={channel}&event=subscribe&time={stamp}".encode()
    signature = hmac.new(exchange.secret.encode(), text, hashlib.sha512).hexdigest()
    return {
        "time": stamp,
        "channel": channel,
        "event": "subscribe",
        "payload": [user, OF_ALL],
        "auth": {"method": "api_key", "KEY": exchange.apiKey, "SIGN": signature},
    }


def _accepted(channel: str, message: Any) -> bool:
    if (message["channel"], message.get("event")) != (channel, "subscribe"):
        return False
    _refuse(message)
    return True


def _refuse(message: Any) -> None:
    """Raise where the venue refused a subscription."""
    error = message.get("error")
    if error:
        code = str(error["code"])
        refused = CredentialRefused if code == NOT_AUTHENTICATED else UnexpectedPayload
        raise refused(f"subscription refused: {error['message']}", venue=PROFILE.name, code=code)


def account_facts(
    channel: str, told: list[dict[str, Any]], client: VenueClient, now: datetime
) -> Iterator[AccountFact]:
    """Yield the facts of one private message that concern a contract of ours."""
    # Not what was listed when the socket was opened: a contract may have another size by now.
    read, known = CHANNELS[channel], client.listings.by_venue_symbol
    for row in told:
        listing = known.get(row["contract"])
        if listing is not None:
            yield read(row, listing, now)


def _order(row: dict[str, Any], listing: Listing, now: datetime) -> AccountFact:
    return parse_account.order_report(rows.order(row), listing, now)


def _fill(row: dict[str, Any], listing: Listing, now: datetime) -> AccountFact:
    return parse_account.fill(rows.fill(row), PROFILE.fills.columns, listing, PROFILE)


def _position(row: dict[str, Any], listing: Listing, now: datetime) -> AccountFact:
    return parse_account.position(rows.position(row), HELD.columns, listing, now)


CHANNELS: dict[str, Read] = {ORDERS: _order, FILLS: _fill, POSITIONS: _position}
