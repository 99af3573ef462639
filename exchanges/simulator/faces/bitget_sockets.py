"""Bitget v2 WebSockets: the public channels of each contract, and the private ones after login."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from exchanges.simulator.accounts import Account
from exchanges.simulator.books import beat
from exchanges.simulator.core import Simulator
from exchanges.simulator.events import AccountEvent
from exchanges.simulator.faces import bitget_account as payloads
from exchanges.simulator.faces.bitget_calls import LOGIN_TEXT, PRODUCT, STAMP_LASTS, account_of
from exchanges.simulator.faces.bitget_market import levels, streamed_ticker
from exchanges.simulator.faces.bitget_orders import streamed_fill, streamed_order
from exchanges.simulator.faces.passphrase_signature import signature
from exchanges.simulator.faces.sockets import Outgoing, arguments, read_message
from exchanges.simulator.listings import BITGET, Listing
from exchanges.simulator.wire import Json, VenueRefusal, milliseconds

REPLY_TOPIC = "reply"
PING, PONG = "ping", b"pong"
PRIVATE_CHANNELS = ("orders", "fill", "positions", "account")

Channel = tuple[str, str]
Builder = Callable[[Simulator, Listing, datetime], Json]


def refused(code: int, message: str, **more: object) -> Outgoing:
    return Outgoing.of(REPLY_TOPIC, {"event": "error", **more, "code": code, "msg": message})


def _best(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    book = simulator.book(listing, now)
    return {
        "asks": levels((book.ask,)),
        "bids": levels((book.bid,)),
        "checksum": 0,
        "seq": book.update_id,
        "ts": str(milliseconds(now)),
    }


BUILDERS: dict[str, Builder] = {"ticker": streamed_ticker, "books1": _best}


class PublicSocket:
    """Market channels; each begins with its present state and comes again with each beat."""

    venue = BITGET

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._listings = simulator.listings_at(BITGET)
        self._channels: dict[Channel, int] = {}

    @property
    def topics(self) -> list[str]:
        return [":".join(channel) for channel in self._channels]

    def receive(self, text: str, *, now: datetime) -> list[Outgoing]:
        if text == PING:
            return [Outgoing(REPLY_TOPIC, PONG)]
        message = read_message(text)
        operation, asked = message.get("op"), arguments(message)
        if operation == "unsubscribe":
            for one in asked:
                self._channels.pop(_channel(one), None)
            return [Outgoing.of(REPLY_TOPIC, {"event": operation, "arg": one}) for one in asked]
        if operation != "subscribe":
            return [refused(30003, "INVALID op")]
        return [reply for one in asked for reply in self._subscribe(one, now)]

    def beat(self, *, now: datetime) -> list[Outgoing]:
        stamp = beat(now)
        due = [channel for channel, last in self._channels.items() if last != stamp]
        return [self._told(channel, now) for channel in due if channel[1] in self._listings]

    def happened(self, event: AccountEvent) -> list[Outgoing]:
        return []

    def _subscribe(self, asked: Json, now: datetime) -> list[Outgoing]:
        channel = _channel(asked)
        is_known = channel[0] in BUILDERS and channel[1] in self._listings
        if not is_known or asked.get("instType") != PRODUCT:
            said = ",".join(f"{name}:{value}" for name, value in asked.items())
            return [refused(30001, f"{said} doesn't exist", arg=asked)]
        accepted = Outgoing.of(REPLY_TOPIC, {"event": "subscribe", "arg": asked})
        return [accepted, self._told(channel, now)]

    def _told(self, channel: Channel, now: datetime) -> Outgoing:
        name, symbol = channel
        self._channels[channel] = beat(now)
        row = BUILDERS[name](self._simulator, self._listings[symbol], now)
        argument = {"instType": PRODUCT, "channel": name, "instId": symbol}
        return _message(":".join(channel), argument, [row], now)


class PrivateSocket:
    """Account channels, after login."""

    venue = BITGET

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._account: Account | None = None
        self._channels: dict[str, Json] = {}

    @property
    def topics(self) -> list[str]:
        return list(self._channels)

    def receive(self, text: str, *, now: datetime) -> list[Outgoing]:
        if text == PING:
            return [Outgoing(REPLY_TOPIC, PONG)]
        message = read_message(text)
        asked = arguments(message)
        match message.get("op"):
            case "login":
                return [self._login(next(iter(asked), {}), now)]
            case "subscribe":
                return [reply for one in asked for reply in self._subscribe(one, now)]
            case _:
                return [refused(30003, "INVALID op")]

    def beat(self, *, now: datetime) -> list[Outgoing]:
        return []

    def happened(self, event: AccountEvent) -> list[Outgoing]:
        if event.account is not self._account or event.venue != BITGET:
            return []
        owner, rows = event.account, []
        if event.order is not None:
            rows.append(("orders", [streamed_order(event.order, event.trade, owner)]))
        if event.order is not None and event.trade is not None:
            rows.append(("fill", [streamed_fill(event.trade, event.order, owner)]))
        if event.trade is not None or event.funding is not None:
            rows.append(("positions", self._positions(owner, event.at)))
            rows.append(("account", self._balances(owner, event.at)))
        return [self._told(name, data, event.at) for name, data in rows if name in self._channels]

    def _positions(self, owner: Account, now: datetime) -> list[Json]:
        """Return all that is held; what was closed is told by not being there."""
        held = self._simulator.ledger.holdings(api_key=owner.api_key, venue=BITGET)
        return [payloads.streamed_position(self._simulator, owner, row, now) for row in held]

    def _balances(self, owner: Account, now: datetime) -> list[Json]:
        return [payloads.streamed_balance(self._simulator, owner, now)]

    def _told(self, name: str, data: list[Json], now: datetime) -> Outgoing:
        return _message(name, self._channels[name], data, now)

    def _login(self, given: Json, now: datetime) -> Outgoing:
        code, message = self._login_refusal(given, now)
        if code:
            return refused(code, message)
        return Outgoing.of(REPLY_TOPIC, {"event": "login", "code": 0})

    def _login_refusal(self, given: Json, now: datetime) -> tuple[int, str]:
        stamp = str(given.get("timestamp"))
        try:
            account = account_of(self._simulator, str(given.get("apiKey")))
        except VenueRefusal:
            return 30011, "Invalid ACCESS_KEY"
        if not stamp.isdigit():
            return 30013, "Invalid ACCESS_TIMESTAMP"
        if abs(now - datetime.fromtimestamp(int(stamp), UTC)) > STAMP_LASTS + timedelta(seconds=1):
            return 30014, "Request timestamp expired"
        if not _same(account.passphrase, given.get("passphrase")):
            return 30012, "Invalid ACCESS_PASSPHRASE"
        if not _same(signature(account.secret, stamp + LOGIN_TEXT), given.get("sign")):
            return 30015, "Invalid sign"
        self._account = account
        return 0, ""

    def _subscribe(self, asked: Json, now: datetime) -> list[Outgoing]:
        name = str(asked.get("channel"))
        if self._account is None:
            return [refused(30004, "User needs to log in")]
        if name not in PRIVATE_CHANNELS or asked.get("instType") != PRODUCT:
            # What is of another product is accepted and stays silent.
            is_known = name in PRIVATE_CHANNELS and asked.get("instType") == "USDC-FUTURES"
            accepted = Outgoing.of(REPLY_TOPIC, {"event": "subscribe", "arg": asked})
            return [accepted if is_known else refused(30001, f"channel:{name} doesn't exist")]
        self._channels[name] = asked
        accepted = Outgoing.of(REPLY_TOPIC, {"event": "subscribe", "arg": asked})
        return [accepted, *self._present(name, self._account, now)]

    def _present(self, name: str, owner: Account, now: datetime) -> list[Outgoing]:
        """Return the state that positions and account begin with; the others tell changes only."""
        builders = {"positions": self._positions, "account": self._balances}
        if name not in builders:
            return []
        return [self._told(name, builders[name](owner, now), now)]


def _channel(asked: Json) -> Channel:
    return str(asked.get("channel")), str(asked.get("instId"))


def _message(topic: str, argument: Json, data: list[Json], now: datetime) -> Outgoing:
    told = {"action": "snapshot", "arg": argument, "data": data, "ts": milliseconds(now)}
    return Outgoing.of(topic, told)


def _same(known: str, given: Any) -> bool:
    return hmac.compare_digest(known, str(given))
