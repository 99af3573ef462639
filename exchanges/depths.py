"""Order books of the few instruments that matter now, read by REST and shared through Redis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import cast

import orjson
from redis import Redis

from exchanges import loop
from exchanges.board import Key
from exchanges.domain import Depth, Level, Symbol
from exchanges.errors import VenueError
from exchanges.models import Instrument
from exchanges.modes import Mode
from exchanges.registry import market_data
from exchanges.rested_books import RestedBooks

HASH = "carry:depth"
LEVELS = 50
READ_SECONDS = 5.0


def read_depths(instruments: Sequence[Instrument], redis: Redis) -> dict[Key, Depth]:
    """Read the books by REST, share each as it comes and return those that could be read."""
    found: dict[Key, Depth] = {}
    rested = RestedBooks(instruments, redis)
    for answer in loop.as_they_come(map(_read, instruments), READ_SECONDS):
        if isinstance(answer, Depth):
            key = answer.venue, answer.symbol
            found[key] = answer
            redis.hset(HASH, mapping={_field(key): _encoded(answer)})
            rested.take(answer)
        elif not isinstance(answer, VenueError | TimeoutError):
            raise answer
    return found


def load_depths(keys: Iterable[Key], redis: Redis) -> dict[Key, Depth]:
    """Return the shared books of these instruments, however old; `observed_at` tells."""
    wanted = list(keys)
    if not wanted:
        return {}
    stored = cast("list[bytes | None]", redis.hmget(HASH, [_field(key) for key in wanted]))
    return {
        key: _decoded(key, value)
        for key, value in zip(wanted, stored, strict=True)
        if value is not None
    }


async def _read(instrument: Instrument) -> Depth:
    exchange = instrument.exchange
    data = market_data(exchange.code, Mode(exchange.mode))
    return await data.depth(Symbol(instrument.symbol), levels=LEVELS)


def _field(key: Key) -> str:
    return f"{key[0]} {key[1]}"


def _encoded(depth: Depth) -> bytes:
    return orjson.dumps(
        {
            "at": depth.observed_at,
            "bids": [[str(level.price), str(level.base_quantity)] for level in depth.bids],
            "asks": [[str(level.price), str(level.base_quantity)] for level in depth.asks],
        }
    )


def _decoded(key: Key, value: bytes) -> Depth:
    stored = orjson.loads(value)
    return Depth(
        venue=key[0],
        symbol=key[1],
        bids=_levels(stored["bids"]),
        asks=_levels(stored["asks"]),
        observed_at=datetime.fromisoformat(stored["at"]),
    )


def _levels(rows: Iterable[Sequence[str]]) -> list[Level]:
    return [
        Level(price=Decimal(price), base_quantity=Decimal(quantity)) for price, quantity in rows
    ]
