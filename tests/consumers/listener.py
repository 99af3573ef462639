"""A program's end of `/ws/v1`."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from asgiref.testing import ApplicationCommunicator

from arbsite.asgi import application

PATIENCE = 10.0
RATE = "FUNDING_RATE_UPDATE"


class Listener:
    """One connection; use as an async context manager."""

    def __init__(
        self,
        token: str = "",
        *,
        after: int | str | None = None,
        session: str = "",
        origin: str = "",
    ) -> None:
        headers = [(b"host", b"localhost")]
        if session:
            headers.append((b"cookie", f"sessionid={session}".encode()))
        if origin:
            headers.append((b"origin", origin.encode()))
        scope = {
            "type": "websocket",
            "path": "/ws/v1",
            "query_string": b"" if after is None else f"after={after}".encode(),
            "headers": headers,
            "subprotocols": ["carry.v1", f"token.{token}"] if token else [],
        }
        # The library ships no types.
        self._wire: Any = ApplicationCommunicator(application, scope)  # type: ignore[no-untyped-call]
        self.rates: list[dict[str, Any]] = []
        self.accepted = False
        self.protocol: str | None = None

    async def __aenter__(self) -> Listener:
        await self._wire.send_input({"type": "websocket.connect"})
        answer = await self._wire.receive_output(PATIENCE)
        self.accepted = answer["type"] == "websocket.accept"
        self.protocol = answer.get("subprotocol")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._wire.send_input({"type": "websocket.disconnect", "code": 1000})
        await self._wire.wait(PATIENCE)

    async def next(self) -> dict[str, Any]:
        """Return the next message but for rates, which are kept for `next_rate`."""
        while (told := await self._next())["type"] == RATE:
            self.rates.append(told)
        return told

    async def next_rate(self) -> dict[str, Any]:
        """Return the earliest rate that was not looked at yet."""
        while not self.rates:
            told = await self._next()
            assert told["type"] == RATE, told
            self.rates.append(told)
        return self.rates.pop(0)

    async def _next(self) -> dict[str, Any]:
        message = await self._wire.receive_output(PATIENCE)
        assert message["type"] == "websocket.send", message
        told: dict[str, Any] = json.loads(message["text"])
        return told

    async def closing_code(self) -> int:
        async with asyncio.timeout(PATIENCE):
            while (message := await self._wire.receive_output(PATIENCE))["type"] != (
                "websocket.close"
            ):
                pass
        return int(message["code"])
