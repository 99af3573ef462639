"""OKX v5 WebSockets: the public channels, and the private ones after login."""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from typing import Any

from exchanges.simulator.accounts import Account
from exchanges.simulator.core import Simulator
from exchanges.simulator.events import AccountEvent
from exchanges.simulator.faces.okx_account import balance, position
from exchanges.simulator.faces.okx_calls import LOGIN_TEXT, STAMP_LASTS, account_of
from exchanges.simulator.faces.okx_feeds import Channel, OkxFeed
from exchanges.simulator.faces.okx_orders import streamed_order
from exchanges.simulator.faces.passphrase_signature import signature
from exchanges.simulator.faces.sockets import Outgoing, arguments, read_message
from exchanges.simulator.listings import OKX
from exchanges.simulator.wire import Json, VenueRefusal, decimal_of

REPLY_TOPIC = "reply"
CONNECTION_ID = "simulated"
PING, PONG = "ping", b"pong"
PRIVATE_CHANNELS = ("orders", "positions", "account")


def replied(event: str, **more: object) -> Outgoing:
    return Outgoing.of(REPLY_TOPIC, {"event": event, **more, "connId": CONNECTION_ID})


def refused(code: int, message: str) -> Outgoing:
    return replied("error", code=str(code), msg=message)


class PublicSocket:
    """Market channels; each begins with its present state."""

    venue = OKX

    def __init__(self, feed: OkxFeed) -> None:
        self._feed = feed
        self._channels: dict[Channel, None] = {}

    @property
    def topics(self) -> list[str]:
        return [channel.topic for channel in self._channels]

    def receive(self, text: str, *, now: datetime) -> list[Outgoing]:
        if text == PING:
            return [Outgoing(REPLY_TOPIC, PONG)]
        message = read_message(text)
        operation = message.get("op")
        channels = [
            Channel(str(one.get("channel")), str(one.get("instId"))) for one in arguments(message)
        ]
        if operation == "unsubscribe":
            for channel in channels:
                self._channels.pop(channel, None)
            return [replied("unsubscribe", arg=channel.argument) for channel in channels]
        if operation != "subscribe":
            return [refused(60012, f"Invalid request: {text}")]
        return [reply for channel in channels for reply in self._subscribe(channel, now)]

    def beat(self, *, now: datetime) -> list[Outgoing]:
        return [
            Outgoing(channel.topic, body)
            for channel in self._channels
            for body in self._feed.bodies(channel, now=now)
        ]

    def happened(self, event: AccountEvent) -> list[Outgoing]:
        return []

    def _subscribe(self, channel: Channel, now: datetime) -> list[Outgoing]:
        if not self._feed.knows(channel):
            named = f"channel:{channel.name},instId:{channel.symbol}"
            return [refused(60018, f"Wrong URL or {named} doesn't exist.")]
        self._channels[channel] = None
        snapshot = Outgoing(channel.topic, self._feed.snapshot(channel, now=now))
        return [replied("subscribe", arg=channel.argument), snapshot]


class PrivateSocket:
    """Account channels, after login."""

    venue = OKX

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
            case "unsubscribe":
                for one in asked:
                    self._channels.pop(str(one.get("channel")), None)
                return [replied("unsubscribe", arg=one) for one in asked]
            case _:
                return [refused(60012, f"Invalid request: {text}")]

    def beat(self, *, now: datetime) -> list[Outgoing]:
        return []

    def happened(self, event: AccountEvent) -> list[Outgoing]:
        if event.account is not self._account or event.venue != OKX:
            return []
        rows: list[tuple[str, list[Json]]] = []
        if event.order is not None:
            listing = self._simulator.market.listings[(OKX, event.order.symbol)]
            order = streamed_order(event.order, event.trade, listing, event.account)
            rows.append(("orders", [order]))
        if event.trade is not None or event.funding is not None:
            rows.append(("positions", self._positions(event)))
            rows.append(("account", [balance(self._simulator, event.account, event.at)]))
        return [
            self._message(channel, data)
            for channel, data in rows
            if channel in self._channels and data
        ]

    def _positions(self, event: AccountEvent) -> list[Json]:
        """Return the position that changed; one that was closed comes once with nothing in it."""
        source = event.trade or event.funding
        symbol = "" if source is None else source.symbol
        return [
            position(self._simulator, event.account, row, event.at)
            for row in self._simulator.ledger.holdings_ever(event.account.api_key, OKX)
            if row.symbol == symbol
        ]

    def _message(self, channel: str, data: list[Json]) -> Outgoing:
        return Outgoing.of(channel, {"arg": self._channels[channel], "data": data})

    def _login(self, given: Json, now: datetime) -> Outgoing:
        code, message = self._login_refusal(given, now)
        return refused(code, message) if code else replied("login", code="0", msg="")

    def _login_refusal(self, given: Json, now: datetime) -> tuple[int, str]:
        stamp = str(given.get("timestamp"))
        try:
            account = account_of(self._simulator, str(given.get("apiKey")))
        except VenueRefusal:
            return 60005, "Invalid apiKey"
        seconds = decimal_of(stamp)
        if seconds is None:
            return 60004, "Invalid timestamp"
        if abs(timedelta(seconds=float(seconds) - now.timestamp())) > STAMP_LASTS:
            return 60006, "Timestamp request expired"
        if not _same(account.passphrase, given.get("passphrase")):
            return 60024, "Wrong passphrase"
        if not _same(signature(account.secret, stamp + LOGIN_TEXT), given.get("sign")):
            return 60007, "Invalid sign"
        self._account = account
        return 0, ""

    def _subscribe(self, asked: Json, now: datetime) -> list[Outgoing]:
        channel = str(asked.get("channel"))
        if self._account is None:
            return [refused(60011, "Please log in")]
        if channel not in PRIVATE_CHANNELS:
            return [refused(60018, f"Wrong URL or channel:{channel} doesn't exist.")]
        self._channels[channel] = asked
        return [replied("subscribe", arg=asked), *self._present(channel, self._account, now)]

    def _present(self, channel: str, account: Account, now: datetime) -> list[Outgoing]:
        """Return the state that positions and account begin with; orders tell changes only."""
        if channel == "orders":
            return []
        if channel == "account":
            return [self._message(channel, [balance(self._simulator, account, now)])]
        held = self._simulator.ledger.holdings(api_key=account.api_key, venue=OKX)
        rows = [position(self._simulator, account, row, now) for row in held]
        return [self._message(channel, rows)]


def _same(known: str, given: Any) -> bool:
    return hmac.compare_digest(known, str(given))
