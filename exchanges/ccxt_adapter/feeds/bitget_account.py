"""Bitget's private socket, decoded straight from the wire.

Source: www.bitget.com/api-doc/common/websocket-intro and contract/websocket/private, channels
orders, fill, positions and account. A contract that is flat is told by its absence from positions.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from exchanges.ccxt_adapter import parse_account
from exchanges.ccxt_adapter.calls import bitget_rows as rows
from exchanges.ccxt_adapter.calls.bitget_account import COINS
from exchanges.ccxt_adapter.client import VenueClient
from exchanges.ccxt_adapter.feeds import facts
from exchanges.ccxt_adapter.feeds.bitget import PING
from exchanges.ccxt_adapter.feeds.facts import ByVenueSymbol, EmitAccount
from exchanges.ccxt_adapter.feeds.passphrase_login import login
from exchanges.ccxt_adapter.feeds.upkeep import PONG_SILENT_AFTER, keeping_listed
from exchanges.ccxt_adapter.listing import Listings
from exchanges.ccxt_adapter.sockets import PONG, Feed, Receive, Send
from exchanges.domain import AccountFact
from exchanges.errors import CredentialRefused, UnexpectedPayload
from exchanges.venues.bitget import PROFILE

LOGIN_PATH = "/user/verify"
CHANNELS = ("orders", "instId"), ("fill", "instId"), ("positions", "instId"), ("account", "coin")
KEY_REFUSALS = frozenset({"30002", "30005", "30011", "30012", "30015"})


def account_feed(client: VenueClient, listings: Listings, emit: EmitAccount) -> Feed:
    exchange = client.exchange

    async def greet(send: Send, receive: Receive) -> None:
        await send(login(exchange, LOGIN_PATH))
        answer = await receive()
        code = str(answer.get("code", ""))
        if answer.get("event") != "login" or code != "0":
            refused = CredentialRefused if code in KEY_REFUSALS else UnexpectedPayload
            raise refused(str(answer.get("msg", "")), venue=PROFILE.name, code=code)
        await send({"op": "subscribe", "args": _channels()})

    def handle(message: Any) -> bool:
        if "data" not in message:
            return _is_pong(message)
        # Not what was listed when the socket was opened: a contract may be new.
        now, known = datetime.now(UTC), client.listings.by_venue_symbol
        for row in message["data"]:
            for fact in account_facts(message["arg"]["channel"], row, known, now):
                emit(fact)
        return True

    return Feed(
        name="bitget account",
        url=facts.fixed(exchange.urls["api"]["ws"]["private"]),
        greet=greet,
        handle=handle,
        silent_after=PONG_SILENT_AFTER,
        upkeep=keeping_listed(client, PING),
        pings=False,
    )


def _channels() -> list[dict[str, str]]:
    return [
        {"instType": f"{coin}-FUTURES", "channel": channel, of_all: "default"}
        for coin in COINS
        for channel, of_all in CHANNELS
    ]


def _is_pong(message: Any) -> bool:
    """Tell whether a message without data is an answer to a ping; raise on a refusal."""
    if message == PONG:
        return True
    if message["event"] == "error":
        raise UnexpectedPayload(f"subscription refused: {message['msg']}", venue=PROFILE.name)
    return False


def account_facts(
    channel: str, row: dict[str, Any], listings: ByVenueSymbol, now: datetime
) -> Iterator[AccountFact]:
    """Yield the facts of one private row: a margin coin, or what concerns a contract of ours."""
    if channel == "account":
        columns = PROFILE.balances.columns
        yield parse_account.balance(rows.balance(row), columns, PROFILE.name, now)
        return
    listing = listings.get(row["instId"] if "instId" in row else row["symbol"])
    if listing is None:
        return
    if channel == "orders":
        yield parse_account.order_report(rows.order(row), listing, now)
    elif channel == "fill":
        yield parse_account.fill(rows.fill(row), PROFILE.fills.columns, listing, PROFILE)
    elif channel == "positions" and PROFILE.positions is not None:
        columns = PROFILE.positions.columns
        yield parse_account.position(rows.position(row), columns, listing, now)
