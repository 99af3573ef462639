"""A dead book at Hyperliquid, whose list is dear: what is read whole anyway tells its touch."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from exchanges.board import Board, Channel
from exchanges.domain import Depth, InstrumentKind, Level, Symbol
from exchanges.market_poll import silence_at
from exchanges.models import Exchange, Instrument
from exchanges.rested_books import RestedBooks
from exchanges.unheard import Topic, Unheard
from tests.market import NOW, PERP, make_book
from tests.simulation.memory import MemoryRedis

VENUE, OTHER = "hyperliquid", Symbol("ETH/USDC:USDC")
DEAD: Topic = (PERP, Channel.BOOK)
EVERY, ANSWER = 4.0, 0.3


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


class Line:
    """A board whose sockets tell of one book all the time, and of the other until it dies."""

    def __init__(self, venue: str = VENUE) -> None:
        self.redis: Any = MemoryRedis()
        self.venue = venue
        self.told(PERP, 0)

    def told(self, symbol: Symbol, seconds: float) -> None:
        board, book = Board(), make_book(self.venue)
        board.apply(replace(book, symbol=symbol, observed_at=at(seconds)))
        board.publish(self.redis)

    def read(self, seconds: float, bid: str = "49999") -> bool:
        """Let the whole book of the dead topic be read, while sockets tell of others."""
        self.told(OTHER, seconds)
        bids, asks = ([Level(price=Decimal(bid) + add, base_quantity=Decimal(1))] for add in (0, 2))
        depth = Depth(venue=self.venue, symbol=PERP, bids=bids, asks=asks, observed_at=at(seconds))
        return RestedBooks([], self.redis).take(depth)

    @property
    def book_at(self) -> datetime:
        row = Board.load(self.redis, [self.venue]).row(self.venue, PERP)
        assert row is not None
        assert row.book is not None
        return row.book.observed_at

    @property
    def dead(self) -> list[Topic]:
        return list(Unheard.load(self.redis, self.venue).topics)


@pytest.mark.parametrize("died", [0, 0.49, 0.51, 1, 2, 3.5, 3.99])
def test_a_book_that_matters_is_never_older_than_five_seconds_whenever_its_topic_dies(
    died: float,
) -> None:
    line = Line()
    line.told(PERP, died)
    oldest = timedelta(0)

    for number in range(1, 6):
        arrives = number * EVERY + ANSWER
        oldest = max(oldest, at(arrives) - line.book_at)
        line.read(arrives)

    assert oldest <= timedelta(seconds=5)


def test_a_topic_whose_market_moved_is_dead_until_it_is_heard_and_its_list_is_not_read() -> None:
    line = Line()
    line.read(4, bid="50001")
    assert line.dead == [DEAD]
    for second in (8, 12, 16):
        line.read(second)

    assert Unheard.load(line.redis, VENUE).dead_for(timedelta(seconds=12), at(17)) == [DEAD]
    exchange = Exchange(code=VENUE)
    row = Instrument(exchange=exchange, symbol=PERP, kind=InstrumentKind.PERPETUAL)
    board, unheard = Board.load(line.redis, [VENUE]), Unheard.load(line.redis, VENUE)
    found = silence_at(board, exchange, [row], {row.pk}, unheard, at(17))
    assert DEAD not in found.topics

    line.told(PERP, 18)
    board = Board.load(line.redis, [VENUE])
    assert unheard.forget_heard(board)


def test_what_a_socket_told_of_just_now_stays() -> None:
    line = Line()

    assert not line.read(0.4)
    assert (line.book_at, line.dead) == (NOW, [])


def test_of_a_venue_that_is_silent_as_a_whole_the_list_tells() -> None:
    """Else the channel would pass for live, and the list would not be read."""
    line = Line()
    bids = asks = [Level(price=Decimal(50_000), base_quantity=Decimal(1))]
    depth = Depth(venue=VENUE, symbol=PERP, bids=bids, asks=asks, observed_at=at(4))

    assert not RestedBooks([], line.redis).take(depth)
    assert line.book_at == NOW


def test_where_lists_are_cheap_the_poll_goes_on_alone() -> None:
    assert not Line("bybit").read(4, bid="50001")
