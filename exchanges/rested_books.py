"""The touch of a book that is read whole anyway, where the list of all touches is dear.

What is held and what may be opened is read every four seconds. A top that no socket told of for a
moment is taken from there, so that one dead topic among them is taken over within five seconds, at
no further request; `unheard` learns of it as from a list.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from redis import Redis

from exchanges import selectors
from exchanges.board import Board, Channel
from exchanges.domain import BookTop, Depth
from exchanges.market_poll import CHANNEL_BEHIND, INSTRUMENT_BEHIND
from exchanges.models import Instrument
from exchanges.quotes import top_of
from exchanges.unheard import Unheard

# With four seconds between two reads and a part of one for the answer: within five.
RESTED = timedelta(seconds=0.5)


class RestedBooks:
    """Takes tops out of one round of reads."""

    def __init__(self, instruments: Iterable[Instrument], redis: Redis) -> None:
        self._bases = selectors.bases(instruments)
        self._redis = redis
        self._silent: dict[str, bool] = {}

    def take(self, depth: Depth) -> bool:
        """Put a book's top on the board where its socket rests; tell whether it did.

        Of a channel that is silent as a whole the poll reads the list. Raise RedisError.
        """
        venue, top = depth.venue, top_of(depth)
        if top is None or not selectors.book_rests(venue) or self._is_silent(depth):
            return False
        board = Board.load_rows(self._redis, [(venue, depth.symbol)])
        row = board.row(venue, depth.symbol)
        known = None if row is None else row.book
        if known is None or abs(top.observed_at - known.observed_at) < RESTED:
            return False
        self._learn(board, known, top)
        board.set_bases(self._bases)
        taken = board.apply(top)
        board.publish(self._redis)
        return taken

    def _learn(self, board: Board, known: BookTop, top: BookTop) -> None:
        """Hold the topic for dead where it has rested for long and its market has moved."""
        unheard, topic = Unheard.load(self._redis, top.venue), (top.symbol, Channel.BOOK)
        has_rested = abs(top.observed_at - known.observed_at) > INSTRUMENT_BEHIND
        if not (has_rested or unheard.is_dead(topic, known)):
            return
        before = dict(unheard.topics)
        unheard.learn(board, [top], (), {topic}, top.observed_at)
        if unheard.topics != before:
            unheard.save(self._redis)

    def _is_silent(self, depth: Depth) -> bool:
        """Tell whether no socket of the venue told any book when the round's first one came."""
        if depth.venue not in self._silent:
            board = Board.load(self._redis, [depth.venue])
            beat = board.age(depth.venue, Channel.BOOK, depth.observed_at)
            self._silent[depth.venue] = beat is None or beat > CHANNEL_BEHIND
        return self._silent[depth.venue]
