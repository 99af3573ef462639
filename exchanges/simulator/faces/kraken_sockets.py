"""Kraken's WebSockets, version 2: books with their checksums, and an account's executions."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson

from exchanges.domain import Level
from exchanges.simulator.accounts import Account
from exchanges.simulator.books import Book, beat
from exchanges.simulator.core import Simulator
from exchanges.simulator.events import AccountEvent, Happening
from exchanges.simulator.faces.feeds import Ladder, changes, ladder
from exchanges.simulator.faces.kraken import token_of
from exchanges.simulator.faces.kraken_market import LOT_PLACES, price_places
from exchanges.simulator.faces.kraken_orders import (
    ENDS,
    brief_report,
    end_report,
    open_report,
    trade_report,
    whole_report,
)
from exchanges.simulator.faces.sockets import Outgoing, read_message
from exchanges.simulator.listings import KRAKEN, Listing
from exchanges.simulator.wire import Json

REPLY_TOPIC = "reply"
BOOK, EXECUTIONS, HEARTBEAT = "book", "executions", "heartbeat"
DEPTH = 10


def acknowledged(message: Json, result: Json) -> Outgoing:
    told = {"method": message.get("method"), "result": result, "success": True}
    return Outgoing.of(REPLY_TOPIC, told)


def refused(message: Json, words: str) -> Outgoing:
    told = {"method": message.get("method"), "error": words, "success": False}
    return Outgoing.of(REPLY_TOPIC, told)


def _asked(message: Json) -> Json:
    found = message.get("params")
    return found if isinstance(found, dict) else {}


def _pong(message: Json) -> list[Outgoing]:
    told = {"method": "pong"} | ({"req_id": message["req_id"]} if "req_id" in message else {})
    return [Outgoing.of(REPLY_TOPIC, told)]


class PublicSocket:
    """Books of ten levels a side: whole at first, then what changes with each beat."""

    venue = KRAKEN

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._books: dict[str, tuple[int, Ladder, Ladder]] = {}

    @property
    def topics(self) -> list[str]:
        return [f"{BOOK}:{name}" for name in self._books]

    def receive(self, text: str, *, now: datetime) -> list[Outgoing]:
        message = read_message(text)
        if message.get("method") == "ping":
            return _pong(message)
        asked = _asked(message)
        if message.get("method") != "subscribe" or asked.get("channel") != BOOK:
            return [refused(message, "Unknown method or channel")]
        return [reply for name in asked.get("symbol", []) for reply in self._begin(name, now)]

    def beat(self, *, now: datetime) -> list[Outgoing]:
        stamp = beat(now)
        due = [name for name, (last, *_) in self._books.items() if last != stamp]
        listed = self._by_name()
        return [self._told(listed[name], now, is_new=False) for name in due if name in listed]

    def happened(self, event: AccountEvent) -> list[Outgoing]:
        return []

    def _by_name(self) -> dict[str, Listing]:
        return {row.pair: row for row in self._simulator.listings_at(KRAKEN).values()}

    def _begin(self, name: Any, now: datetime) -> list[Outgoing]:
        message, listing = {"method": "subscribe"}, self._by_name().get(str(name))
        if listing is None:
            return [refused(message, f"Currency pair not supported {name}")]
        result = {"channel": BOOK, "depth": DEPTH, "snapshot": True, "symbol": name}
        return [acknowledged(message, result), self._told(listing, now, is_new=True)]

    def _told(self, listing: Listing, now: datetime, *, is_new: bool) -> Outgoing:
        book = self._simulator.book(listing, now)
        bids, asks = (ladder(rows[:DEPTH]) for rows in (book.bids, book.asks))
        _, *before = self._books.get(listing.pair, (0, {}, {}))
        was_bids, was_asks = ({}, {}) if is_new else before
        self._books[listing.pair] = beat(now), bids, asks
        row = {
            "symbol": listing.pair,
            "bids": _levels(listing, changes(was_bids, bids)),
            "asks": _levels(listing, changes(was_asks, asks)),
            "checksum": checksum(listing, book),
            "timestamp": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        kind = "snapshot" if is_new else "update"
        return Outgoing.of(f"{BOOK}:{listing.pair}", {"channel": BOOK, "type": kind, "data": [row]})


def _written(listing: Listing, price: Any, quantity: Any) -> tuple[str, str]:
    """Return a level with as many digits as the venue writes."""
    return f"{Decimal(price):.{price_places(listing)}f}", f"{Decimal(quantity):.{LOT_PLACES}f}"


def _levels(listing: Listing, rows: Sequence[Sequence[Any]]) -> list[Json]:
    written = (_written(listing, *row) for row in rows)
    return [
        {"price": orjson.Fragment(price), "qty": orjson.Fragment(size)} for price, size in written
    ]


def checksum(listing: Listing, book: Book) -> int:
    """Return the CRC32 of all digits: asks from the lowest, then bids from the highest price."""
    levels: tuple[Level, ...] = (*book.asks[:DEPTH], *book.bids[:DEPTH])
    written = (_written(listing, row.price, row.base_quantity) for row in levels)
    digits = (number.replace(".", "").lstrip("0") for pair in written for number in pair)
    return zlib.crc32("".join(digits).encode())


class PrivateSocket:
    """An account's orders, for whoever brings the token of a key."""

    venue = KRAKEN

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._account: Account | None = None
        self._beaten = self._told = 0

    @property
    def topics(self) -> list[str]:
        return [EXECUTIONS] if self._account else []

    def receive(self, text: str, *, now: datetime) -> list[Outgoing]:
        message = read_message(text)
        if message.get("method") == "ping":
            return _pong(message)
        asked = _asked(message)
        if message.get("method") != "subscribe" or asked.get("channel") != EXECUTIONS:
            return [refused(message, "Unknown method or channel")]
        owners = self._simulator.ledger.accounts.values()
        named = [row for row in owners if row.venue == KRAKEN]
        self._account = next((row for row in named if token_of(row) == asked.get("token")), None)
        if self._account is None:
            return [refused(message, "ESession:Invalid session")]
        result = {"channel": EXECUTIONS, "snap_orders": True, "snap_trades": False}
        status = Outgoing.of(REPLY_TOPIC, {"channel": "status", "type": "update", "data": []})
        return [status, acknowledged(message, result), self._working(self._account, now)]

    def beat(self, *, now: datetime) -> list[Outgoing]:
        """Say each second that the socket lives."""
        second = int(now.timestamp())
        if self._account is None or second == self._beaten:
            return []
        self._beaten = second
        return [Outgoing.of(HEARTBEAT, {"channel": HEARTBEAT})]

    def happened(self, event: AccountEvent) -> list[Outgoing]:
        if event.account is not self._account or event.venue != KRAKEN or event.order is None:
            return []
        return [self._numbered("update", [row]) for row in self._rows(event)]

    def _rows(self, event: AccountEvent) -> list[Json]:
        order, at = event.order, event.at
        assert order is not None  # noqa: S101 - the caller has looked
        listing = self._simulator.market.listings[(KRAKEN, order.symbol)]
        if event.happening is Happening.NEW:
            begun = whole_report(order, listing, at, "pending_new", "pending_new")
            return [begun, brief_report(order, at, "new")]
        if event.trade is not None:
            traded = [trade_report(order, event.trade, listing, at)]
            return traded + ([end_report(order, at, "filled")] if order.is_final else [])
        return [end_report(order, at, ENDS[event.happening])]

    def _working(self, owner: Account, now: datetime) -> Outgoing:
        working = self._simulator.ledger.open_orders(api_key=owner.api_key, venue=KRAKEN)
        listings = self._simulator.market.listings
        rows = [open_report(row, listings[(KRAKEN, row.symbol)], now) for row in working]
        return self._numbered("snapshot", rows)

    def _numbered(self, kind: str, rows: list[Json]) -> Outgoing:
        self._told += 1
        told = {"channel": EXECUTIONS, "type": kind, "data": rows, "sequence": self._told}
        return Outgoing.of(EXECUTIONS, told)
