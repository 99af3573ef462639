"""The thin shell round the simulator: aiohttp sockets, waiting, and the beat.

One port serves all venues as `/<venue host>/<path>`; nothing here knows a venue's protocol.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from contextlib import suppress

from aiohttp import WSMsgType, web

from exchanges.simulator.books import BEAT_MILLISECONDS
from exchanges.simulator.deliveries import Delivery, Ending
from exchanges.simulator.events import AccountEvent
from exchanges.simulator.faces.sockets import Outgoing, VenueSocket, first_words
from exchanges.simulator.faults import Action, Faults
from exchanges.simulator.switchboard import Switchboard
from exchanges.simulator.venues import Venues
from exchanges.simulator.wire import WireRequest

HANG_CHECK_SECONDS = 0.5
MOST_WAITING = 4096
MOST_OPENINGS = 100_000
GOING_AWAY = 1001


class RestDoor:
    """Carries HTTP requests to the venues and their answers back."""

    def __init__(self, venues: Venues) -> None:
        self._venues = venues

    async def serve(self, request: web.Request) -> web.StreamResponse:
        wire = await read_request(request)
        if not self._venues.knows(wire.host):
            return web.json_response({"detail": f"no venue answers for {wire.host}"}, status=404)
        rule = self._venues.disturbance(wire)
        if rule is not None and rule.action is Action.DELAY and not rule.after_accept:
            await asyncio.sleep(rule.seconds)
        return await self._deliver(request, self._venues.answer(wire, rule))

    async def _deliver(self, request: web.Request, delivery: Delivery) -> web.StreamResponse:
        if delivery.delay:
            await asyncio.sleep(delivery.delay)
        transport = request.transport
        if delivery.ending is Ending.HANG:
            while request.transport is not None and not request.transport.is_closing():
                await asyncio.sleep(HANG_CHECK_SECONDS)
        elif transport is not None and delivery.ending is Ending.RESET:
            transport.abort()
        elif transport is not None and delivery.ending is Ending.CLOSE:
            transport.close()
        response = delivery.response
        if response is None:
            return web.Response()
        return web.Response(
            status=response.status,
            body=response.body,
            content_type=response.content_type,
            headers=dict(response.headers),
        )


async def read_request(request: web.Request) -> WireRequest:
    raw_path, _, query = request.raw_path.partition("?")
    host, _, path = raw_path.lstrip("/").partition("/")
    return WireRequest(
        host=host,
        method=request.method,
        path="/" + path,
        query=query,
        body=await request.read(),
        headers={name.lower(): value for name, value in request.headers.items()},
    )


class Line:
    """One client's socket: what waits to be sent to it."""

    def __init__(self, socket: VenueSocket, connection: web.WebSocketResponse) -> None:
        self.socket = socket
        self._connection = connection
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue()

    def push(self, messages: Iterable[Outgoing], faults: Faults) -> None:
        """Queue messages; those of a stalled topic are lost, as on a dead channel."""
        for message in messages:
            if faults.of_socket(Action.SOCKET_STALL, self.socket.venue, message.topic) is None:
                self._waiting.put_nowait(message.body)

    async def send_waiting(self) -> None:
        """Send until cancelled; a client that does not read is cut off."""
        while self._waiting.qsize() < MOST_WAITING:
            await self._connection.send_str((await self._waiting.get()).decode())
        await self.close()

    async def close(self) -> None:
        await self._connection.close(code=GOING_AWAY)


class SocketDoor:
    """Carries WebSocket messages between clients and venue sockets."""

    def __init__(self, venues: Venues) -> None:
        self._venues = venues
        self._switchboard = Switchboard(venues)
        self._lines: set[Line] = set()
        self._openings: deque[dict[str, object]] = deque(maxlen=MOST_OPENINGS)
        venues.simulator.listeners.append(self._tell)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        wire = await read_request(request)
        socket = self._switchboard.open(wire.host, wire.path, wire.query)
        if socket is None:
            return web.json_response({"detail": f"no socket at {wire.path}"}, status=404)
        opened_at = self._venues.simulator.now().isoformat()
        self._openings.append({"time": opened_at, "venue": socket.venue})
        connection = web.WebSocketResponse(compress=False)
        await connection.prepare(request)
        line = Line(socket, connection)
        self._lines.add(line)
        line.push(first_words(socket), self._venues.faults)
        sender = asyncio.create_task(line.send_waiting())
        try:
            async for message in connection:
                if message.type is WSMsgType.TEXT:
                    replies = socket.receive(message.data, now=self._venues.simulator.now())
                    line.push(replies, self._venues.faults)
        finally:
            self._lines.discard(line)
            sender.cancel()
            with suppress(asyncio.CancelledError, ConnectionError):
                await sender
        return connection

    async def publish(self) -> None:
        """Send each line what is due on this beat, and close those a fault rule closes."""
        now, faults = self._venues.simulator.now(), self._venues.faults
        for line in tuple(self._lines):
            line.push(line.socket.beat(now=now), faults)
        rule = faults.closing()
        if rule is None:
            return
        for line in tuple(self._lines):
            topics = line.socket.topics
            if rule.venue in ("", line.socket.venue) and (
                not rule.topic or any(rule.topic in topic for topic in topics)
            ):
                await line.close()

    def listed(self) -> list[dict[str, object]]:
        """Return the open sockets and what they are subscribed to."""
        return [
            {"venue": line.socket.venue, "topics": list(line.socket.topics)} for line in self._lines
        ]

    def openings(self) -> list[dict[str, object]]:
        """Return when sockets were opened at which venue, oldest first."""
        return list(self._openings)

    async def close_all(self) -> None:
        for line in tuple(self._lines):
            await line.close()

    def _tell(self, event: AccountEvent) -> None:
        for line in self._lines:
            line.push(line.socket.happened(event), self._venues.faults)


class Doors:
    """The one port of all venues: plain requests and sockets."""

    def __init__(self, venues: Venues) -> None:
        self._venues = venues
        self._rest = RestDoor(venues)
        self.sockets = SocketDoor(venues)

    def app(self) -> web.Application:
        app = web.Application(client_max_size=1 << 20)
        app.router.add_route("*", "/{path:.*}", self._serve)
        return app

    async def run_beats(self) -> None:
        """Let the venues' time pass, four times a second, until cancelled."""
        period = BEAT_MILLISECONDS / 1000
        while True:
            now = self._venues.simulator.now().timestamp()
            await asyncio.sleep(period - now % period)
            self._venues.simulator.tick()
            await self.sockets.publish()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self.sockets.serve(request)
        return await self._rest.serve(request)


async def listen(app: web.Application, port: int) -> web.AppRunner:
    """Serve `app` on the loopback interface only."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner
