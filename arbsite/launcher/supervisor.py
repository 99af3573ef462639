"""Keeps a set of processes running and ends them in reverse order."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from arbsite.launcher.child import Child, ProcessSpec, Say

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
# A process that ran this long had started well: its next pause is short again.
STEADY_AFTER = 60.0
MEGABYTE = 1_000_000


@dataclass(slots=True)
class Watched:
    """A process that should run, and when it may be started again after it died."""

    spec: ProcessSpec
    child: Child
    started_at: float
    pause: float = FIRST_PAUSE
    restart_at: float | None = None
    kill_at: float | None = None


class Supervisor:
    """Starts, restarts and stops processes; all methods belong to the main thread.

    Children ask the kernel to die with the thread that started them, hence one thread only.
    """

    def __init__(
        self,
        *,
        environment: Mapping[str, str],
        log_dir: Path,
        say: Say,
        on_change: Callable[[dict[str, int]], None],
        most_bytes: int,
    ) -> None:
        self.environment = dict(environment)
        self._log_dir = log_dir
        self._say = say
        self._on_change = on_change
        self._most_bytes = most_bytes
        self._watched: dict[str, Watched] = {}

    def launch(self, spec: ProcessSpec) -> Child:
        """Start a process that is not restarted when it ends."""
        return Child(spec, environment=self.environment, log_dir=self._log_dir, say=self._say)

    def start(self, spec: ProcessSpec) -> None:
        """Start a process and keep it running from now on."""
        self._watched[spec.name] = Watched(spec, self.launch(spec), time.monotonic())
        self._report()

    def is_running(self, name: str) -> bool:
        return self._watched[name].child.process.poll() is None

    def output(self, name: str) -> list[str]:
        """Return the last lines of a watched process."""
        return list(self._watched[name].child.output)

    def tend(self) -> None:
        """Start again what has died and whose pause is over, end what outgrows; call it often."""
        now = time.monotonic()
        for watched in self._watched.values():
            if watched.restart_at is not None:
                if now >= watched.restart_at:
                    self._restart(watched, now)
            elif watched.child.process.poll() is not None:
                self._plan_restart(watched, now)
            elif watched.spec.name not in SERVERS:
                self._bound_memory(watched, now)

    def stop(self) -> None:
        """End all processes, the last started first, and leave nothing of them behind.

        All but Redis and the venues are asked together; those two serve the others to the end.
        """
        order = list(reversed(self._watched.values()))
        clients = [watched for watched in order if watched.spec.name not in SERVERS]
        servers = [watched for watched in order if watched.spec.name in SERVERS]
        for group in (clients, *([server] for server in servers)):
            for watched in group:
                watched.child.ask_to_stop()
            deadline = time.monotonic() + max((w.spec.stop_seconds for w in group), default=0)
            for watched in group:
                watched.child.end(max(0.0, deadline - time.monotonic()))
        self._watched.clear()

    def _bound_memory(self, watched: Watched, now: float) -> None:
        """Ask a process to end before the system kills one of its own choice, then insist."""
        if watched.kill_at is not None:
            if now >= watched.kill_at:
                watched.child.end(0)
        elif (held := watched.child.resident_bytes) > self._most_bytes:
            watched.child.ask_to_stop()
            watched.kill_at = now + watched.spec.stop_seconds
            self._say(
                f"{watched.spec.name} holds {held // MEGABYTE:,} MB of memory, more than "
                f"{self._most_bytes // MEGABYTE:,} MB; it ends and is started again"
            )

    def _plan_restart(self, watched: Watched, now: float) -> None:
        if now - watched.started_at > STEADY_AFTER:
            watched.pause = FIRST_PAUSE
        watched.restart_at = now + watched.pause
        name, status = watched.spec.name, watched.child.process.returncode
        self._say(
            f"{name} ended with status {status}; starting it again in {watched.pause:g} s "
            f"(see {self._log_dir / name}.log)"
        )
        watched.pause = min(watched.pause * 2, LONGEST_PAUSE)

    def _restart(self, watched: Watched, now: float) -> None:
        watched.child.end(0)
        watched.child = self.launch(watched.spec)
        watched.started_at, watched.restart_at, watched.kill_at = now, None, None
        self._report()

    def _report(self) -> None:
        self._on_change({name: watched.child.pid for name, watched in self._watched.items()})


SERVERS = ("simulator", "redis")
