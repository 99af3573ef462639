"""Serves HTTP: a request stays on one thread from its first middleware to its last.

Django walks between thread and event loop at every middleware, and each walk waits for whoever
holds the interpreter; it also makes a thread for every request, and with it a new connection to
the database. Here threads are kept with their connections, and nobody waits for a free one.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.db import connections
from django.http import HttpRequest
from django.http.response import HttpResponseBase

# Each keeps a connection, on SQLite with up to 20 MB of pages.
KEPT = 8


class RequestThreads(ASGIHandler):
    """Django's own handler, but for where a request runs."""

    def __init__(self) -> None:
        self._idle: list[ThreadPoolExecutor] = []
        super().__init__()

    def load_middleware(self, is_async: bool = False) -> None:
        """Load all of it as synchronous, as every view of ours is."""
        super().load_middleware(is_async=False)

    @property
    def idle(self) -> int:
        """Return how many threads wait for a request."""
        return len(self._idle)

    def end_idle(self) -> None:
        """End the threads that wait, each with its connection, before returning."""
        idle, self._idle = self._idle, []
        for thread in idle:
            _end(thread)
        for thread in idle:
            thread.shutdown()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        thread = self._idle.pop() if self._idle else ThreadPoolExecutor(1, "request")
        is_free = False
        try:
            async with ThreadSensitiveContext(executor=thread):
                await self.handle(scope, receive, send)
            is_free = True
        finally:
            # One whose request was broken off may still be at it: it is kept for nobody.
            if is_free and len(self._idle) < KEPT:
                self._idle.append(thread)
            else:
                _end(thread)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Return the answer of middleware and view, in one walk to the thread and back."""
        return await sync_to_async(self.get_response)(request)


def _end(thread: ThreadPoolExecutor) -> None:
    """Close its connection and let it end, when it has done what it is at."""
    thread.submit(connections.close_all)
    thread.shutdown(wait=False)
