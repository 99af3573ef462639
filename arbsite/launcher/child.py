"""One child process: its command, its log file, its end."""

from __future__ import annotations

import logging
import math
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path

import orjson

GUARD = Path(__file__).with_name("guard.py")
LOG_BYTES, LOG_FILES = 20_000_000, 3
SAY_AGAIN_AFTER = 60.0
SAY_LENGTH = 300

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSpec:
    """What to run.

    `stop_seconds` is how long it may take to end by itself. If it `speaks`, its standard output is
    for the person and stays out of the log; it must be short and the process must end.
    """

    name: str
    command: tuple[str, ...]
    stdin: str = ""
    stop_seconds: float = 5.0
    speaks: bool = False


class Child:
    """A running process whose output goes to `<log_dir>/<name>.log`, its errors to the terminal."""

    def __init__(
        self, spec: ProcessSpec, *, environment: Mapping[str, str], log_dir: Path, say: Say
    ) -> None:
        self.spec = spec
        self.output: deque[str] = deque(maxlen=50)
        self._say = say
        self._said_at: dict[str, float] = {}
        self._log = _file_logger(spec.name, log_dir / f"{spec.name}.log")
        # A session of its own: Ctrl-C on the terminal reaches the launcher alone, which decides.
        self.process = subprocess.Popen(  # noqa: S603 - our own commands
            [sys.executable, "-IS", str(GUARD), str(os.getpid()), *spec.command],
            env=dict(environment),
            stdin=subprocess.PIPE if spec.stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if spec.speaks else subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        if self.process.stdin:
            self.process.stdin.write(spec.stdin)
            self.process.stdin.close()
        self._pump = threading.Thread(target=self._read, name=f"log-{spec.name}", daemon=True)
        self._pump.start()

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def resident_bytes(self) -> int:
        """Return the memory the process holds; 0 where the system does not say."""
        try:
            pages = Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1]
        except OSError:
            return 0
        return int(pages) * resource.getpagesize()

    def ask_to_stop(self) -> None:
        """Send SIGTERM to the process and whatever it started."""
        self._signal(signal.SIGTERM)

    def end(self, timeout: float) -> None:
        """Wait up to `timeout` seconds, then kill what is left of the process group."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout)
        self._signal(signal.SIGKILL)
        self.process.wait()
        self._pump.join(1)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def spoken(self) -> list[str]:
        """Return the lines that a process which `speaks` had for the person, after it ended."""
        return self.process.stdout.read().splitlines() if self.process.stdout else []

    def _read(self) -> None:
        logged = self.process.stderr if self.spec.speaks else self.process.stdout
        if logged is None:
            return
        with logged:
            for line in logged:
                text = line.rstrip("\n")
                self.output.append(text)
                self._log.info(text)
                self._repeat_on_terminal(trouble_in(text))

    def _repeat_on_terminal(self, trouble: str) -> None:
        """Say a trouble once a minute however often it is logged."""
        now = time.monotonic()
        if trouble and now - self._said_at.get(trouble, -math.inf) > SAY_AGAIN_AFTER:
            recent = {said: at for said, at in self._said_at.items() if now - at < SAY_AGAIN_AFTER}
            self._said_at = {**recent, trouble: now}
            self._say(f"{self.spec.name} │ {trouble}")


def trouble_in(line: str) -> str:
    """Return what a person must see of a log line: the first line of an error, else nothing."""
    if not line.startswith("{"):
        return ""
    try:
        event = orjson.loads(line)
    except orjson.JSONDecodeError:
        return ""
    if event.get("level") not in {"error", "critical"}:
        return ""
    first_line, *_ = str(event.get("event", "")).splitlines() or [""]
    return first_line[:SAY_LENGTH]


def _file_logger(name: str, path: Path) -> logging.Logger:
    logger = logging.getLogger(f"carry.output.{name}")
    if not logger.handlers:
        handler = RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=LOG_FILES)
        logger.addHandler(handler)
        logger.propagate = False
        logger.setLevel(logging.INFO)
    return logger
