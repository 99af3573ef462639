"""Binance's WebSockets: public streams, USD-M user stream, spot WebSocket interface."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from datetime import datetime

import orjson

from exchanges.simulator.accounts import Account
from exchanges.simulator.core import Simulator
from exchanges.simulator.events import AccountEvent
from exchanges.simulator.faces.binance import account_of, check_clock, signature
from exchanges.simulator.faces.binance_events import spot_messages, usdm_messages
from exchanges.simulator.faces.binance_feeds import BinanceFeed
from exchanges.simulator.faces.sockets import Outgoing, read_message
from exchanges.simulator.listings import SPOT, USDM
from exchanges.simulator.wire import Json, VenueRefusal, milliseconds

USER_TOPIC = "user"
REPLY_TOPIC = "reply"


class StreamSocket:
    """Public market streams; `is_combined` wraps each message with its stream's name."""

    def __init__(
        self, feed: BinanceFeed, venue: str, streams: Iterable[str], *, is_combined: bool
    ) -> None:
        self.venue = venue
        self._feed = feed
        self._is_combined = is_combined
        self._streams = dict.fromkeys(streams)

    @property
    def topics(self) -> list[str]:
        return list(self._streams)

    def receive(self, text: str, *, now: datetime) -> list[Outgoing]:
        message = read_message(text)
        method, streams = message.get("method"), message.get("params") or []
        number = message.get("id")
        result = None
        if method == "SUBSCRIBE":
            self._streams |= dict.fromkeys(str(stream) for stream in streams)
            # Depth goes on from here: a snapshot fetched after the reply fits the next change.
            for stream in self._streams:
                self._feed.bodies(stream, now=now)
        elif method == "UNSUBSCRIBE":
            for stream in streams:
                self._streams.pop(stream, None)
        elif method == "LIST_SUBSCRIPTIONS":
            return [Outgoing.of(REPLY_TOPIC, {"result": self.topics, "id": number})]
        else:
            error = {"code": 2, "msg": f"Invalid request: unknown method {method}"}
            return [Outgoing.of(REPLY_TOPIC, {"error": error, "id": number})]
        return [Outgoing.of(REPLY_TOPIC, {"result": result, "id": number})]

    def beat(self, *, now: datetime) -> list[Outgoing]:
        return [
            Outgoing(stream, self._wrapped(stream, body))
            for stream in self._streams
            for body in self._feed.bodies(stream, now=now)
        ]

    def happened(self, event: AccountEvent) -> list[Outgoing]:
        return []

    def _wrapped(self, stream: str, body: bytes) -> bytes:
        if not self._is_combined:
            return body
        return orjson.dumps({"stream": stream, "data": orjson.Fragment(body)})


class UserSocket:
    """The USD-M user stream, opened with a listen key."""

    venue = USDM
    topics = (USER_TOPIC,)

    def __init__(self, simulator: Simulator, account: Account) -> None:
        self._simulator = simulator
        self._account = account

    def receive(self, text: str, *, now: datetime) -> list[Outgoing]:
        number = read_message(text).get("id")
        return [Outgoing.of(REPLY_TOPIC, {"result": None, "id": number})]

    def beat(self, *, now: datetime) -> list[Outgoing]:
        return []

    def happened(self, event: AccountEvent) -> list[Outgoing]:
        if event.account is not self._account:
            return []
        messages = usdm_messages(self._simulator, event)
        return [Outgoing.of(USER_TOPIC, message) for message in messages]


class ApiSocket:
    """The spot WebSocket interface, as far as user streams need it: signed subscription."""

    venue = SPOT

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._accounts: list[Account] = []

    @property
    def topics(self) -> list[str]:
        return [USER_TOPIC] if self._accounts else []

    def receive(self, text: str, *, now: datetime) -> list[Outgoing]:
        message = read_message(text)
        number = message.get("id")
        try:
            result = self._result(message, now)
        except VenueRefusal as refusal:
            error = {"code": refusal.code, "msg": refusal.message}
            payload = {"id": number, "status": refusal.status, "error": error}
            return [Outgoing.of(REPLY_TOPIC, payload)]
        payload = {"id": number, "status": 200, "result": result, "rateLimits": []}
        return [Outgoing.of(REPLY_TOPIC, payload)]

    def beat(self, *, now: datetime) -> list[Outgoing]:
        return []

    def happened(self, event: AccountEvent) -> list[Outgoing]:
        return [
            Outgoing.of(USER_TOPIC, {"subscriptionId": number, "event": message})
            for number, account in enumerate(self._accounts)
            if account is event.account
            for message in spot_messages(self._simulator, event)
        ]

    def _result(self, message: Json, now: datetime) -> Json:
        method = message.get("method")
        if method == "ping":
            return {}
        if method == "time":
            return {"serverTime": milliseconds(now)}
        if method != "userDataStream.subscribe.signature":
            raise VenueRefusal(-1020, f"This operation is not supported: {method}.")
        parameters = {name: str(value) for name, value in (message.get("params") or {}).items()}
        account = account_of(self._simulator, parameters.get("apiKey", ""))
        check_clock(parameters, now)
        sent = parameters.pop("signature", "")
        payload = "&".join(f"{name}={parameters[name]}" for name in sorted(parameters))
        if not hmac.compare_digest(signature(account.secret, payload), sent):
            raise VenueRefusal(-1022, "Signature for this request is not valid.")
        self._accounts.append(account)
        return {"subscriptionId": len(self._accounts) - 1}
