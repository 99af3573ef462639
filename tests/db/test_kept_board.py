"""What is kept of the board is what reading all of it anew would tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from redis import Redis

from exchanges.board import Board
from exchanges.domain import MarketFact, Symbol
from exchanges.kept_board import KeptBoard
from tests.db.test_board_in_redis import BOOK, NOW, QUOTE, RATE, redis, server

__all__ = ["redis", "server"]

pytestmark = pytest.mark.db

VENUES = ("bybit", "binanceusdm")
LATER = NOW + timedelta(seconds=1)
OTHER = Symbol("ETH/USDT:USDT")


def steps() -> Iterator[MarketFact]:
    yield from (BOOK, RATE, QUOTE)
    yield replace(BOOK, bid=BOOK.bid - 1, observed_at=LATER)
    yield replace(RATE, symbol=OTHER)
    yield replace(QUOTE, mark_price=Decimal(7), observed_at=LATER)
    # A book that no market has takes the one before with it.
    yield replace(BOOK, bid=BOOK.ask + 1, observed_at=LATER + timedelta(seconds=1))
    yield replace(BOOK, observed_at=LATER + timedelta(seconds=2))
    # The clock was set back an hour.
    yield replace(BOOK, observed_at=NOW - timedelta(hours=1))


def test_each_look_tells_what_is_stored_now(redis: Redis) -> None:
    kept, writer = KeptBoard(redis), Board()

    for fact in steps():
        writer.apply(fact)
        writer.publish(redis)
        seen, anew = kept.read(VENUES), Board.load(redis, VENUES)
        assert (seen.rows, seen.heartbeats) == (anew.rows, anew.heartbeats)


def test_a_board_that_was_handed_out_stays_as_it_was(redis: Redis) -> None:
    kept, writer = KeptBoard(redis), Board()
    writer.apply(BOOK)
    writer.publish(redis)
    before = kept.read(VENUES)

    writer.apply(replace(BOOK, bid=BOOK.bid - 1, observed_at=LATER))
    writer.apply(RATE)
    writer.publish(redis)

    assert kept.read(VENUES).rows != before.rows
    assert before.rows[BOOK.venue, BOOK.symbol].book == BOOK
    assert before.rows[BOOK.venue, BOOK.symbol].funding is None


def test_only_what_changed_is_decoded_again(redis: Redis) -> None:
    kept, writer = KeptBoard(redis), Board()
    for fact in (BOOK, RATE, QUOTE):
        writer.apply(fact)
    writer.publish(redis)
    before = kept.read(VENUES)

    writer.apply(replace(QUOTE, mark_price=Decimal(7), observed_at=LATER))
    writer.publish(redis)
    after = kept.read(VENUES)

    assert after.rows[BOOK.venue, BOOK.symbol] is before.rows[BOOK.venue, BOOK.symbol]
    assert after.rows[QUOTE.venue, QUOTE.symbol].quote != QUOTE


def test_a_redis_that_was_emptied_leaves_nothing(redis: Redis) -> None:
    kept, writer = KeptBoard(redis), Board()
    writer.apply(BOOK)
    writer.publish(redis)
    kept.read(VENUES)
    redis.flushall()

    assert kept.read(VENUES).rows == {}
    assert kept.read(VENUES).heartbeats == {}
