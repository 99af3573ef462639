"""A byte proxy in front of PostgreSQL that loses one COMMIT: its reply, its request, or its server.

A statement is recognised by its text; the first COMMIT after it on the same connection is struck.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum

from arbsite.launcher.ports import LOOPBACK

BEGIN, COMMIT = b"BEGIN", b"COMMIT"
KEY_DATA = b"K\x00\x00\x00\x0c"
CHUNK = 1 << 16


class Loss(StrEnum):
    """What becomes of the COMMIT: applied but not answered, never received, or its server ended."""

    REPLY = "reply"
    REQUEST = "request"
    BACKEND = "backend"


class LossyPostgres:
    """Listens on loopback and passes everything on to `server`, until told to lose something."""

    def __init__(self, server: tuple[str, int], *, terminate: Callable[[int], None]) -> None:
        self._server = server
        self._terminate = terminate
        self._armed: dict[bytes, Loss] = {}
        self.strikes = 0
        self._is_away = False
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def lose_commit_after(self, statement: str, loss: Loss) -> None:
        """Strike the next COMMIT of a transaction that contains `statement`, once."""
        self._armed[statement.encode()] = loss

    def go_away(self) -> None:
        """Cut every connection and refuse new ones, as a server that is being started again."""
        self._is_away = True
        for pair in self._pairs:
            _cut(*pair)

    def come_back(self) -> None:
        self._is_away = False

    def close(self) -> None:
        self.go_away()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._is_away:
                client.close()
                continue
            server = socket.create_connection(self._server)
            self._pairs.append((client, server))
            _Connection(self, client, server).start()

    def take_strike(self, sent: bytes) -> Loss | None:
        """Return what to lose with this COMMIT; `sent` is its transaction so far."""
        for statement in list(self._armed):
            if statement in sent:
                return self._armed.pop(statement)
        return None

    def struck(self, loss: Loss, backend: int) -> None:
        if loss is Loss.BACKEND:
            self._terminate(backend)
        self.strikes += 1


class _Connection:
    """One client's connection: two threads that copy bytes, and what its transaction sent."""

    def __init__(self, proxy: LossyPostgres, client: socket.socket, server: socket.socket) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._sent = b""
        self._backend = 0
        self._reply_is_lost = False

    def start(self) -> None:
        threading.Thread(target=self._forward, daemon=True).start()
        threading.Thread(target=self._answer, daemon=True).start()

    def _forward(self) -> None:
        with suppress(OSError):
            while chunk := self._client.recv(CHUNK):
                self._sent = chunk if BEGIN in chunk else self._sent + chunk
                if COMMIT in chunk and (loss := self._loss()):
                    self._lose(loss, chunk)
                    return
                self._server.sendall(chunk)
        _cut(self._client, self._server)

    def _loss(self) -> Loss | None:
        loss, self._sent = self._proxy.take_strike(self._sent), b""
        return loss

    def _lose(self, loss: Loss, chunk: bytes) -> None:
        if loss is Loss.REPLY:
            self._reply_is_lost = True
            self._server.sendall(chunk)
            return
        self._proxy.struck(loss, self._backend)
        if loss is Loss.REQUEST:
            _cut(self._client, self._server)

    def _answer(self) -> None:
        with suppress(OSError):
            while chunk := self._server.recv(CHUNK):
                if self._reply_is_lost:
                    self._proxy.struck(Loss.REPLY, self._backend)
                    break
                if not self._backend and KEY_DATA in chunk:
                    key = chunk.index(KEY_DATA) + len(KEY_DATA)
                    self._backend = int.from_bytes(chunk[key : key + 4], "big")
                self._client.sendall(chunk)
        _cut(self._client, self._server)


def _cut(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
