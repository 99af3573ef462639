"""Which socket of a venue told of what, so that the one that a dead topic is of is opened anew."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import replace
from time import monotonic

from exchanges.ccxt_adapter.sockets import Feed, Socket
from exchanges.domain import BookTop, MarketFact, Quote, Symbol

logger = logging.getLogger(__name__)

# A venue may go on being silent about one topic: all others of its socket lose a second each time.
REOPENED_EVERY = 600.0


class Tellers:
    """The sockets of one run by the books and marks that they told first."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._speaking = ""
        self._sockets: dict[str, Socket] = {}
        self._books: dict[Symbol, str] = {}
        self._quotes: dict[Symbol, str] = {}
        self._reopened_at: dict[str, float] = {}

    def watched(self, feed: Feed) -> Feed:
        """Return the feed, whose messages are known to be its own while they are handled."""
        handle, name = feed.handle, feed.name

        def noted(message: object) -> bool:
            self._speaking = name
            return handle(message)

        return replace(feed, handle=noted)

    def add(self, name: str, socket: Socket) -> None:
        """Keep the socket of a feed."""
        self._sockets[name] = socket

    def hear(self, fact: MarketFact) -> None:
        """Keep who told of a book or a mark for the first time."""
        if isinstance(fact, BookTop):
            if fact.symbol not in self._books:
                self._books[fact.symbol] = self._speaking
        elif isinstance(fact, Quote) and fact.symbol not in self._quotes:
            self._quotes[fact.symbol] = self._speaking

    async def reopen(self, symbol: Symbol, kind: type[MarketFact]) -> bool:
        """Open anew the socket that told of this; False where none did, or it was done lately."""
        name = (self._books if kind is BookTop else self._quotes).get(symbol, "")
        socket, now = self._sockets.get(name), self._clock()
        if socket is None or now - self._reopened_at.get(name, -math.inf) < REOPENED_EVERY:
            return False
        self._reopened_at[name] = now
        logger.warning("topic silent", extra={"feed": name, "symbol": symbol})
        await socket.reopen()
        return True
