"""Private streams: the venues' own messages through Carry's own decoding, and what can befall them.

What a stream says may come late, twice, in another order or not at all; nothing else here decides.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import orjson

from exchanges.ccxt_adapter.client import VenueClient
from exchanges.ccxt_adapter.sockets import Feed
from exchanges.ccxt_adapter.streams import account_feed
from exchanges.domain import AccountFact
from exchanges.errors import VenueError
from exchanges.loop import DeadlinePassed
from exchanges.simulator.events import AccountEvent
from exchanges.simulator.faces.sockets import VenueSocket, first_words
from exchanges.simulator.switchboard import Switchboard
from exchanges.simulator.venues import Venues
from tests.simulation.calls import ServiceCalls

ON_TIME = timedelta(milliseconds=60)
SECONDS = 30.0
TICK = 1e-3


@dataclass(slots=True, kw_only=True)
class Weather:
    """The chances of each message: lost, doubled, late by up to `most_late` seconds."""

    lost: float = 0.0
    doubled: float = 0.0
    late: float = 0.0
    most_late: float = 20.0


@dataclass(slots=True)
class Line:
    """One account's stream: what the venue sent, due when, not delivered yet."""

    account_id: UUID
    socket: VenueSocket
    feed: Feed
    facts: list[AccountFact]
    waiting: list[tuple[datetime, int, Any]]


class Streams:
    """All private streams of a run."""

    def __init__(self, venues: Venues, calls: ServiceCalls, seed: int) -> None:
        self.weather = Weather()
        self.is_open = True
        self._switchboard = Switchboard(venues)
        self._simulator = venues.simulator
        self._calls = calls
        self._draws = Random(f"streams {seed}")  # noqa: S311 - it must repeat
        self._lines: list[Line] = []
        self._sent = 0
        self._in_part: list[Line] = []
        venues.simulator.listeners.append(self._hear)

    def open(self, account_id: UUID, client: VenueClient) -> None:
        """Open an account's stream as production does: listen key or signed greeting."""
        listings = self._calls.call(client.ready(), SECONDS)
        facts: list[AccountFact] = []
        feed = account_feed(client, listings, facts.append)
        address = urlsplit(self._calls.call(_awaited(feed.url), SECONDS))
        socket = self._switchboard.open(address.hostname or "", address.path, address.query)
        assert socket is not None, address
        self._calls.call(self._greet(feed, socket), SECONDS)
        self._lines.append(Line(account_id, socket, feed, facts, []))

    def close(self) -> None:
        """Hang up, without a word of what was on its way."""
        self._lines.clear()

    @property
    def has_news(self) -> bool:
        return any(line.waiting for line in self._lines)

    def seconds_to_next(self, now: datetime) -> float:
        """Return in how many seconds the next message arrives, infinity while none is on its way.

        A message that is due already arrives at the next tick of the clock.
        """
        moments = [at for line in self._lines for at, _, _ in line.waiting]
        return max(TICK, (min(moments) - now).total_seconds()) if moments else math.inf

    def hear(self, now: datetime) -> bool:
        """Decode what has arrived by now; tell whether some of it has to be read besides."""
        heard = []
        for line in self._lines:
            messages = [row for row in line.waiting if row[0] <= now]
            line.waiting = [row for row in line.waiting if row[0] > now]
            for _, _, message in sorted(messages, key=lambda row: row[:2]):
                line.feed.handle(message)
            heard += [line] if messages and line.feed.follow_up else []
        self._in_part = heard
        return bool(heard)

    def follow_up(self) -> None:
        """Read what messages have told in part; where that fails it is left to other reads."""
        for line in self._in_part:
            assert line.feed.follow_up is not None
            with suppress(VenueError, DeadlinePassed):
                self._calls.call(_followed(line.feed.follow_up), SECONDS)

    def told(self) -> list[tuple[UUID, list[AccountFact]]]:
        """Return the facts that are new, account by account."""
        told = [(line.account_id, list(line.facts)) for line in self._lines if line.facts]
        for line in self._lines:
            line.facts.clear()
        return told

    def lose_all(self) -> None:
        """Forget what is on its way, as a closed socket does."""
        for line in self._lines:
            line.waiting.clear()

    async def _greet(self, feed: Feed, socket: VenueSocket) -> None:
        replies: list[Any] = [orjson.loads(said.body) for said in first_words(socket)]

        async def send(message: Any) -> None:
            text = orjson.dumps(message).decode()
            answered = socket.receive(text, now=self._simulator.now())
            replies.extend(orjson.loads(reply.body) for reply in answered)

        async def receive() -> Any:
            return replies.pop(0)

        await feed.greet(send, receive)

    def _hear(self, event: AccountEvent) -> None:
        for line in self._lines:
            for message in line.socket.happened(event):
                if self.is_open:
                    self._send(line, orjson.loads(message.body), event.at)

    def _send(self, line: Line, message: Any, at: datetime) -> None:
        weather, draw = self.weather, self._draws.random
        if draw() < weather.lost:
            return
        for _ in range(2 if draw() < weather.doubled else 1):
            self._sent += 1
            is_late = draw() < weather.late
            lag = timedelta(seconds=weather.most_late * draw()) if is_late else ON_TIME
            line.waiting.append((at + lag, self._sent, message))


async def _followed(read: Callable[[], Awaitable[None]]) -> None:
    await read()


async def _awaited(url: Callable[[], Any]) -> str:
    address: str = await url()
    return address
