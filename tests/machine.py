"""A whole Carry of its own for a test: real processes, started and stopped as a person would."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DATABASE = "carry.sqlite3"
START_SECONDS, STOP_SECONDS = 180.0, 60.0


def clean_environment() -> dict[str, str]:
    """Return the environment of a person's terminal: nothing of the test run's own settings."""
    ours = ("CARRY_", "DJANGO_", "DATABASE_URL", "REDIS_URL", "PYTEST_", "SECRET_KEY")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def wait_until(is_true: Callable[[], object], *, timeout: float, what: str) -> None:
    """Ask every 50 ms until `is_true`; fail with `what` after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not is_true():
        assert time.monotonic() < deadline, f"after {timeout:g} s still not: {what}"
        time.sleep(0.05)


@cache
def _template() -> Path:
    folder = tempfile.mkdtemp(prefix="carry-template-")
    atexit.register(shutil.rmtree, folder)
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        cwd=ROOT,
        env={**clean_environment(), "CARRY_VAR": folder, "CARRY_LOCAL": "true"},
        check=True,
    )
    return Path(folder) / DATABASE


def furnish(var: Path) -> Path:
    """Give a new folder an empty database with all its tables, which a first start makes otherwise.

    A dozen seconds of a processor each time; `test_up.py` has `up` make its own.
    """
    var.mkdir(parents=True, exist_ok=True)
    if not (var / DATABASE).exists():
        shutil.copy(_template(), var)
    return var


def is_alive(pid: int) -> bool:
    """Return whether a process exists and is no zombie."""
    with suppress(FileNotFoundError, ProcessLookupError):
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z"
    return False


class RunningCarry:
    """`manage.py up` on a folder of its own. Use as a context manager."""

    def __init__(self, var: Path, *without: str, **environment: str) -> None:
        self.var = var
        self.output_file = var.with_name(f"{var.name}.out")
        self._said_before = len(self.output) if self.output_file.exists() else 0
        flags = ["--without", *without] if without else []
        with self.output_file.open("a") as output:
            self.process = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "manage.py", "up", "--var", str(var), "--port", "0", *flags],
                cwd=ROOT,
                env={**clean_environment(), **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def __enter__(self) -> RunningCarry:
        wait_until(self._is_announced_or_over, timeout=START_SECONDS, what="Carry is running")
        assert self.process.poll() is None, self.output
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def output(self) -> str:
        """What the terminal showed, in earlier runs on this folder too."""
        return self.output_file.read_text()

    @property
    def facts(self) -> dict[str, Any]:
        """The run file: pid, url, redis_url, simulator_url, control_url, processes by name."""
        facts: dict[str, Any] = json.loads((self.var / "run.json").read_text())
        return facts

    @property
    def url(self) -> str:
        return str(self.facts["url"])

    def stop(self) -> int:
        """Ask everything to end and return the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)

    def _is_announced_or_over(self) -> bool:
        said = self.output[self._said_before :]
        return "Carry is running at" in said or self.process.poll() is not None
