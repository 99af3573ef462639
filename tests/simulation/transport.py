"""The wire between the client library and the simulated venues: no socket, all faults.

A session gets requests as aiohttp would: signed, with real host names and a deadline. What a venue
received stays received, whatever becomes of the process that sent it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol

import aiohttp
import yarl

from exchanges.simulator.deliveries import Delivery, Ending
from exchanges.simulator.faults import Action
from exchanges.simulator.wire import WireRequest, WireResponse

LATENCY = 0.02
LATENCY_SPREAD = 0.06


class Far(Protocol):
    """The other end of the wire, and who watches it."""

    def disturbance(self, request: WireRequest) -> Any: ...

    def answer(self, request: WireRequest, rule: Any) -> Delivery: ...

    def heard(self, request: WireRequest, status: int, headers: Mapping[str, str]) -> None: ...

    def latency(self) -> float: ...

    def pass_by(self, name: str) -> None: ...

    def travels(self, task: asyncio.Task[Delivery]) -> None: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """A response as the client library reads it from aiohttp."""

    wire: WireResponse

    @property
    def status(self) -> int:
        return self.wire.status

    @property
    def reason(self) -> str:
        return ""

    @property
    def headers(self) -> Mapping[str, str]:
        return {"Content-Type": self.wire.content_type, **self.wire.headers}

    @property
    def content(self) -> bytes:
        return self.wire.body

    async def text(self, errors: str = "strict") -> str:
        return self.wire.body.decode(errors=errors)


class Exchange:
    """One request and its answer, as `async with session.get(...)`."""

    def __init__(self, far: Far, request: WireRequest, timeout: aiohttp.ClientTimeout) -> None:
        self._far = far
        self._request = request
        self._timeout = timeout

    async def __aenter__(self) -> Answer:
        async with asyncio.timeout(self._timeout.total):
            self._pass_by("before")
            # The request travels on when we stop waiting for its answer, or die.
            travelling = asyncio.get_running_loop().create_task(_travel(self._far, self._request))
            self._far.travels(travelling)
            delivery = await asyncio.shield(travelling)
            self._pass_by("after")
            answer = await _arrived(delivery)
            self._far.heard(self._request, answer.status, answer.headers)
            return answer

    def _pass_by(self, side: str) -> None:
        """Reads change nothing: to die in the midst of one is to die before or after its batch."""
        if self._request.method != "GET":
            self._far.pass_by(f"{side} {self._request.method} {self._request.path}")

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


async def _travel(far: Far, request: WireRequest) -> Delivery:
    await asyncio.sleep(far.latency())
    rule = far.disturbance(request)
    if rule is not None and rule.action is Action.DELAY and not rule.after_accept:
        await asyncio.sleep(rule.seconds)
    delivery = far.answer(request, rule)
    await asyncio.sleep(far.latency() + delivery.delay)
    return delivery


async def _arrived(delivery: Delivery) -> Answer:
    if delivery.ending is Ending.HANG:
        await asyncio.sleep(3600)
    if delivery.response is None or delivery.ending in (Ending.CLOSE, Ending.RESET):
        raise aiohttp.ServerDisconnectedError
    return Answer(delivery.response)


class InProcessSession:
    """What the client library uses of an aiohttp session."""

    def __init__(self, far: Callable[[], Far]) -> None:
        self._far = far
        self.headers: Mapping[str, str] = {}
        self.closed = False

    def get(self, url: yarl.URL, **options: Any) -> Exchange:
        return self._exchange("GET", url, **options)

    def post(self, url: yarl.URL, **options: Any) -> Exchange:
        return self._exchange("POST", url, **options)

    def put(self, url: yarl.URL, **options: Any) -> Exchange:
        return self._exchange("PUT", url, **options)

    def delete(self, url: yarl.URL, **options: Any) -> Exchange:
        return self._exchange("DELETE", url, **options)

    async def close(self) -> None:
        self.closed = True

    def _exchange(
        self,
        method: str,
        url: yarl.URL,
        *,
        data: bytes | None,
        headers: Mapping[str, str],
        timeout: aiohttp.ClientTimeout,
        proxy: str | None,
    ) -> Exchange:
        request = WireRequest(
            host=url.host or "",
            method=method,
            path=url.raw_path,
            query=url.raw_query_string,
            body=data or b"",
            headers={name.lower(): value for name, value in headers.items()},
        )
        return Exchange(self._far(), request, timeout)
