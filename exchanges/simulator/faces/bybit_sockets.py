"""Bybit v5 WebSockets: public linear and inverse topics, and the private account topics."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from datetime import datetime

from exchanges.simulator.accounts import Account
from exchanges.simulator.core import Simulator
from exchanges.simulator.events import AccountEvent
from exchanges.simulator.faces.bybit_calls import account_of, signature
from exchanges.simulator.faces.bybit_events import TOPICS, private_messages
from exchanges.simulator.faces.bybit_feeds import BybitFeed
from exchanges.simulator.faces.sockets import Outgoing, read_message
from exchanges.simulator.listings import BYBIT, BYBIT_SPOT
from exchanges.simulator.wire import Json, VenueRefusal, decimal_of, milliseconds

REPLY_TOPIC = "reply"
CONNECTION_ID = "simulated"


def replied(message: Json, *, success: bool, text: str = "", **extra: object) -> Outgoing:
    payload: Json = {
        "success": success,
        "ret_msg": text,
        "conn_id": CONNECTION_ID,
        "op": message.get("op", ""),
    }
    if "req_id" in message:
        payload["req_id"] = message["req_id"]
    return Outgoing.of(REPLY_TOPIC, payload | extra)


class PublicSocket:
    """Market topics; each begins with a snapshot."""

    venue = BYBIT

    def __init__(self, feed: BybitFeed) -> None:
        self._feed = feed
        self._topics: dict[str, None] = {}

    @property
    def topics(self) -> list[str]:
        return list(self._topics)

    def receive(self, text: str, *, now: datetime) -> list[Outgoing]:
        message = read_message(text)
        operation, topics = message.get("op"), [str(name) for name in message.get("args") or []]
        if operation == "ping":
            return [replied(message, success=True, text="pong")]
        if operation == "unsubscribe":
            for topic in topics:
                self._topics.pop(topic, None)
            return [replied(message, success=True)]
        if operation != "subscribe":
            return [replied(message, success=False, text="error:invalid op")]
        unknown = [topic for topic in topics if not self._feed.knows(topic)]
        if unknown:
            text = f"error:handler not found,topic:{unknown[0]}"
            return [replied(message, success=False, text=text)]
        self._topics |= dict.fromkeys(topics)
        snapshots = [Outgoing(topic, self._feed.snapshot(topic, now=now)) for topic in topics]
        return [replied(message, success=True), *snapshots]

    def beat(self, *, now: datetime) -> list[Outgoing]:
        return [
            Outgoing(topic, body)
            for topic in self._topics
            for body in self._feed.bodies(topic, now=now)
        ]

    def happened(self, event: AccountEvent) -> list[Outgoing]:
        return []


class PrivateSocket:
    """Account topics, after authentication."""

    venue = BYBIT

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._account: Account | None = None
        self._topics: dict[str, None] = {}
        self._operations: Mapping[str, Callable[[Json, datetime], Outgoing]] = {
            "ping": self._ping,
            "auth": self._authenticate,
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
        }

    @property
    def topics(self) -> list[str]:
        return list(self._topics)

    def receive(self, text: str, *, now: datetime) -> list[Outgoing]:
        message = read_message(text)
        operation = self._operations.get(message.get("op", ""))
        if operation is None:
            return [replied(message, success=False, text="error:invalid op")]
        return [operation(message, now)]

    def beat(self, *, now: datetime) -> list[Outgoing]:
        return []

    def happened(self, event: AccountEvent) -> list[Outgoing]:
        if event.account is not self._account or event.venue not in (BYBIT, BYBIT_SPOT):
            return []
        messages = private_messages(self._simulator, event)
        return [
            Outgoing.of(message["topic"], message)
            for message in messages
            if message["topic"] in self._topics
        ]

    def _ping(self, message: Json, now: datetime) -> Outgoing:
        payload = {
            "op": "pong",
            "args": [str(milliseconds(now))],
            "conn_id": CONNECTION_ID,
            "req_id": message.get("req_id", ""),
        }
        return Outgoing.of(REPLY_TOPIC, payload)

    def _authenticate(self, message: Json, now: datetime) -> Outgoing:
        key, expires, sent = [str(part) for part in (message.get("args") or [])] + [""] * (
            3 - len(message.get("args") or [])
        )
        refusal = self._auth_refusal(key, expires, sent, now)
        if refusal:
            return replied(message, success=False, text=refusal, request=message)
        return replied(message, success=True)

    def _auth_refusal(self, key: str, expires: str, sent: str, now: datetime) -> str:
        try:
            account = account_of(self._simulator, key)
        except VenueRefusal as refusal:
            return refusal.message
        deadline = decimal_of(expires)
        if deadline is None or deadline <= milliseconds(now):
            return "Params Error: the request has expired"
        if not hmac.compare_digest(signature(account.secret, f"GET/realtime{expires}"), sent):
            return "error:USVC1111 wrong signature"
        self._account = account
        return ""

    def _subscribe(self, message: Json, now: datetime) -> Outgoing:
        topics = [str(name) for name in message.get("args") or []]
        if self._account is None:
            return replied(message, success=False, text="Request not authorized")
        unknown = [topic for topic in topics if topic not in TOPICS]
        if unknown:
            text = f"error:handler not found,topic:{unknown[0]}"
            return replied(message, success=False, text=text)
        self._topics |= dict.fromkeys(topics)
        return replied(message, success=True)

    def _unsubscribe(self, message: Json, now: datetime) -> Outgoing:
        for topic in message.get("args") or []:
            self._topics.pop(str(topic), None)
        return replied(message, success=True)
