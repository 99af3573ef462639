"""The processes of a running Carry as their operator sees them: killed, stopped, gone on with."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import cast
from urllib.parse import urlsplit
from uuid import UUID

from celery import Celery
from redis import Redis

from arbsite.celery import POLL
from tests.machine import wait_until
from tests.scenarios.desk import PATIENCE, Desk

WORKERS = ("close", "entry", "work")
OTHER_PASSWORD = "not the one that Carry knows"
# All of Carry and its Redis; the venues are not ours.
EVERYTHING = (*WORKERS, "web", "streams", "beat", "redis")


class Processes:
    """The processes of one desk, by name."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._carry = desk.carry

    def pids(self) -> dict[str, int]:
        found: dict[str, int] = self._carry.facts["processes"]
        return found

    def send(self, number: signal.Signals, *names: str) -> None:
        """Send a signal to each, as quickly one after the other as it goes."""
        pids = self.pids()
        for name in names:
            os.kill(pids[name], number)

    @contextmanager
    def killed(self, *names: str) -> Iterator[None]:
        """Kill as a power cut would; at the end of the block wait until each is started again."""
        before = self.pids()
        self.send(signal.SIGKILL, *names)
        yield
        wait_until(
            lambda: all(self.pids()[name] != before[name] for name in names),
            timeout=PATIENCE,
            what=f"{', '.join(names)} are started again",
        )

    @contextmanager
    def gone(self, *names: str) -> Iterator[None]:
        """Kill, and let nobody start them again for the length of the block."""
        os.kill(self._carry.process.pid, signal.SIGSTOP)
        try:
            with self.killed(*names):
                try:
                    yield
                finally:
                    os.kill(self._carry.process.pid, signal.SIGCONT)
        finally:
            os.kill(self._carry.process.pid, signal.SIGCONT)

    @contextmanager
    def stopped(self, *names: str) -> Iterator[None]:
        """Let processes stand still for the length of the block."""
        before = [self.pids()[name] for name in names]
        for pid in before:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in before:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def driver_of(self, position_id: UUID) -> str:
        """Return the name of the process that holds a position's lease."""
        # The owner of a lease is written as machine, pid, process and thread.
        pid = int(self._desk.books.position(position_id).lease_owner.split(".")[1])
        return next(name for name, running in self.pids().items() if running == pid)

    def log(self, name: str) -> str:
        return (self._carry.var / "log" / f"{name}.log").read_text()

    @contextmanager
    def redis(self) -> Iterator[Redis]:
        with Redis.from_url(self._carry.facts["redis_url"]) as client:
            yield client

    @contextmanager
    def redis_refusing(self) -> Iterator[None]:
        """Change the password of Redis and end its connections: nobody of Carry gets in."""
        with self.redis() as client:
            password = urlsplit(self._carry.facts["redis_url"]).password or ""
            client.config_set("requirepass", OTHER_PASSWORD)
            for kind in ("normal", "pubsub"):
                client.client_kill_filter(_type=kind, skipme=True)
            try:
                yield
            finally:
                client.config_set("requirepass", password)

    def flood(self, count: int) -> int:
        """Queue so many polls of markets at once; return how many wait then."""
        app = Celery(broker=self._carry.facts["redis_url"])
        with app.connection_for_write() as connection, app.amqp.Producer(connection) as producer:
            for _ in range(count):
                app.send_task(
                    "exchanges.tasks.poll_market", args=[True], queue=POLL, producer=producer
                )
        app.close()
        return self.backlog()

    def backlog(self) -> int:
        """Return how many polls wait for a worker."""
        with self.redis() as client:
            return cast(int, client.llen(POLL))

    def ring(self, task: str, queue: str, position_id: UUID, *, times: int) -> None:
        """Deliver one and the same message several times, as a broker may."""
        app = Celery(broker=self._carry.facts["redis_url"])
        for _ in range(times):
            app.send_task(
                f"trading.tasks.{task}",
                args=[str(position_id)],
                queue=queue,
                task_id=f"again-{position_id}",
            )
        app.close()
