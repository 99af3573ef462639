"""Deribit's private channels, decoded straight from the wire.

Source: docs.deribit.com, `public/auth`, `private/subscribe` and
`user.changes.(kind).(currency).raw`: orders, executions and positions come together; what works
already is not told again on opening. Balances are left out: their channel tells the cash, which
has profits once a day, and no positions to count them by.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
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
from exchanges.ccxt_adapter.numbers import as_written
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


@dataclass(slots=True)
class Session:
    """One login on one connection, whose answers are heard between what it was opened for."""

    client: VenueClient
    emit: EmitAccount
    is_tested: bool = False
    # When it has to be renewed, in seconds of this process.
    renewed_at: float = 0.0

    async def greet(self, send: Send, receive: Receive) -> None:
        self.is_tested = False
        await send(_login(self.client.exchange))
        await self._answer(LOGIN, receive)
        await send(request_of("public/set_heartbeat", {"interval": HEARTBEAT_SECONDS}))
        await send(request_of("private/subscribe", {"channels": CHANNELS}, SUBSCRIBED))
        # Without the right to it a channel is left out.
        if (await self._answer(SUBSCRIBED, receive))["result"] != CHANNELS:
            raise UnexpectedPayload("the private channel was not opened", venue=PROFILE.name)

    async def _answer(self, number: int, receive: Receive) -> Any:
        """Return the answer to one call; what is told before it must not be lost."""
        while True:
            message = await receive()
            self.handle(message)
            if message.get("id") == number:
                return message

    def handle(self, message: Any) -> bool:
        match message.get("method"):
            case "subscription":
                # Not what was listed when the socket was opened: a contract may be new.
                now, known = datetime.now(UTC), self.client.listings.by_venue_symbol
                for fact in account_facts(message["params"]["data"], known, now):
                    self.emit(fact)
                return True
            case "heartbeat":
                self.is_tested |= message["params"]["type"] == "test_request"
                return True
        _refuse(message)
        is_data = acknowledged(message)
        if message.get("id") == LOGIN:
            # A login lasts for a time; half of it is enough to renew it.
            self.renewed_at = monotonic() + int(message["result"]["expires_in"]) // 2
        return is_data

    async def keep_up(self, send: Send) -> None:
        if self.is_tested:
            self.is_tested = False
            await send(request_of("public/test", {}))
        if monotonic() >= self.renewed_at:
            self.renewed_at = monotonic() + SILENT_AFTER
            await send(_login(self.client.exchange))
        # This process may be the only one here that asks what is listed.
        await self.client.keep_listed()


def account_feed(client: VenueClient, listings: Listings, emit: EmitAccount) -> Feed:
    session = Session(client, emit)
    return Feed(
        name="deribit account",
        url=facts.fixed(client.exchange.urls["api"]["ws"]),
        greet=session.greet,
        handle=session.handle,
        silent_after=SILENT_AFTER,
        upkeep=session.keep_up,
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
