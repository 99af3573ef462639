"""What every venue socket is to its transport: messages in, messages out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

import orjson

from exchanges.simulator.events import AccountEvent
from exchanges.simulator.wire import Json


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to a client. `topic` is what fault rules match."""

    topic: str
    body: bytes

    @classmethod
    def of(cls, topic: str, payload: object) -> Outgoing:
        return cls(topic, orjson.dumps(payload))


class VenueSocket(Protocol):
    """One open WebSocket as its venue sees it."""

    @property
    def venue(self) -> str: ...

    @property
    def topics(self) -> Collection[str]:
        """Return what is subscribed, for fault rules that close sockets."""

    def receive(self, text: str, *, now: datetime) -> list[Outgoing]:
        """Take one client message and return the replies."""

    def beat(self, *, now: datetime) -> list[Outgoing]:
        """Return the market messages that are due on this beat."""

    def happened(self, event: AccountEvent) -> list[Outgoing]:
        """Return what an account event means to this socket."""


@runtime_checkable
class Welcoming(Protocol):
    """A socket whose venue speaks first."""

    def welcome(self) -> Outgoing: ...


def first_words(socket: VenueSocket) -> list[Outgoing]:
    """Return what a venue says to a new socket before it is asked anything."""
    return [socket.welcome()] if isinstance(socket, Welcoming) else []


def read_message(text: str) -> Json:
    """Return a client message as an object; what is none is an empty one."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def arguments(message: Json) -> list[Json]:
    """Return what a message asks for, at the venues that take lists of objects for it."""
    found = message.get("args")
    rows = found if isinstance(found, list) else []
    return [row for row in rows if isinstance(row, dict)]
