"""What is read by REST of a market because no socket tells it here.

Lists are read every so often, books one after the other where no list tells their tops; both wait
for the venue's quotas like any other read, and a read that fails is asked again in the next round.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from itertools import cycle
from typing import TypeVar

from exchanges.ccxt_adapter.client import VenueClient
from exchanges.ccxt_adapter.feeds.facts import Emit
from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.domain import BookTop, Depth, MarketFact, Symbol
from exchanges.errors import VenueError
from exchanges.limits.lanes import Lane, asking
from exchanges.quotes import quotes_in
from exchanges.venues.profile import UNASKED, VenueProfile

T = TypeVar("T")

logger = logging.getLogger(__name__)

Read = Callable[[], Awaitable[Sequence[MarketFact]]]

# How long one read may wait for its turn within the quotas, in seconds.
PATIENCE_SECONDS = 10.0


class PolledMarket:
    """Rates and marks in lists, and of `books_of` the books."""

    def __init__(self, client: VenueClient, *, books_of: Collection[VenueProfile]) -> None:
        self._client = client
        self._books_of = books_of
        self._data = CcxtMarketData(client)
        every = client.profile.polled_every
        if every is None:
            raise ValueError(f"{client.profile.name} is not polled")
        self._seconds = every.total_seconds()
        self._book_seconds = client.profile.book_every.total_seconds()

    async def run(self, symbols: Collection[Symbol], on_fact: Emit) -> None:
        await self._client.ready()
        asked = frozenset(symbols)

        def emit(facts: Iterable[MarketFact]) -> None:
            for fact in facts:
                if fact.symbol in asked:
                    on_fact(fact)

        async with asyncio.TaskGroup() as group:
            for read in self._lists():
                group.create_task(self._repeat(read, emit))
            if any(part.book_tops == UNASKED for part in self._books_of):
                group.create_task(self._read_books(sorted(asked), emit))

    def _lists(self) -> list[Read]:
        parts = self._client.profile.parts
        found: list[Read] = []
        if any(not part.is_spot for part in parts):
            found.append(self._rates_and_quotes)
        if any(part.book_tops != UNASKED for part in self._books_of):
            found.append(self._data.book_tops)
        return found

    async def _rates_and_quotes(self) -> Sequence[MarketFact]:
        rates = await self._data.funding_rates()
        return [*rates, *quotes_in(rates)]

    async def _repeat(self, read: Read, emit: Callable[[Iterable[MarketFact]], None]) -> None:
        while True:
            emit(await self._answer(read(), ()))
            await asyncio.sleep(self._seconds)

    async def _read_books(
        self, symbols: Sequence[Symbol], emit: Callable[[Iterable[MarketFact]], None]
    ) -> None:
        """Read one book after the other, for ever."""
        for symbol in cycle(symbols):
            book = await self._answer(self._data.depth(symbol, levels=1), None)
            top = None if book is None else top_of(book)
            emit(() if top is None else (top,))
            await asyncio.sleep(self._seconds if book is None else self._book_seconds)

    async def _answer(self, read: Awaitable[T], otherwise: T) -> T:
        try:
            with asking(Lane.POLL, within=PATIENCE_SECONDS):
                return await read
        except VenueError as error:
            logger.warning(
                "market not read",
                extra={"venue": self._client.profile.name, "reason": str(error)},
            )
            return otherwise


def top_of(book: Depth) -> BookTop | None:
    """Return the touch of a book, None where a side of it is empty."""
    if not book.bids or not book.asks:
        return None
    bid, ask = book.bids[0], book.asks[0]
    return BookTop(
        venue=book.venue,
        symbol=book.symbol,
        bid=bid.price,
        bid_quantity=bid.base_quantity,
        ask=ask.price,
        ask_quantity=ask.base_quantity,
        observed_at=book.observed_at,
    )
