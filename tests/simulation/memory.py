"""Memory where a running Carry has a disk and a Redis: nothing to sync, nothing to clean up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from exchanges.simulator.storage import Storage

Row = TypeVar("Row")


class MemoryStorage(Storage):
    """A venue's disk without one: the ledger itself holds every row already."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self.log: list[dict[str, Any]] = []

    def put(self, kind: str, key: str, row: object) -> None:
        if kind == "meta":
            self._values[key] = row

    def append_access(self, client_order_id: str, entry: dict[str, Any]) -> None:
        self.log.append(entry)

    def commit(self) -> None:
        """Nothing waits to be written."""

    def rows(self, kind: str, row_type: type[Row]) -> Iterator[Row]:
        return iter(())

    def value(self, key: str) -> Any:
        return self._values.get(key)

    def accesses(self, *, after: int, limit: int, of_order: str = "") -> list[dict[str, Any]]:
        numbered = [{"number": number, **entry} for number, entry in enumerate(self.log, 1)]
        wanted = [row for row in numbered if of_order in ("", row["client_order_id"])]
        return [row for row in wanted if row["number"] > after][:limit]

    def last_access(self) -> int:
        return len(self.log)

    def close(self) -> None:
        """Nothing is open."""


class MemoryRedis:
    """The few commands that the board uses, on dictionaries."""

    def __init__(self) -> None:
        self._hashes: dict[str, dict[str, bytes]] = {}

    def flush(self) -> None:
        self._hashes.clear()

    def text(self) -> str:
        return repr(self._hashes)

    def pipeline(self, *, transaction: bool) -> Pipeline:
        return Pipeline(self)

    def hset(self, name: str, mapping: Mapping[str, bytes]) -> int:
        self._hashes.setdefault(name, {}).update(mapping)
        return len(mapping)

    def delete(self, name: str) -> int:
        return int(self._hashes.pop(name, None) is not None)

    def hdel(self, name: str, *keys: str) -> int:
        stored = self._hashes.get(name, {})
        return sum(stored.pop(key, None) is not None for key in keys)

    def hgetall(self, name: str) -> dict[str, bytes]:
        return dict(self._hashes.get(name, {}))

    def hmget(self, name: str, keys: Sequence[str]) -> list[bytes | None]:
        stored = self._hashes.get(name, {})
        return [stored.get(key) for key in keys]

    def publish(self, channel: str, message: bytes) -> int:
        return 0


class Pipeline:
    """Commands that are answered together."""

    def __init__(self, redis: MemoryRedis) -> None:
        self._redis = redis
        self._commands: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        def command(*arguments: Any, **options: Any) -> Pipeline:
            self._commands.append((name, arguments, options))
            return self

        return command

    def execute(self) -> list[Any]:
        commands, self._commands = self._commands, []
        return [getattr(self._redis, name)(*args, **opts) for name, args, opts in commands]
