"""Gate's WebSocket v4 of USDT contracts: public channels, and private ones that are signed each."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import datetime
from typing import Any

from exchanges.simulator.accounts import Account
from exchanges.simulator.books import beat
from exchanges.simulator.core import Simulator
from exchanges.simulator.events import AccountEvent
from exchanges.simulator.faces import gate_account as payloads
from exchanges.simulator.faces.gate_calls import STAMP_LASTS, account_of, signature
from exchanges.simulator.faces.gate_market import streamed_ticker, streamed_top
from exchanges.simulator.faces.gate_orders import streamed_fill, streamed_order
from exchanges.simulator.faces.sockets import Outgoing, read_message
from exchanges.simulator.listings import GATE, Listing
from exchanges.simulator.wire import Json, VenueRefusal, milliseconds

PING, PONG = "futures.ping", "futures.pong"
TICKERS, BOOKS = "futures.tickers", "futures.book_ticker"
ORDERS, FILLS, POSITIONS = "futures.orders", "futures.usertrades", "futures.positions"
PRIVATE = (ORDERS, FILLS, POSITIONS)
OF_ALL = "!all"
INVALID, UNAUTHENTICATED = 2, 4

Builder = Callable[[Simulator, Listing, datetime], Json]
BUILDERS: dict[str, Builder] = {TICKERS: streamed_ticker, BOOKS: streamed_top}


class Socket:
    """One connection, for the channels of the market and for those of an account."""

    venue = GATE

    def __init__(self, simulator: Simulator, host: str) -> None:
        self._simulator = simulator
        self._host = host
        self._listings = simulator.listings_at(GATE)
        self._last: dict[tuple[str, str], int] = {}
        self._account: Account | None = None
        self._private: dict[str, str] = {}

    @property
    def topics(self) -> list[str]:
        return [*(":".join(one) for one in self._last), *self._private]

    def receive(self, text: str, *, now: datetime) -> list[Outgoing]:
        message = read_message(text)
        channel, event = str(message.get("channel")), message.get("event")
        if channel == PING:
            return [_told(PONG, "", None, now)]
        asked = message.get("payload")
        names = [str(name) for name in asked] if isinstance(asked, list) else []
        if event == "unsubscribe":
            for name in names:
                self._last.pop((channel, name), None)
            self._private.pop(channel, None)
            return [_told(channel, event, {"status": "success"}, now)]
        if event != "subscribe":
            return [_refused(channel, INVALID, "unknown event", now)]
        if channel in PRIVATE:
            return self._listen(channel, names, message, now)
        return self._subscribe(channel, names, now)

    def beat(self, *, now: datetime) -> list[Outgoing]:
        stamp = beat(now)
        due = [
            one for one, last in self._last.items() if last != stamp and one[1] in self._listings
        ]
        return self._market(due, now)

    def _market(self, due: list[tuple[str, str]], now: datetime) -> list[Outgoing]:
        """Return tickers together, and each touch by itself."""
        told: dict[str, list[Json]] = {TICKERS: [], BOOKS: []}
        for channel, name in due:
            self._last[channel, name] = beat(now)
            row = BUILDERS[channel](self._simulator, self._listings[name], now)
            told[channel].append(row)
        tickers = [_told(TICKERS, "update", told[TICKERS], now)] if told[TICKERS] else []
        return [*tickers, *(_told(BOOKS, "update", row, now) for row in told[BOOKS])]

    def happened(self, event: AccountEvent) -> list[Outgoing]:
        if event.account is not self._account or event.venue != GATE:
            return []
        rows, listings, owner = [], self._simulator.market.listings, event.account
        if event.order is not None:
            listing = listings[(GATE, event.order.symbol)]
            rows.append((ORDERS, streamed_order(event.order, listing, owner), listing.symbol))
        if event.trade is not None:
            listing = listings[(GATE, event.trade.symbol)]
            rows.append((FILLS, streamed_fill(event.trade, listing), listing.symbol))
            rows += [
                (POSITIONS, payloads.streamed_position(self._simulator, owner, row, event.at), name)
                for row in self._simulator.ledger.holdings_ever(owner.api_key, GATE)
                if (name := row.symbol) == event.trade.symbol
            ]
        return [
            _told(channel, "update", [row], event.at)
            for channel, row, symbol in rows
            if self._private.get(channel) in (OF_ALL, symbol)
        ]

    def _subscribe(self, channel: str, names: list[str], now: datetime) -> list[Outgoing]:
        unknown = [name for name in names if name not in self._listings]
        if channel not in BUILDERS or unknown or not names:
            # A subscription fails as a whole.
            what = (
                f"unknown currency pair {unknown[0]}" if unknown else f"unknown channel {channel}"
            )
            return [_refused(channel, INVALID, what, now)]
        accepted = _told(channel, "subscribe", {"status": "success"}, now)
        return [accepted, *self._market([(channel, name) for name in names], now)]

    def _listen(
        self, channel: str, names: list[str], message: Json, now: datetime
    ) -> list[Outgoing]:
        account = self._signed(channel, message, now)
        if account is None:
            return [_refused(channel, UNAUTHENTICATED, "authentication fail", now)]
        if len(names) != 2 or names[0] != str(account.uid):
            return [_refused(channel, INVALID, "invalid argument", now)]
        self._account, self._private[channel] = account, names[1]
        return [_told(channel, "subscribe", {"status": "success"}, now)]

    def _signed(self, channel: str, message: Json, now: datetime) -> Account | None:
        """Return whose subscription it is, None where nobody signed it so."""
        given, stamp = message.get("auth"), message.get("time")
        if not isinstance(given, dict) or not isinstance(stamp, int):
            return None
        try:
            account = account_of(self._simulator, str(given.get("KEY")), self._host)
        except VenueRefusal:
            return None
        made = signature(account.secret, f"channel={channel}&event=subscribe&time={stamp}")
        is_ours = hmac.compare_digest(made, str(given.get("SIGN")))
        is_late = abs(milliseconds(now) // 1000 - stamp) > STAMP_LASTS.total_seconds()
        return account if is_ours and not is_late else None


def _told(channel: str, event: str, result: Any, now: datetime, **more: object) -> Outgoing:
    stamp = milliseconds(now)
    told = {"time": stamp // 1000, "time_ms": stamp, "channel": channel, "event": event}
    return Outgoing.of(channel, told | {"error": None, "result": result} | more)


def _refused(channel: str, code: int, message: str, now: datetime) -> Outgoing:
    error = {"code": code, "message": message}
    return _told(channel, "subscribe", {"status": "fail"}, now, error=error)
