"""Rows on disk: one SQLite file of JSON documents, written in one transaction per operation.

A kill -9 loses nothing that was committed: the operating system holds the written pages. Only a
power cut could lose the last moments, which a rehearsal does not need to survive.
"""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import orjson

from exchanges.domain import OrderType, Side, TimeInForce, VenueOrderStatus
from exchanges.simulator.accounts import Origin

Row = TypeVar("Row")

SCHEMA = """
CREATE TABLE IF NOT EXISTS document (
    kind TEXT NOT NULL, key TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS access (
    number INTEGER PRIMARY KEY, client_order_id TEXT NOT NULL, body BLOB NOT NULL
);
"""

READERS: dict[str, Callable[[Any], Any]] = {
    "Decimal": Decimal,
    "Decimal | None": lambda value: None if value is None else Decimal(value),
    "datetime": datetime.fromisoformat,
    "Side": Side,
    "OrderType": OrderType,
    "TimeInForce": TimeInForce,
    "VenueOrderStatus": VenueOrderStatus,
    "Origin": Origin,
    "dict[str, Decimal]": lambda value: {key: Decimal(text) for key, text in value.items()},
    "dict[str, datetime]": lambda value: {
        key: datetime.fromisoformat(text) for key, text in value.items()
    },
    "dict[str, dict[str, Decimal]]": lambda value: {
        outer: {key: Decimal(text) for key, text in inner.items()} for outer, inner in value.items()
    },
}


def _unchanged(value: Any) -> Any:
    return value


def encoded(row: object) -> bytes:
    return orjson.dumps(row, default=str)


def decoded(row_type: type[Row], body: bytes) -> Row:
    """Return a row from its JSON; fields are read by their declared type."""
    values = orjson.loads(body)
    fields = dataclasses.fields(row_type)  # type: ignore[arg-type]
    return row_type(
        **{
            f.name: READERS.get(str(f.type), _unchanged)(values[f.name])
            for f in fields
            if f.name in values
        }
    )


class Storage:
    """Collects changed rows and writes them together at `commit`."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(directory / "ledger.sqlite3", isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(SCHEMA)
        self._changed: dict[tuple[str, str], object] = {}
        self._accesses: list[tuple[str, bytes]] = []

    def put(self, kind: str, key: str, row: object) -> None:
        """Keep `row` for the next commit; a later put of the same key replaces it."""
        self._changed[(kind, key)] = row

    def append_access(self, client_order_id: str, entry: dict[str, Any]) -> None:
        self._accesses.append((client_order_id, encoded(entry)))

    def commit(self) -> None:
        if not self._changed and not self._accesses:
            return
        rows = [(kind, key, encoded(row)) for (kind, key), row in self._changed.items()]
        self._connection.execute("BEGIN")
        self._connection.executemany("INSERT OR REPLACE INTO document VALUES (?, ?, ?)", rows)
        self._connection.executemany(
            "INSERT INTO access (client_order_id, body) VALUES (?, ?)", self._accesses
        )
        self._connection.execute("COMMIT")
        self._changed.clear()
        self._accesses.clear()

    def rows(self, kind: str, row_type: type[Row]) -> Iterator[Row]:
        query = "SELECT body FROM document WHERE kind = ?"
        for (body,) in self._connection.execute(query, (kind,)):
            yield decoded(row_type, body)

    def value(self, key: str) -> Any:
        """Return a plain value stored under kind `meta`, or None."""
        query = "SELECT body FROM document WHERE kind = 'meta' AND key = ?"
        found = self._connection.execute(query, (key,)).fetchone()
        return None if found is None else orjson.loads(found[0])

    def accesses(self, *, after: int, limit: int, of_order: str = "") -> list[dict[str, Any]]:
        """Return access entries numbered above `after`, oldest first, of one order where named."""
        self.commit()
        query = """SELECT number, body FROM access
            WHERE number > ? AND (? = '' OR client_order_id = ?) ORDER BY number LIMIT ?"""
        found = self._connection.execute(query, (after, of_order, of_order, limit))
        return [{"number": number, **orjson.loads(body)} for number, body in found]

    def last_access(self) -> int:
        """Return the number of the latest access entry, 0 before the first."""
        self.commit()
        [number] = self._connection.execute("SELECT max(number) FROM access").fetchone()
        return number or 0

    def close(self) -> None:
        self.commit()
        self._connection.close()
