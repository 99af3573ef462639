"""What is read by REST of a market because no socket tells it, or none has told it lately.

Rates are read in a list every so often, books one after the other where no list tells their tops;
both wait for the venue's quotas like any other read, and a read that fails is asked again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from datetime import timedelta
from time import monotonic
from typing import TypeVar

from exchanges.ccxt_adapter.client import VenueClient
from exchanges.ccxt_adapter.feeds.facts import Emit
from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.domain import MarketFact, Symbol
from exchanges.errors import VenueError
from exchanges.limits.lanes import Lane, asking
from exchanges.quotes import quotes_in, top_of
from exchanges.venues.profile import UNASKED, VenueProfile

T = TypeVar("T")
EmitAll = Callable[[Iterable[MarketFact]], None]

logger = logging.getLogger(__name__)

# How long one read may wait for its turn within the quotas, in seconds.
PATIENCE_SECONDS = 10.0
# A book that a socket told of within so many seconds is not read.
TOLD_WITHIN = 4.0
LOOK_SECONDS = 1.0
AGAIN_SECONDS = 2.0


class PolledMarket:
    """Rates and marks in a list, and books that are silent."""

    def __init__(self, client: VenueClient) -> None:
        self._client = client
        self._data = CcxtMarketData(client)

    async def run(
        self, symbols: Collection[Symbol], on_fact: Emit, told_at: Mapping[Symbol, float]
    ) -> None:
        """Read until cancelled; `told_at` holds by the monotonic clock when a socket told a top."""
        await self._client.ready()
        asked, profile = frozenset(symbols), self._client.profile

        def emit(facts: Iterable[MarketFact]) -> None:
            for fact in facts:
                if fact.symbol in asked:
                    on_fact(fact)

        async with asyncio.TaskGroup() as group:
            if profile.polled_every is not None:
                group.create_task(self._read_rates(profile.polled_every, emit))
            if reads_books(profile):
                group.create_task(self._read_books(sorted(asked), emit, told_at))

    async def _read_rates(self, every: timedelta, emit: EmitAll) -> None:
        while True:
            rates = await self._answer(self._data.funding_rates(), ())
            emit((*rates, *quotes_in(rates)))
            await asyncio.sleep(every.total_seconds())

    async def _read_books(
        self, symbols: Collection[Symbol], emit: EmitAll, told_at: Mapping[Symbol, float]
    ) -> None:
        """Read one silent book after the other, for ever."""
        pause = self._client.profile.book_every.total_seconds()
        while True:
            for symbol in symbols:
                if not is_silent(told_at.get(symbol)):
                    continue
                book = await self._answer(self._data.depth(symbol, levels=1), None)
                top = None if book is None else top_of(book)
                emit(() if top is None else (top,))
                await asyncio.sleep(AGAIN_SECONDS if book is None else pause)
            await asyncio.sleep(LOOK_SECONDS)

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


def reads_books(profile: VenueProfile) -> bool:
    """Tell whether silent books are read here: where a list tells their tops, that is read."""
    return any(part.book_tops == UNASKED for part in profile.parts)


def is_silent(told_at: float | None) -> bool:
    """Tell whether no socket has told a top lately; the moment is one of the monotonic clock."""
    return told_at is None or monotonic() - told_at > TOLD_WITHIN
