"""Doorbells and broadcasts when Redis is gone, or takes the connection and never answers."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import closing

import pytest

from arbsite.launcher.ports import LOOPBACK, free_port
from tests.machine import ROOT, clean_environment

pytestmark = pytest.mark.db

# In a process of its own: the broker's address is read once.
PROGRAM = """
import os, uuid, django
os.environ["DJANGO_SETTINGS_MODULE"] = "arbsite.settings"
django.setup()
from trading.broadcast import broadcast_user
from trading.doorbell import ring_scan
print(ring_scan(), broadcast_user(uuid.uuid4(), "kill"))
"""
MOST_SECONDS = 20.0


@pytest.fixture(params=["closed", "silent"])
def port(request: pytest.FixtureRequest) -> Generator[int]:
    if request.param == "closed":
        yield free_port()
        return
    with closing(socket.create_server((LOOPBACK, 0))) as silent:
        yield silent.getsockname()[1]


def test_a_dead_redis_is_told_of_in_time_and_raises_nothing(port: int) -> None:
    started = time.monotonic()

    answer = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env={**clean_environment(), "REDIS_URL": f"redis://{LOOPBACK}:{port}/0"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert answer.stdout.splitlines()[-1] == "False False"
    assert time.monotonic() - started < MOST_SECONDS
