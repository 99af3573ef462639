"""An in-memory database that begins anew in a millisecond, tells of its commits and counts ids."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager
from random import Random
from typing import Any
from uuid import UUID, uuid4

from django.apps import apps
from django.core.management import call_command
from django.db import connections
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.db.models import UUIDField

from tests.simulation.crash import Boundaries, Crash

WRITES = ("INSERT", "UPDATE", "DELETE")


class SimulatedDatabase(DatabaseWrapper):
    """SQLite in memory whose every write passes a boundary before and after it lasts."""

    def __init__(self, settings: dict[str, Any], boundaries: Boundaries) -> None:
        super().__init__({**settings, "NAME": ":memory:"}, "default")
        self.ops.compiler_module = "tests.simulation.compiler"
        self._boundaries = boundaries
        self.execute_wrappers.append(self._pass_single_write)

    def _commit(self) -> None:
        try:
            self._boundaries.pass_by("commit")
        except Crash:
            self._rollback()  # type: ignore[attr-defined]  # the stubs leave it out
            raise
        super()._commit()  # type: ignore[misc]  # likewise
        self._boundaries.pass_by("committed")

    def _pass_single_write(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        if not self.in_atomic_block:
            self._boundaries.stand_still()
        answer = execute(sql, params, many, context)
        if sql.startswith(WRITES) and not self.in_atomic_block:
            self._boundaries.pass_by("written")
        return answer


class Database:
    """The schema and the first rows once per process, restored for each run."""

    def __init__(self, boundaries: Boundaries) -> None:
        self.connection = SimulatedDatabase(connections["default"].settings_dict, boundaries)
        self._template = sqlite3.connect(":memory:")

    @contextmanager
    def in_use(self) -> Generator[None]:
        """Make this the database of the process until the end of the block."""
        before = connections["default"]
        connections["default"] = self.connection
        try:
            yield
        finally:
            connections["default"] = before

    def migrate(self) -> None:
        call_command("migrate", verbosity=0)

    def keep(self) -> None:
        """Let every later run begin with the rows of this moment."""
        self.connection.connection.backup(self._template)

    def restore(self) -> None:
        self.connection.ensure_connection()
        if self.connection.in_atomic_block:
            raise RuntimeError("a transaction was left open")
        self._template.backup(self.connection.connection)

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Read past all services and models, as an outside observer does."""
        cursor = self.connection.connection.execute(query, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def text(self) -> str:
        """Return every row of every table as text."""
        return "\n".join(self.connection.connection.iterdump())

    def asks(self, query: str) -> bool:
        return bool(self.connection.connection.execute(query).fetchone()[0])


class Ids:
    """UUIDs from a seed, in place of random ones, so that a run can be repeated."""

    def __init__(self) -> None:
        self._draws = Random(0)  # noqa: S311 - they must repeat

    def restart(self, seed: int) -> None:
        self._draws.seed(seed)

    def __call__(self) -> UUID:
        return UUID(int=self._draws.getrandbits(128), version=4)

    @contextmanager
    def in_use(self) -> Generator[None]:
        """Give every model's UUID columns their values from here."""
        columns = [
            column
            for model in apps.get_models()
            for column in model._meta.fields
            if isinstance(column, UUIDField) and column.default is uuid4
        ]
        for column in columns:
            column.default = self
            column.__dict__.pop("_get_default", None)
        try:
            yield
        finally:
            for column in columns:
                column.default = uuid4
                column.__dict__.pop("_get_default", None)
