"""The browser's end of the socket, without the server that the library's own helper needs."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import urlencode

from asgiref.testing import ApplicationCommunicator
from django.test import Client

from arbsite.accounts.models import User
from arbsite.asgi import application

PATIENCE = 10.0


def session_of(user: User) -> str:
    """Sign in and return the session cookie."""
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


class Page:
    """One open page. Use as an async context manager; `accepted` tells whether it was let in."""

    def __init__(
        self, session: str, *, panels: str = "state", origin: str = "http://localhost"
    ) -> None:
        headers = [(b"origin", origin.encode()), (b"host", b"localhost")]
        if session:
            headers.append((b"cookie", f"sessionid={session}".encode()))
        scope = {
            "type": "websocket",
            "path": "/ws/live",
            "query_string": urlencode({"panels": panels}).encode(),
            "headers": headers,
            "subprotocols": [],
        }
        # The library ships no types.
        self._wire: Any = ApplicationCommunicator(application, scope)  # type: ignore[no-untyped-call]
        self.accepted = False

    async def __aenter__(self) -> Page:
        await self._wire.send_input({"type": "websocket.connect"})
        answer = await self._wire.receive_output(PATIENCE)
        self.accepted = answer["type"] == "websocket.accept"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._wire.send_input({"type": "websocket.disconnect", "code": 1000})
        await self._wire.wait(PATIENCE)

    async def say(self, text: str) -> None:
        await self._wire.send_input({"type": "websocket.receive", "text": text})

    async def next_html(self, words: str = "") -> str:
        """Return the next panels that say `words`, skipping rates."""
        return await self._next("<", words)

    async def next_json(self) -> dict[str, Any]:
        """Return the next rates, skipping panels."""
        message: dict[str, Any] = json.loads(await self._next("{"))
        return message

    async def closing_code(self) -> int:
        """Return the code with which the server closes, whatever it sends before."""
        async with asyncio.timeout(PATIENCE):
            while (message := await self._wire.receive_output(PATIENCE))["type"] != (
                "websocket.close"
            ):
                pass
        return int(message["code"])

    async def _next(self, beginning: str, words: str = "") -> str:
        async with asyncio.timeout(PATIENCE):
            while True:
                message = await self._wire.receive_output(PATIENCE)
                text = str(message.get("text", ""))
                if text.startswith(beginning) and words in text:
                    return text
