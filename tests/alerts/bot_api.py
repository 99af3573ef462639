"""A Bot API on loopback: it keeps what it was asked, gives updates out and fails as it is told."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qsl

TOKEN = "7654321:AAcanaryTokenOfTheBot_0123456789-abc"
LONGEST_POLL = 1.0


@dataclass
class BotApi:
    """What was asked of it, and what it answers next."""

    url: str = ""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    failures: defaultdict[str, deque[tuple[int, dict[str, Any]]]] = field(
        default_factory=lambda: defaultdict(deque)
    )
    updates: list[dict[str, Any]] = field(default_factory=list)
    # Gives out what was confirmed again, as a Bot API that lost its place does.
    forgets_offsets: bool = False
    changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def sent(self) -> list[dict[str, str]]:
        """Return the messages, oldest first."""
        return [what for method, what in self.asked if method == "sendMessage"]

    def fails(
        self, status: int, times: int = 1, *, method: str = "sendMessage", **parameters: Any
    ) -> None:
        """Answer the next calls of a method with an error."""
        body = {"ok": False, "error_code": status, "description": f"failure {TOKEN}"}
        self.failures[method].extend([(status, body | {"parameters": parameters})] * times)

    def gives(self, *updates: dict[str, Any]) -> None:
        """Have updates read by whoever polls."""
        with self.changed:
            self.updates.extend(updates)
            self.changed.notify_all()

    def wait_for(self, is_so: Callable[[], bool], seconds: float = 10) -> bool:
        """Wait until something that was asked makes it so."""
        with self.changed:
            return self.changed.wait_for(is_so, seconds)

    def answer(self, method: str, what: dict[str, str]) -> tuple[int, dict[str, Any]]:
        with self.changed:
            self.asked.append((method, what))
            self.changed.notify_all()
            if self.failures[method]:
                return self.failures[method].popleft()
        if method == "getUpdates":
            return 200, {"ok": True, "result": self._updates(int(what.get("offset", 0)))}
        if method == "sendMessage":
            chat = {"id": int(what["chat_id"]), "type": "private"}
            result = {"message_id": len(self.asked), "date": int(time.time()), "chat": chat}
            return 200, {"ok": True, "result": result}
        return 200, {"ok": True, "result": True}

    def _updates(self, offset: int) -> list[dict[str, Any]]:
        def fresh() -> list[dict[str, Any]]:
            if self.forgets_offsets:
                return list(self.updates)
            return [update for update in self.updates if update["update_id"] >= offset]

        with self.changed:
            self.changed.wait_for(lambda: bool(fresh()), LONGEST_POLL)
            found = fresh()
            if self.forgets_offsets:
                self.forgets_offsets = False
            return found


class _Handler(BaseHTTPRequestHandler):
    api: ClassVar[BotApi]
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        _, bot, method = self.path.split("/")
        status, answer = (
            self.api.answer(method, dict(parse_qsl(body)))
            if bot == f"bot{TOKEN}"
            else (401, {"ok": False, "error_code": 401, "description": "Unauthorized"})
        )
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        # A bot that was told to end has hung up on its question.
        with suppress(BrokenPipeError, ConnectionResetError):
            self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    # As many may knock at once as the client holds connections.
    request_queue_size = 64
    daemon_threads = True


@contextmanager
def running_bot_api() -> Generator[BotApi]:
    api = BotApi()
    handler = type("Handler", (_Handler,), {"api": api})
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    api.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
