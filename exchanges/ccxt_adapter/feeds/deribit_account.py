"""Deribit's private channels, decoded straight from the wire.

Source: docs.deribit.com, `public/auth`, `private/subscribe` and
`user.changes.(kind).(currency).raw`: orders, executions and positions come together; what works
already is not told again on opening. Balances are left out: their channel tells the cash, which
has profits once a day, and no positions to count them by.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from secrets import token_hex
from time import monotonic
from typing import Any

from exchanges.ccxt_adapter import parse_account
from exchanges.ccxt_adapter.calls import deribit_orders as orders
from exchanges.ccxt_adapter.calls import deribit_wallet as wallet
from exchanges.ccxt_adapter.calls.deribit_requests import signature
from exchanges.ccxt_adapter.client import VenueClient
from exchanges.ccxt_adapter.feeds import facts
from exchanges.ccxt_adapter.feeds.deribit import ANSWER_EVERY, acknowledged, request_of
from exchanges.ccxt_adapter.feeds.facts import ByVenueSymbol, EmitAccount
from exchanges.ccxt_adapter.listing import Listings
from exchanges.ccxt_adapter.numbers import as_written, exact
from exchanges.ccxt_adapter.sockets import Feed, Receive, Send
from exchanges.domain import AccountFact
from exchanges.errors import CredentialRefused, UnexpectedPayload
from exchanges.venues.deribit import PROFILE
from exchanges.venues.verdicts import Verdict

# The least that may be asked for; it is silent otherwise.
HEARTBEAT_SECONDS, SILENT_AFTER = 10, 40.0
CHANNELS = ["user.changes.any.USDC.raw"]
# By which number the answer to a login is known.
LOGIN, SUBSCRIBED = 2, 3


def account_feed(client: VenueClient, listings: Listings, emit: EmitAccount) -> Feed:
    exchange, tested, renewed_at = client.exchange, asyncio.Event(), 0.0

    async def greet(send: Send, receive: Receive) -> None:
        tested.clear()
        await send(_login(exchange))
        await _answer_to(LOGIN, receive)
        await send(request_of("public/set_heartbeat", {"interval": HEARTBEAT_SECONDS}))
        await send(request_of("private/subscribe", {"channels": CHANNELS}, SUBSCRIBED))
        while (message := await receive()).get("id") != SUBSCRIBED:
            handle(message)
        handle(message)
        # Without the right to it a channel is left out.
        if message["result"] != CHANNELS:
            raise UnexpectedPayload("the private channel was not opened", venue=PROFILE.name)

    async def _answer_to(number: int, receive: Receive) -> None:
        while (message := await receive()).get("id") != number:
            handle(message)
        handle(message)

    def handle(message: Any) -> bool:
        nonlocal renewed_at
        match message.get("method"):
            case "subscription":
                told = message["params"]
                # Not what was listed when the socket was opened: a contract may be new.
                now, known = datetime.now(UTC), client.listings.by_venue_symbol
                for fact in account_facts(told["data"], known, now):
                    emit(fact)
                return True
            case "heartbeat":
                if message["params"]["type"] == "test_request":
                    tested.set()
                return True
        _refuse(message)
        is_data = acknowledged(message)
        if message.get("id") == LOGIN:
            # A login lasts for a time; half of it is enough to renew it.
            renewed_at = monotonic() + float(exact(message["result"]["expires_in"])) / 2
        return is_data

    async def keep_up(send: Send) -> None:
        nonlocal renewed_at
        if tested.is_set():
            tested.clear()
            await send(request_of("public/test", {}))
        if monotonic() >= renewed_at:
            renewed_at = monotonic() + SILENT_AFTER
            await send(_login(exchange))
        # This process may be the only one here that asks what is listed.
        await client.keep_listed()

    return Feed(
        name="deribit account",
        url=facts.fixed(exchange.urls["api"]["ws"]),
        greet=greet,
        handle=handle,
        silent_after=SILENT_AFTER,
        upkeep=keep_up,
        upkeep_every=ANSWER_EVERY,
        decode=as_written,
    )


def _login(exchange: Any) -> dict[str, object]:
    """Return what opens an account, signed: neither the secret nor a token travels."""
    stamp, nonce = exchange.now_there(), token_hex(8)
    return request_of(
        "public/auth",
        {
            "grant_type": "client_signature",
            "client_id": exchange.apiKey,
            "timestamp": stamp,
            "nonce": nonce,
            "data": "",
            "signature": signature(exchange.secret, f"{stamp}\n{nonce}\n"),
        },
        LOGIN,
    )


def _refuse(message: Any) -> None:
    """Raise where the venue refused the key."""
    error = message.get("error")
    if error and PROFILE.verdict(str(error["code"]), error["message"]) is Verdict.CREDENTIAL:
        said = f"login refused: {error['message']}"
        raise CredentialRefused(said, venue=PROFILE.name, code=str(error["code"]))


def account_facts(
    told: dict[str, Any], listings: ByVenueSymbol, now: datetime
) -> Iterator[AccountFact]:
    """Yield the facts of one private message, if it concerns a contract of ours."""
    listing = listings.get(told["instrument_name"])
    if listing is None:
        return
    for trade in orders.listed(told["trades"]):
        fill = orders.fill(trade)
        yield parse_account.fill(fill, PROFILE.fills.columns, listing, PROFILE)
    for order in orders.listed(told["orders"]):
        yield parse_account.order_report(orders.order(order), listing, now)
    columns = PROFILE.positions.columns if PROFILE.positions else {}
    for position in orders.listed(told["positions"]):
        row = wallet.position(position, None)
        # Where an open one is liquidated may not be told here: then it is left to be read.
        if row["liquidation_price"] is not None or not row["amount"]:
            yield parse_account.position(row, columns, listing, now)
