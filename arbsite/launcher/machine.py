"""The course of one run: prepare, start, announce, watch, stop."""

from __future__ import annotations

import http.client
import json
import os
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path

import orjson
from django.conf import settings

from arbsite.launcher import processes, redis_server, state
from arbsite.launcher.child import ProcessSpec, Say
from arbsite.launcher.errors import StartRefused
from arbsite.launcher.lock import lock
from arbsite.launcher.ports import LOOPBACK, is_listening
from arbsite.launcher.supervisor import MEGABYTE, Supervisor

START_SECONDS = 120.0
TICK = 0.1


def last_line(output: Sequence[str]) -> str:
    """Return the last line of a log that says something: that of an exception, as a rule."""
    return next((line for line in reversed(output) if line.strip()), "it said nothing")


class Machine:
    """Everything on one machine, from the first start to the last stop."""

    def __init__(self, *, port: int, without: Collection[str], say: Say) -> None:
        self._var = Path(settings.VAR_DIR)
        self._without = frozenset(without)
        self._say = say
        self._ports = processes.choose_ports(port)
        self._redis_url = os.environ.get("REDIS_URL", "")
        self._embedded = self._find_redis()
        self._supervisor = Supervisor(
            environment=self._environment(),
            log_dir=self._var / "log",
            say=say,
            on_change=self._write_run_file,
            most_bytes=settings.CARRY_PROCESS_MEMORY_MB * MEGABYTE,
        )

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self._ports.web}"

    def run(self) -> None:
        """Run until interrupted. Raise StartRefused, with all stopped again, if it cannot start."""
        with lock(self._var):
            state.check_key(settings.CARRY_KEY_FILE)
            try:
                self._start()
                while True:
                    self._supervisor.tend()
                    time.sleep(TICK)
            finally:
                self._supervisor.stop()
                self._run_file.unlink(missing_ok=True)

    def _start(self) -> None:
        (self._var / "log").mkdir(exist_ok=True)
        if self._embedded:
            self._supervisor.start(self._embedded)
        self._start_part(processes.simulator(self._ports))
        state.prepare_database()
        state.refuse_unsafe()
        state.collect_static()
        self._start_part(processes.web(self._ports))
        # What trades and streams warms its venue clients, so the accounts must exist before.
        login = self._seed()
        for spec in (processes.streams(), *processes.workers(), processes.beat()):
            self._start_part(spec)
        if Path(settings.CARRY_TELEGRAM_TOKEN_FILE).exists():
            self._start_part(processes.bot())
        self._wait_until_healthy()
        self._say(f"Carry is running at {self.url}")
        for line in login:
            self._say(line)
        self._say(f"Stop it with Ctrl-C. Logs are in {self._var / 'log'}.")

    def _start_part(self, spec: ProcessSpec) -> None:
        if spec.name not in self._without:
            self._supervisor.start(spec)

    def _seed(self) -> list[str]:
        """Create what a first run needs and return what it says to the person."""
        if "seed" in self._without:
            return []
        if "simulator" not in self._without:
            self._wait_for(lambda: is_listening(self._ports.simulator), "simulator")
        child = self._supervisor.launch(processes.seed())
        self._wait_for(lambda: child.process.poll() is not None, "seed")
        child.end(0)
        if child.process.returncode:
            raise StartRefused(f"The demo could not be set up: {last_line(child.output)}")
        return child.spoken()

    def _wait_until_healthy(self) -> None:
        if "web" not in self._without:
            self._wait_for(self._is_healthy, "web")

    def _wait_for(self, is_there: Callable[[], bool], name: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not is_there():
            if time.monotonic() > deadline:
                log = self._var / "log" / f"{name}.log"
                raise StartRefused(f"{name} did not start in {START_SECONDS:g} s; {log} says why.")
            self._supervisor.tend()
            time.sleep(TICK)

    def _is_healthy(self) -> bool:
        connection = http.client.HTTPConnection(LOOPBACK, self._ports.web, timeout=2)
        try:
            connection.request("GET", "/api/health")
            answer = connection.getresponse()
            return answer.status == 200 and json.loads(answer.read())["redis"] == "ok"
        except (OSError, http.client.HTTPException, ValueError):
            return False
        finally:
            connection.close()

    def _find_redis(self) -> ProcessSpec | None:
        """Return the Redis to start, None if one is given; set the address either way."""
        if not self._redis_url:
            embedded = redis_server.embedded_redis(self._ports.redis)
            self._redis_url = embedded.url
            return embedded.spec
        if not redis_server.answers(self._redis_url):
            raise StartRefused(
                "No Redis answers at REDIS_URL: start it, correct the address, or unset REDIS_URL "
                "to use an embedded one."
            )
        return None

    def _environment(self) -> dict[str, str]:
        own = {
            "CARRY_VAR": str(self._var),
            "REDIS_URL": self._redis_url,
            "LOG_JSON": "true",
            "PYTHONPATH": str(settings.BASE_DIR),
            "PYTHONUNBUFFERED": "1",
            # The launcher has run the system checks for all of them.
            "CELERY_SKIP_CHECKS": "true",
        }
        if "simulator" not in self._without:
            own["CARRY_SIMULATOR_URL"] = f"http://{LOOPBACK}:{self._ports.simulator}"
            own["CARRY_SIMULATOR_CONTROL_URL"] = f"http://{LOOPBACK}:{self._ports.control}"
        return {**os.environ, **own}

    @property
    def _run_file(self) -> Path:
        return self._var / "run.json"

    def _write_run_file(self, pids: dict[str, int]) -> None:
        """Say where everything is, for tests and for people who look; it holds a password."""
        facts = {
            "pid": os.getpid(),
            "url": self.url,
            "redis_url": self._redis_url,
            "simulator_url": self._supervisor.environment.get("CARRY_SIMULATOR_URL", ""),
            "control_url": self._supervisor.environment.get("CARRY_SIMULATOR_CONTROL_URL", ""),
            "processes": pids,
        }
        draft = self._run_file.with_suffix(".new")
        with suppress(FileNotFoundError):
            draft.unlink()
        draft.touch(mode=0o600)
        draft.write_bytes(orjson.dumps(facts, option=orjson.OPT_INDENT_2))
        draft.replace(self._run_file)
