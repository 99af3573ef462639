"""The whole market board as a screen reads it: from Redis, empty when Redis does not answer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

from redis import Redis, RedisError

from exchanges.board import Board, Channel, FeedHealth
from exchanges.kept_board import KeptBoard
from exchanges.selectors import board_redis


def load_board(venues: Iterable[str]) -> Board:
    """Return the board of these venues, for reading only.

    Without Redis it is an empty one, on which all is DOWN.
    """
    try:
        return _kept(board_redis()).read(venues)
    except RedisError:
        return Board()


@lru_cache(maxsize=1)
def _kept(redis: Redis) -> KeptBoard:
    return KeptBoard(redis)


def is_stale(board: Board, venue: str, channel: Channel, now: datetime) -> bool:
    """Tell whether a venue's feed is too old to decide on."""
    return board.health(venue, channel, now) in (FeedHealth.STALE, FeedHealth.DOWN)
