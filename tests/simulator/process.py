"""The simulator as a process of its own, on free loopback ports, for tests over real sockets."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.machine import ROOT, clean_environment, wait_until


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    body: Any


class SimulatorProcess:
    """One simulator over `state`; `stop` ends it cleanly, `kill` as a crash would."""

    def __init__(self, state: Path, *options: str) -> None:
        self.port, self._control_port = free_port(), free_port()
        command = [sys.executable, "-m", "exchanges.simulator", "--state", str(state)]
        command += ["--port", str(self.port), "--control-port", str(self._control_port), *options]
        with state.with_suffix(".log").open("a") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                command,
                cwd=ROOT,
                env=clean_environment(),
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        wait_until(self._is_up, timeout=30, what="the simulator answers")

    def _is_up(self) -> bool:
        assert self._process.poll() is None, "the simulator has ended"
        with suppress(OSError):
            return self.ask("GET", "/health").status == 200
        return False

    def ask(self, method: str, path: str, /, **body: Any) -> Answer:
        """Ask the control port."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._control_port}{path}",
            method=method,
            data=json.dumps(body).encode() if body else None,
        )
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
                return Answer(status=answer.status, body=json.loads(answer.read()))
        except urllib.error.HTTPError as refusal:
            with refusal:
                return Answer(status=refusal.code, body=json.loads(refusal.read()))

    def ledger(self) -> Any:
        return self.ask("GET", "/ledger").body

    def add_account(self, venue: str, name: str) -> None:
        self.ask(
            "POST",
            "/accounts",
            venue=venue,
            api_key=name,
            api_secret=f"{name}-secret",
            balances={"USDT": "100000"},
        )

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(10)

    def stop(self) -> int:
        """Ask it to end and return its exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        return self._process.wait(10)
