"""Bitfinex's public socket, version 2, decoded straight from the wire.

Source: docs.bitfinex.com, WebSocket: general, and the channel of books. Its ticker tells sizes of
25 levels, not of the touch. A book of five digits is the whole one: prices have no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from exchanges.ccxt_adapter.client import VenueClient
from exchanges.ccxt_adapter.feeds import facts
from exchanges.ccxt_adapter.feeds.facts import ByVenueSymbol, Emit
from exchanges.ccxt_adapter.feeds.ladders import Books, Ladder
from exchanges.ccxt_adapter.numbers import as_written, streamed
from exchanges.ccxt_adapter.sockets import Feed, Receive, Send
from exchanges.domain import Side
from exchanges.errors import UnexpectedPayload

CHANNELS_PER_SOCKET = 25
# Every message then ends with a number, one higher than that of the message before.
NUMBERED = 65536
BOOK = {"event": "subscribe", "channel": "book", "prec": "P0", "freq": "F0", "len": "25"}
ALIVE = "hb"


def spot_market_feeds(client: VenueClient, listings: ByVenueSymbol, emit: Emit) -> Iterator[Feed]:
    address = client.exchange.urls["api"]["ws"]["public"]
    for number, some in enumerate(facts.chunks(list(listings), CHANNELS_PER_SOCKET)):
        heard = Channels({name: listings[name] for name in some}, emit)
        yield Feed(
            name=f"bitfinex books {number}",
            url=facts.fixed(address),
            greet=heard.greet,
            handle=heard.handle,
            silent_after=facts.BOOK_SILENT_AFTER,
            decode=as_written,
        )


class Channels:
    """The books of one socket, which names each by a number that it gives out."""

    def __init__(self, listings: ByVenueSymbol, emit: Emit) -> None:
        self._asked = list(listings)
        self._books = Books(listings, emit, Ladder)
        self._names: dict[int, str] = {}
        self._number: int | None = None

    async def greet(self, send: Send, _: Receive) -> None:
        self._books.restart()
        self._names.clear()
        self._number = None
        await send({"event": "conf", "flags": NUMBERED})
        for name in self._asked:
            await send(BOOK | {"symbol": name})

    def handle(self, message: Any) -> bool:
        if isinstance(message, dict):
            self._take_event(message)
            return False
        channel, told, number = message[0], message[1], int(streamed(message[-1]))
        if told != ALIVE and self._number is not None and number != self._number + 1:
            raise UnexpectedPayload("a message is missing", venue="bitfinex")
        self._number = number
        now = datetime.now(UTC)
        if told != ALIVE and channel in self._names:
            self._take(self._names[channel], told, now)
        self._books.confirm(now)
        return True

    def _take_event(self, event: dict[str, Any]) -> None:
        """Note the number of a channel. Raise on a refusal and on the notice of an end."""
        kind = event["event"]
        if kind == "error" or event.get("status", "OK") != "OK":
            raise UnexpectedPayload(f"refused: {event.get('msg')}", venue="bitfinex")
        if kind == "info" and "code" in event:
            raise ConnectionResetError("the venue is about to stop, or has been maintained")
        if kind == "subscribed" and self._books.knows(event["symbol"]):
            self._names[event["chanId"]] = event["symbol"]

    def _take(self, name: str, told: list[Any], now: datetime) -> None:
        """Put the levels of a snapshot, or the one that has changed."""
        is_new = not told or isinstance(told[0], list)
        book = self._books.begin(name) if is_new else self._books.of(name)
        for price, orders, amount in told if is_new else [told]:
            standing = streamed(amount)
            side = Side.BUY if standing > 0 else Side.SELL
            book.put(side, price, abs(standing) if orders else 0)
        self._books.tell(name, now)
