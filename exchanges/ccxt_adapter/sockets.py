"""One supervised WebSocket: opens, greets, hands over messages, notices silence, reopens.

The library's own sockets stay open and mute after one message that cannot be parsed, for minutes;
here any failure of a handler, a silent channel and a closed connection end the same way: the
socket is closed and opened again after a jittered, growing delay.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

import aiohttp
import ccxt
import orjson

from exchanges.ccxt_adapter.connections import ConnectionBudget
from exchanges.ccxt_adapter.faults import PARSE_FAILURES
from exchanges.errors import UnexpectedPayload, VenueError

logger = logging.getLogger(__name__)

FIRST_DELAY = 0.25
LONGEST_DELAY = 30.0
STEADY_AFTER = 60.0
OPEN_TIMEOUT = 10.0
CLOSE_TIMEOUT = 1.0
PING_EVERY = 10.0
# How long one socket may keep all others waiting, in seconds, and one message more.
LONGEST_TURN = 0.001
LARGEST_MESSAGE = 16 * 1024 * 1024
# The one message that is no JSON.
PONG = "pong"

# What a handler, ours or the library's, raises on a message it does not understand.
HANDLER_FAILURES = (ccxt.BaseError, *PARSE_FAILURES, VenueError)
CONNECTION_FAILURES = (aiohttp.ClientError, OSError, TimeoutError)

# How often each feed was lost, by `connection` or by a `message` that nobody understood.
LOST: Counter[tuple[str, str]] = Counter()

Send = Callable[[Any], Awaitable[None]]
Receive = Callable[[], Awaitable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """What one socket is for.

    `greet` runs after each opening and returns when the venue has accepted us; `handle` tells
    whether a message was data, as opposed to an acknowledgement or a pong. `silent_after`: seconds
    without data after which the channel counts as dead, None where silence is normal. `upkeep` is
    what the venue wants to see every `upkeep_every` seconds. `pings`: whether it answers the pings
    of the WebSocket protocol. `decode` makes a message of a text. `headers` are sent on opening.
    `follow_up` reads what messages have told in part; the feed's own upkeep does it.
    """

    name: str
    url: Callable[[], Awaitable[str]]
    greet: Callable[[Send, Receive], Awaitable[None]]
    handle: Callable[[Any], bool]
    silent_after: float | None
    upkeep: Callable[[Send], Awaitable[None]] | None = None
    upkeep_every: float = 15.0
    pings: bool = True
    decode: Callable[[str | bytes], Any] = orjson.loads
    headers: Mapping[str, str] | None = None
    follow_up: Callable[[], Awaitable[None]] | None = None


class Socket:
    """Runs one feed until cancelled; `refused` errors of the venue end it, nothing else does."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        feed: Feed,
        *,
        on_open: Callable[[], None] | None = None,
        refused: tuple[type[VenueError], ...] = (),
        connections: ConnectionBudget | None = None,
    ) -> None:
        self._session = session
        self._feed = feed
        self._on_open = on_open
        self._refused = refused
        self._connections = connections
        self._failures = 0
        self._connection: aiohttp.ClientWebSocketResponse | None = None

    async def reopen(self) -> None:
        """Close the connection, where there is one; it is opened anew like one that was lost."""
        if self._connection is not None:
            await self._connection.close()

    async def run(self) -> None:
        while True:
            opened = monotonic()
            try:
                await self._live_once()
            except self._refused:
                raise
            except CONNECTION_FAILURES as error:
                self._note("connection", error)
            except HANDLER_FAILURES as error:
                self._note("message", error)
            if monotonic() - opened >= STEADY_AFTER:
                self._failures = 0
            await asyncio.sleep(self._delay())
            self._failures += 1

    def _note(self, kind: str, error: BaseException) -> None:
        """Count why a socket was lost, in this process, and say it; no value of the message."""
        LOST[self._feed.name, kind] += 1
        reason = _reason(error) if kind == "connection" else type(error).__name__
        logger.warning(
            "stream lost",
            extra={
                "feed": self._feed.name,
                "lost_by": kind,
                "reason": reason,
                "times": LOST[self._feed.name, kind],
            },
        )

    def _delay(self) -> float:
        longest: float = min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(self._failures, 10))
        spread: float = random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing
        return longest * spread

    async def _live_once(self) -> None:
        # An address that has to be asked for takes its time: the opening is counted after it.
        url = await self._feed.url()
        if self._connections is not None:
            await self._connections.take()
        async with asyncio.timeout(OPEN_TIMEOUT):
            connection = await self._session.ws_connect(
                url,
                headers=self._feed.headers,
                max_msg_size=LARGEST_MESSAGE,
                heartbeat=PING_EVERY if self._feed.pings else None,
                # A half-open peer never answers the closing handshake.
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_TIMEOUT),
            )
        self._connection = connection
        try:
            await self._greet(connection)
            upkeep = asyncio.create_task(self._keep_up(connection))
            try:
                await self._listen(connection)
            finally:
                upkeep.cancel()
        finally:
            self._connection = None
            # A venue that talks on and never says goodbye would hold the closing for ever.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_TIMEOUT):
                    await connection.close()

    async def _greet(self, connection: aiohttp.ClientWebSocketResponse) -> None:
        async def receive() -> Any:
            return payload_of(await connection.receive(), self._feed.decode)

        async with asyncio.timeout(OPEN_TIMEOUT):
            await self._feed.greet(_sender(connection), receive)
        logger.info("stream open", extra={"feed": self._feed.name})
        if self._on_open is not None:
            self._on_open()

    async def _listen(self, connection: aiohttp.ClientWebSocketResponse) -> None:
        silence = self._feed.silent_after
        clock = asyncio.get_running_loop().time
        try:
            async with asyncio.timeout(silence) as limit:
                paused = clock()
                while True:
                    message = payload_of(await connection.receive(), self._feed.decode)
                    if self._feed.handle(message) and silence is not None:
                        limit.reschedule(clock() + silence)
                    # What has arrived is received without a pause: others must have their turn.
                    if clock() - paused >= LONGEST_TURN:
                        await asyncio.sleep(0)
                        paused = clock()
        except TimeoutError:
            raise ConnectionResetError(f"no data for {silence} s") from None

    async def _keep_up(self, connection: aiohttp.ClientWebSocketResponse) -> None:
        while self._feed.upkeep is not None:
            await asyncio.sleep(self._feed.upkeep_every)
            # The listener sees a broken connection too, and a missed upkeep ends in one.
            with contextlib.suppress(VenueError, *CONNECTION_FAILURES):
                await self._feed.upkeep(_sender(connection))


def _reason(error: BaseException) -> str:
    """Say what a connection failed of, without its address: a token may be in it."""
    if isinstance(error, aiohttp.ClientResponseError):
        return f"{type(error).__name__}({error.status}, {error.message!r})"
    return repr(error)


def _sender(connection: aiohttp.ClientWebSocketResponse) -> Send:
    async def send(message: Any) -> None:
        text = message if isinstance(message, str) else orjson.dumps(message).decode()
        await connection.send_str(text)

    return send


def payload_of(
    message: aiohttp.WSMessage, decode: Callable[[str | bytes], Any] = orjson.loads
) -> Any:
    """Return what a message holds; raise a failure of the connection where it is its end."""
    match message.type:
        case aiohttp.WSMsgType.TEXT | aiohttp.WSMsgType.BINARY:
            return PONG if message.data == PONG else decode(message.data)
        case aiohttp.WSMsgType.ERROR:
            raise UnexpectedPayload(f"the socket failed: {message.data!r}")
        case _:
            raise ConnectionResetError(f"closed by the venue: {message.type.name} {message.data}")
