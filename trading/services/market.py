"""What the board says right now; without Redis nothing is known, and nobody is stopped by it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from redis import Redis
from redis.exceptions import RedisError

from exchanges.board import Board, Key, Row
from exchanges.depths import load_depths
from exchanges.domain import BookTop, Depth, InstrumentKind, Symbol
from exchanges.models import Instrument
from exchanges.selectors import board_redis, instrument_key
from trading.core.elapsed import elapsed

logger = logging.getLogger(__name__)

# A Redis that hangs costs its time limit at each question: it is left alone for this long.
LEFT_ALONE_SECONDS = 2.0
Answer = TypeVar("Answer")
_left_alone: tuple[Redis, float] | None = None


def board_of(instruments: Iterable[Instrument]) -> Board:
    """Return the latest facts of these instruments; an empty board when Redis is away."""
    keys = [instrument_key(one) for one in instruments]
    return _asked(lambda redis: Board.load_rows(redis, keys)) or Board()


def depths_of(instruments: Iterable[Instrument]) -> dict[Key, Depth]:
    """Return the order books that were shared lately, however old; none when Redis is away."""
    keys = [instrument_key(one) for one in instruments]
    return _asked(lambda redis: load_depths(keys, redis)) or {}


def _asked(question: Callable[[Redis], Answer]) -> Answer | None:
    """Return what Redis answers; None while it is away."""
    global _left_alone
    redis = board_redis()
    if _left_alone is not None and _left_alone[0] is redis and time.monotonic() < _left_alone[1]:
        return None
    try:
        return question(redis)
    except RedisError as error:
        _left_alone = (redis, time.monotonic() + LEFT_ALONE_SECONDS)
        logger.warning("market facts unreadable", extra={"why": str(error)})
        return None


def row_of(board: Board, instrument: Instrument) -> Row | None:
    return board.row(instrument.exchange.code, Symbol(instrument.symbol))


def fresh_book(
    board: Board, instrument: Instrument, *, now: datetime, max_age: timedelta
) -> BookTop | None:
    """Return the book top if it is younger than `max_age`; a stale price is no price."""
    row = row_of(board, instrument)
    if row is None or row.book is None or elapsed(row.book.observed_at, now) > max_age:
        return None
    return row.book


def worth(board: Board, instrument: Instrument, *, since: datetime | None = None) -> Decimal | None:
    """Return what one base unit is worth: a contract's mark, a coin's mid.

    None where nothing is known, or nothing that was observed `since` then.
    """
    row = row_of(board, instrument)
    if row is None:
        return None
    fact = row.book if instrument.kind == InstrumentKind.SPOT else row.quote
    if fact is None or (since is not None and fact.observed_at < since):
        return None
    return fact.mid if isinstance(fact, BookTop) else fact.mark_price
