"""A supervised socket against a venue that misbehaves."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from exchanges.ccxt_adapter.connections import ConnectionBudget
from exchanges.ccxt_adapter.sockets import LOST, Feed, Receive, Send, Socket
from exchanges.errors import CredentialRefused
from exchanges.venues.quotas import ConnectionQuota

pytestmark = [pytest.mark.protocol, pytest.mark.asyncio]

Serve = Callable[[web.WebSocketResponse, int], Awaitable[None]]


class Venue:
    """A venue of one socket address. `serve` is called with the number of the connection."""

    def __init__(self, serve: Serve) -> None:
        self.connections = 0
        self._serve = serve
        app = web.Application()
        app.router.add_get("/ws", self._accept)
        self.server = TestServer(app)

    async def _accept(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.connections += 1
        await self._serve(socket, self.connections)
        return socket

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        async with self.server:
            yield str(self.server.make_url("/ws"))


async def stay_open(socket: web.WebSocketResponse) -> None:
    async for _ in socket:
        pass


def feed(at: str, handle: Callable[[Any], bool], **changes: Any) -> Feed:
    async def address() -> str:
        return at

    async def greet(send: Send, receive: Receive) -> None: ...

    settings: dict[str, Any] = {
        "name": "test",
        "url": address,
        "greet": greet,
        "handle": handle,
        "silent_after": 30.0,
    }
    return Feed(**(settings | changes))


@contextlib.asynccontextmanager
async def listening(feed: Feed, **options: Any) -> AsyncIterator[asyncio.Task[None]]:
    async with aiohttp.ClientSession() as session:
        task = asyncio.create_task(Socket(session, feed, **options).run())
        yield task
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_message_that_cannot_be_handled_closes_and_reopens_the_socket() -> None:
    async def serve(socket: web.WebSocketResponse, number: int) -> None:
        await socket.send_json({"price": None if number == 1 else "100"})
        await stay_open(socket)

    seen = asyncio.Event()

    def handle(message: Any) -> bool:
        assert isinstance(message["price"].strip(), str)
        seen.set()
        return True

    venue = Venue(serve)
    before = LOST["test", "message"]
    async with venue.running() as url, listening(feed(url, handle)), asyncio.timeout(5):
        await seen.wait()

    assert venue.connections == 2
    assert LOST["test", "message"] == before + 1


async def test_refused_opening_is_told_without_the_token_in_its_address(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def serve(socket: web.WebSocketResponse, number: int) -> None: ...

    venue, again = Venue(serve), asyncio.Event()
    asked: list[str] = []

    async with venue.running() as url:

        async def address() -> str:
            asked.append(url)
            if len(asked) == 2:
                again.set()
            return f"{url}/nowhere?token=hidden"

        async with (
            listening(feed(url, lambda _: True, url=address)),
            asyncio.timeout(5),
        ):
            await again.wait()

    [lost] = [record for record in caplog.records if record.message == "stream lost"]
    assert lost.__dict__["reason"] == "WSServerHandshakeError(404, 'Invalid response status')"


async def test_garbage_body_closes_and_reopens_the_socket() -> None:
    async def serve(socket: web.WebSocketResponse, number: int) -> None:
        await socket.send_str("<html>" if number == 1 else "{}")
        await stay_open(socket)

    seen = asyncio.Event()

    def see(_: object) -> bool:
        seen.set()
        return True

    venue = Venue(serve)
    async with (
        venue.running() as url,
        listening(feed(url, see)),
        asyncio.timeout(5),
    ):
        await seen.wait()

    assert venue.connections == 2


async def test_channel_that_only_acknowledges_counts_as_silent() -> None:
    reopened = asyncio.Event()

    async def serve(socket: web.WebSocketResponse, number: int) -> None:
        if number == 2:
            reopened.set()
        while not socket.closed:
            await socket.send_json({"op": "pong"})
            await asyncio.sleep(0.02)

    venue = Venue(serve)
    async with (
        venue.running() as url,
        listening(feed(url, lambda message: "data" in message, silent_after=0.2)),
        asyncio.timeout(5),
    ):
        await reopened.wait()


async def test_each_opening_is_told_so_that_what_was_missed_can_be_read() -> None:
    async def serve(socket: web.WebSocketResponse, number: int) -> None:
        if number == 1:
            await socket.close()
        await stay_open(socket)

    openings: asyncio.Queue[None] = asyncio.Queue()
    venue = Venue(serve)
    async with (
        venue.running() as url,
        listening(feed(url, lambda message: True), on_open=lambda: openings.put_nowait(None)),
        asyncio.timeout(5),
    ):
        await openings.get()
        await openings.get()


async def test_refused_key_ends_the_socket() -> None:
    async def serve(socket: web.WebSocketResponse, number: int) -> None:
        await stay_open(socket)

    async def greet(send: Send, receive: Receive) -> None:
        raise CredentialRefused("Invalid apikey", venue="bybit")

    venue = Venue(serve)
    async with (
        venue.running() as url,
        listening(
            feed(url, lambda message: True, greet=greet), refused=(CredentialRefused,)
        ) as task,
        asyncio.timeout(5),
    ):
        with pytest.raises(CredentialRefused):
            await task

    assert venue.connections == 1


async def ping(send: Send) -> None:
    await send({"op": "ping"})


async def test_our_ping_is_sent_while_the_venue_is_silent() -> None:
    heard: asyncio.Queue[Any] = asyncio.Queue()

    async def serve(socket: web.WebSocketResponse, number: int) -> None:
        async for message in socket:
            heard.put_nowait(message.json())

    venue = Venue(serve)
    async with (
        venue.running() as url,
        listening(
            feed(url, lambda message: True, upkeep=ping, upkeep_every=0.05, silent_after=None)
        ),
        asyncio.timeout(5),
    ):
        assert await heard.get() == {"op": "ping"}


async def test_venue_that_is_not_there_is_tried_again() -> None:
    async def serve(socket: web.WebSocketResponse, number: int) -> None:
        await stay_open(socket)

    opened = asyncio.Event()
    venue = Venue(serve)
    async with venue.running() as url:
        attempts = 0

        async def address() -> str:
            nonlocal attempts
            attempts += 1
            return "http://127.0.0.1:9/ws" if attempts == 1 else url

        async with (
            listening(feed("", lambda message: True, url=address), on_open=opened.set),
            asyncio.timeout(5),
        ):
            await opened.wait()


async def test_a_venue_that_closes_again_and_again_is_opened_ever_more_rarely() -> None:
    opened: asyncio.Queue[float] = asyncio.Queue()
    clock = asyncio.get_running_loop().time

    async def serve(socket: web.WebSocketResponse, number: int) -> None:
        opened.put_nowait(clock())
        await socket.close()

    venue = Venue(serve)
    async with (
        venue.running() as url,
        listening(feed(url, lambda message: True)),
        asyncio.timeout(10),
    ):
        first, second, third, fourth = [await opened.get() for _ in range(4)]

    # 0.25, 0.5 and 1 s, each at least halved by chance.
    assert second - first >= 0.125
    assert third - second >= 0.25
    assert fourth - third >= 0.5


async def test_a_venue_that_closes_all_sockets_at_once_sees_no_more_than_its_quota() -> None:
    async def serve(socket: web.WebSocketResponse, number: int) -> None:
        opened.append(asyncio.get_running_loop().time())
        if len(opened) >= 20:
            enough.set()
        await socket.close()

    opened: list[float] = []
    enough, window = asyncio.Event(), 0.3
    quota = ConnectionQuota(limit=5, window=timedelta(seconds=window))
    budget = ConnectionBudget(quota)
    venue = Venue(serve)
    async with contextlib.AsyncExitStack() as stack:
        url = await stack.enter_async_context(venue.running())
        for _ in range(8):
            one = feed(url, lambda message: True)
            await stack.enter_async_context(listening(one, connections=budget))
        async with asyncio.timeout(20):
            await enough.wait()

    # Counted where the venue counts, some a little late.
    starts = [sum(at <= later < at + window for later in opened) for at in opened]
    assert max(starts) <= 5


async def test_openings_wait_for_the_window_and_no_longer() -> None:
    now = [100.0]
    quota = ConnectionQuota(limit=5, window=timedelta(seconds=10))
    budget = ConnectionBudget(quota, clock=lambda: now[0])
    for _ in range(4):
        await budget.take()

    # Ten seconds, and one in which the last one may arrive.
    assert budget.wait() == 11
    now[0] = 107.5
    assert budget.wait() == 3.5
    now[0] = 111
    assert budget.wait() == 0


@pytest.mark.parametrize(
    ("limit", "processes", "at_once", "then"),
    # 500 in 5 min: a quarter of four fifths is 100. 3 in 1 s: 0.6 of one, so one in 3.3 s.
    [(500, 4, 100, 301), (3, 4, 1, 2 / 0.6), (3, 1, 2, 2)],
)
async def test_processes_beside_one_another_open_no_more_than_one_alone(
    limit: int, processes: int, at_once: int, then: float
) -> None:
    window = timedelta(minutes=5) if limit == 500 else timedelta(seconds=1)
    quota = ConnectionQuota(limit=limit, window=window)
    budget = ConnectionBudget(quota, clock=lambda: 100.0, processes=processes)

    for _ in range(at_once):
        assert budget.wait() == 0
        await budget.take()

    assert budget.wait() == pytest.approx(then)
    # In any of the venue's windows all of them together stay below four fifths.
    assert processes * at_once / then <= limit * 0.8 / window.total_seconds() + 1e-9


async def test_a_venue_that_talks_on_while_it_is_left_does_not_hold_the_socket() -> None:
    async def serve(socket: web.WebSocketResponse, number: int) -> None:
        if number == 2:
            reopened.set()
        # Never reads, so it never hears that we close.
        with contextlib.suppress(ConnectionError):
            while True:
                await socket.send_json({"price": None})
                await asyncio.sleep(0.01)

    def handle(message: Any) -> bool:
        assert isinstance(message["price"].strip(), str)
        return True

    reopened = asyncio.Event()
    venue = Venue(serve)
    async with venue.running() as url, listening(feed(url, handle)), asyncio.timeout(10):
        await reopened.wait()
