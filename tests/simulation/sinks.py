"""Everything that Carry writes where others may read it: logs, tasks, cache and rows."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator

from tests.simulation.database import Database
from tests.simulation.doorbells import Doorbells
from tests.simulation.memory import MemoryRedis

PLAIN = frozenset(logging.makeLogRecord({}).__dict__)


class Lines(logging.Handler):
    """Keeps what was logged, before anything is blanked: message, extras and stack."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.kept: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        extras = [value for name, value in record.__dict__.items() if name not in PLAIN]
        stack = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
        self.kept.add(f"{record.getMessage()} {extras} {stack}")


class Sinks:
    """What one run has written so far, sink by sink, as text."""

    def __init__(self, database: Database, redis: MemoryRedis, doorbells: Doorbells) -> None:
        self.lines = Lines()
        self._database = database
        self._redis = redis
        self._doorbells = doorbells

    def forget(self) -> None:
        self.lines.kept.clear()
        self._doorbells.rung.clear()

    def texts(self) -> Iterator[tuple[str, str]]:
        """Yield each sink's name with all of its text."""
        yield "a log", "\n".join(self.lines.kept)
        yield "a task", "\n".join(self._doorbells.rung)
        yield "the cache", self._redis.text()
        # A page shows nothing but rows.
        yield "the database", self._database.text()
