"""The board for those who show it: read whole again and again, decoded only where it changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

import orjson
from redis import Redis

from exchanges.board import Board, Channel, Key, Row, decoded, hash_name, is_news


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One venue as it was stored and as it was decoded; never changed, so that readers share it."""

    stored: Mapping[bytes, bytes] = field(default_factory=dict)
    rows: Mapping[Key, Row] = field(default_factory=dict)
    heartbeats: Mapping[tuple[str, Channel], datetime] = field(default_factory=dict)


class KeptBoard:
    """What one process has read of the board of one Redis. Threads may share it."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._parts: dict[str, Part] = {}
        self._lock = Lock()

    def read(self, venues: Iterable[str]) -> Board:
        """Return these venues as they stand now, for reading only. Raise RedisError."""
        codes = list(venues)
        pipe = self._redis.pipeline(transaction=False)
        for code in codes:
            pipe.hgetall(hash_name(code))
        answers: list[dict[bytes, bytes]] = pipe.execute()
        board = Board()
        for code, stored in zip(codes, answers, strict=True):
            with self._lock:
                part = self._parts[code] = part_of(stored, self._parts.get(code, Part()))
            board.rows.update(part.rows)
            board.heartbeats.update(part.heartbeats)
        return board


def part_of(stored: Mapping[bytes, bytes], before: Part) -> Part:
    """Return a venue as stored, taking from `before` what is still the same."""
    if not before.stored.keys() <= stored.keys():
        # What was refused is gone; that is rare, and beats may go back with it.
        before = Part()
    known = before.stored
    values = [value for name, value in stored.items() if known.get(name) != value]
    if not values:
        return before
    news = Board()
    for value in values:
        news.apply(decoded(orjson.loads(value)))
    rows, beats = dict(before.rows), dict(before.heartbeats)
    for key, row in news.rows.items():
        rows[key] = _over(row, rows.get(key))
    for channel, at in news.heartbeats.items():
        beat = beats.get(channel)
        beats[channel] = at if beat is None or is_news(at, beat) else beat
    return Part(stored=stored, rows=rows, heartbeats=beats)


def _over(row: Row, before: Row | None) -> Row:
    """Return the news of an instrument, and of channels without news what was known."""
    if before is None:
        return row
    for channel in Channel:
        if row.fact(channel) is not None or channel in row.implausible:
            continue
        setattr(row, channel.value, before.fact(channel))
        if channel in before.implausible:
            row.implausible[channel] = before.implausible[channel]
    return row
