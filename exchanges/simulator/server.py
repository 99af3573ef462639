"""The thin shell round the simulator: aiohttp sockets, waiting, and the beat.

One port serves all venues as `/<venue host>/<path>`; nothing here knows a venue's protocol.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from exchanges.simulator.books import BEAT_MILLISECONDS
from exchanges.simulator.deliveries import Delivery, Ending
from exchanges.simulator.faults import Action
from exchanges.simulator.venues import Venues
from exchanges.simulator.wire import WireRequest

logger = logging.getLogger(__name__)
HANG_CHECK_SECONDS = 0.5


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


async def run_beats(venues: Venues, publish: Callable[[], Awaitable[None]]) -> None:
    """Let the venues' time pass, four times a second, until cancelled."""
    period = BEAT_MILLISECONDS / 1000
    while True:
        now = venues.simulator.now().timestamp()
        await asyncio.sleep(period - now % period)
        venues.simulator.tick()
        await publish()


async def listen(app: web.Application, port: int) -> web.AppRunner:
    """Serve `app` on the loopback interface only."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner
