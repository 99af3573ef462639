"""Kraken's private socket, version 2, decoded straight from the wire.

Source: docs.kraken.com, Spot WebSocket v2, executions. A row tells what changed of an order, the
rest of which stands in earlier ones. Its executions are not taken: whether it adds up those of one
order, and under which number, is not documented, so that an execution could be booked twice. They
are read. Its balances do not tell what is free.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from exchanges.ccxt_adapter.calls.kraken_rows import own_id
from exchanges.ccxt_adapter.client import VenueClient
from exchanges.ccxt_adapter.feeds import facts
from exchanges.ccxt_adapter.feeds.facts import EmitAccount
from exchanges.ccxt_adapter.feeds.kraken import PING, name_of
from exchanges.ccxt_adapter.feeds.upkeep import keeping_listed
from exchanges.ccxt_adapter.listing import Listing, Listings
from exchanges.ccxt_adapter.numbers import as_written, text
from exchanges.ccxt_adapter.sockets import Feed, Receive, Send
from exchanges.domain import (
    FINAL_VENUE_STATUSES,
    ClientOrderId,
    OrderReport,
    Side,
    VenueOrderStatus,
)
from exchanges.errors import CredentialRefused, UnexpectedPayload
from exchanges.venues.kraken_codes import CREDENTIAL

CHANNEL, HEARTBEAT = "executions", "heartbeat"
# A heartbeat comes each second.
SILENT_AFTER = 30.0
STATUSES = {
    "pending_new": VenueOrderStatus.OPEN,
    "new": VenueOrderStatus.OPEN,
    "partially_filled": VenueOrderStatus.PARTIAL,
    "filled": VenueOrderStatus.FILLED,
    "canceled": VenueOrderStatus.CANCELED,
    "expired": VenueOrderStatus.EXPIRED,
}
UNTOUCHED = frozenset({"pending_new", "new"})

Row = Mapping[str, Any]


class Told:
    """What one socket has told of each working order."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, Any]] = {}
        self._number: Any = None

    def restart(self) -> None:
        """Forget all orders: a new socket begins with those that work."""
        self._rows.clear()
        self._number = None

    def follow(self, number: Any) -> None:
        """Raise where a message is missing: a new socket begins with all orders that work."""
        if self._number is not None and number != self._number + 1:
            raise ConnectionResetError(f"message {number} came after {self._number}")
        self._number = number if isinstance(number, int) else None

    def with_the_rest(self, row: Row) -> Row:
        """Return a row with what earlier ones told of its order."""
        number = text(row["order_id"])
        whole = {**self._rows.get(number, {}), **row}
        if STATUSES.get(row.get("order_status", "")) in FINAL_VENUE_STATUSES:
            self._rows.pop(number, None)
        else:
            self._rows[number] = whole
        return whole


def account_feed(client: VenueClient, listings: Listings, emit: EmitAccount) -> Feed:
    exchange, told = client.exchange, Told()

    async def greet(send: Send, receive: Receive) -> None:
        told.restart()
        answer = await client.reading(exchange.privatePostGetWebSocketsToken())
        token = text(answer["result"]["token"])
        asked = {"channel": CHANNEL, "token": token, "snap_orders": True, "snap_trades": False}
        await send({"method": "subscribe", "params": asked})
        # The socket tells of itself before it answers.
        while (message := await receive()).get("method") != "subscribe":
            handle(message)
        _refuse_unless_accepted(message)

    def handle(message: Any) -> bool:
        _refuse_unless_accepted(message)
        if message.get("channel") == CHANNEL:
            # Not what was listed when the socket was opened: a pair may be new.
            now, known = datetime.now(UTC), by_name(client.listings)
            told.follow(message.get("sequence"))
            for row in message["data"]:
                for report in order_facts(told.with_the_rest(row), known, now):
                    emit(report)
            return True
        return bool(message.get("channel") == HEARTBEAT or message.get("method") == "pong")

    return Feed(
        name="kraken account",
        url=facts.fixed(exchange.urls["api"]["ws"]["privateV2"]),
        greet=greet,
        handle=handle,
        silent_after=SILENT_AFTER,
        upkeep=keeping_listed(client, PING),
        pings=False,
        decode=as_written,
    )


def _refuse_unless_accepted(message: Any) -> None:
    """Raise on a refusal; without the right to it no later one will be accepted either."""
    if "error" in message or message.get("success") is False:
        said = str(message.get("error", ""))
        refused = CredentialRefused if said in CREDENTIAL else UnexpectedPayload
        raise refused(f"subscription refused: {said}", venue="kraken", code=said)


def by_name(listings: Listings) -> dict[str, Listing]:
    """Return what is listed by the names that the socket has for pairs."""
    return {name_of(listing): listing for listing in listings.by_venue_symbol.values()}


def order_facts(row: Row, known: Mapping[str, Listing], now: datetime) -> Iterator[OrderReport]:
    """Yield the order of a whole row where its pair is known; what it filled may be untold."""
    listing = known.get(row.get("symbol") or "")
    if listing is None or row.get("side") is None:
        return
    status, filled = row["order_status"], row.get("cum_qty")
    if filled is None and status in UNTOUCHED:
        filled = 0
    average = row.get("avg_price")
    own, quantity = own_id(row.get("cl_ord_id")), row.get("order_qty")
    yield OrderReport(
        client_order_id=ClientOrderId(own) if own else None,
        venue_order_id=text(row["order_id"]),
        symbol=listing.symbol,
        status=STATUSES.get(status),
        observed_at=now,
        side=Side(row["side"]),
        base_quantity=None if quantity is None else facts.quantity(quantity, listing),
        filled_base_quantity=None if filled is None else facts.quantity(filled, listing),
        average_price=facts.price(average, listing) if average else None,
        reduce_only=None,
    )
