"""Simulated venues and a private Redis for tests in one process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from arbsite.launcher.ports import LOOPBACK, free_port
from arbsite.launcher.redis_server import answers, embedded_redis
from tests.machine import ROOT, START_SECONDS, wait_until

# What a venue calls the perpetual of a base, or its spot where it has no other.
PERPETUAL_NAMES = {"okx": "{base}-USDT-SWAP"}


def symbol_at(venue: str, base: str) -> str:
    return PERPETUAL_NAMES.get(venue, "{base}USDT").format(base=base)


class SimulatorControl:
    """The control port of a simulator: faults, market, and the venues' own books."""

    def __init__(self, control_port: int) -> None:
        self.control_port = control_port

    def control(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        """Ask the control port; fail with its sentence when it refuses."""
        connection = HTTPConnection(LOOPBACK, self.control_port, timeout=30)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None)
            answer = connection.getresponse()
            text = answer.read()
            assert answer.status == 200, text.decode()
            return json.loads(text)
        finally:
            connection.close()

    def register(
        self,
        venue: str,
        api_key: str,
        secret: str,
        balances: Mapping[str, object],
        passphrase: str = "",
    ) -> None:
        body = {"venue": venue, "api_key": api_key, "api_secret": secret, "balances": balances}
        self.control("POST", "/accounts", {**body, "api_passphrase": passphrase})

    def pin(self, venue: str, base: str, **market: object) -> None:
        """Set price, funding_rate or level_quantity, or `freeze` the price, or `release` all."""
        self.control(
            "POST", "/market", {"venue": venue, "symbol": symbol_at(venue, base), **market}
        )

    def fault(self, **rule: object) -> None:
        self.control("POST", "/faults", rule)

    def no_faults(self) -> None:
        self.control("DELETE", "/faults")

    def ledger(self, api_key: str = "") -> dict[str, Any]:
        """Return the books of one account, or of all."""
        query = f"?api_key={api_key}" if api_key else ""
        found: dict[str, Any] = self.control("GET", f"/ledger{query}")
        return found

    def is_up(self) -> bool:
        try:
            return bool(self.control("GET", "/health"))
        except (OSError, HTTPException):
            return False


class RunningSimulator(SimulatorControl):
    """The venue simulator as a process of its own, stopped by its own pid."""

    def __init__(self, state: Path) -> None:
        super().__init__(free_port())
        self.port = free_port()
        self._process = subprocess.Popen(  # noqa: S603 - our own command
            [
                *(sys.executable, "-m", "exchanges.simulator"),
                *("--port", str(self.port), "--control-port", str(self.control_port)),
                *("--state", str(state), "--seed", "7", "--interval-minutes", "1"),
            ],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        wait_until(self.is_up, timeout=START_SECONDS, what="the simulator answers")

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def control_url(self) -> str:
        return f"http://{LOOPBACK}:{self.control_port}"

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)


class RunningRedis:
    """A private Redis that keeps nothing."""

    def __init__(self) -> None:
        described = embedded_redis(free_port())
        self.url = described.url
        self._process = subprocess.Popen(  # noqa: S603 - our own command
            described.spec.command, stdin=subprocess.PIPE, text=True
        )
        assert self._process.stdin is not None
        self._process.stdin.write(described.spec.stdin or "")
        self._process.stdin.close()
        wait_until(lambda: answers(self.url), timeout=START_SECONDS, what="Redis answers")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)
