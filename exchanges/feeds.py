"""Market streams of many venues into one board: kept in memory, published, told about at once.

Runs on the venue loop. Facts are applied where they arrive; whoever must know of a change is called
once per turn of the loop with all bases that changed in it, and Redis gets the rest four times a
second.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple, TypeVar

from redis import Redis, RedisError

from exchanges import models, registry
from exchanges.board import Board, Channel
from exchanges.domain import (
    BookTop,
    FundingRate,
    Instrument,
    InstrumentKind,
    MarketFact,
    Quote,
    Symbol,
)
from exchanges.errors import VenueError
from exchanges.interval_table import IntervalTable
from exchanges.modes import Mode
from exchanges.unheard import Topic, Unheard

logger = logging.getLogger(__name__)

PUBLISH_EVERY = 0.25
RATES_EVERY = 60.0
ASK_AGAIN_AFTER = 5.0

REVIVE_EVERY = 5.0
# A market may move while a socket is late, or being opened.
DEAD_AFTER = timedelta(seconds=15)
# What polls find dead: rates are read by them anyway.
KINDS: Mapping[Channel, type[MarketFact]] = {Channel.BOOK: BookTop, Channel.QUOTE: Quote}

OfBase = TypeVar("OfBase", Instrument, models.Instrument)
OnChange = Callable[[set[str]], None]


class Streamed(NamedTuple):
    """What of an instrument a socket depends on."""

    symbol: Symbol
    venue_symbol: str
    kind: InstrumentKind
    contract_base: Decimal


@dataclass(frozen=True, slots=True)
class Listed:
    """What is streamed of one venue."""

    mode: Mode
    streamed: frozenset[Streamed]

    def symbols(self, *kinds: InstrumentKind) -> list[Symbol]:
        """Return the symbols of these kinds, in order."""
        return sorted(one.symbol for one in self.streamed if one.kind in kinds)


class MarketFeed:
    """The streams of some instruments, onto a board of its own."""

    def __init__(
        self,
        instruments: Sequence[Instrument],
        modes: Mapping[str, Mode],
        redis: Redis,
    ) -> None:
        self.board = Board()
        self._listed: dict[str, Listed] = {}
        self._redis = redis
        self._group: asyncio.TaskGroup | None = None
        self._tasks: dict[str, list[asyncio.Task[None]]] = {}
        self._on_change: OnChange | None = None
        self._intervals = IntervalTable()
        self._changed: set[str] = set()
        self.relist(instruments, modes)

    def relist(self, instruments: Sequence[Instrument], modes: Mapping[str, Mode]) -> None:
        """Take over what is listed now; only where that changes what is streamed, start anew.

        The board stays, and so do the sockets of all other venues: what a cap, a lot or a leverage
        is now does not concern them.
        """
        self.board.set_bases({(i.venue, i.symbol): i.base for i in instruments})
        before, self._listed = self._listed, _by_venue(instruments, modes)
        for venue in before.keys() | self._listed.keys():
            if before.get(venue) != self._listed.get(venue):
                self._restart(venue)

    def _restart(self, venue: str) -> None:
        """Stop a venue's sockets and open them for what it lists now, where this feed runs."""
        for task in self._tasks.pop(venue, ()):
            task.cancel()
        listed = self._listed.get(venue)
        if self._group is None or listed is None:
            return
        works = [self._stream_forever(venue, listed)]
        if listed.symbols(InstrumentKind.PERPETUAL):
            works.append(self._read_rates_forever(venue, listed))
        self._tasks[venue] = [self._group.create_task(work) for work in works]

    async def run(self, on_change: OnChange) -> None:
        """Stream until cancelled; call `on_change` on the loop with the bases that changed."""
        self._on_change = on_change
        async with asyncio.TaskGroup() as group:
            self._group = group
            group.create_task(self._publish_forever())
            group.create_task(self._revive_forever())
            for venue in self._listed:
                self._restart(venue)

    async def flush(self) -> None:
        """Publish what changed now, so that other processes see what we are about to act on."""
        changes = self.board.take_changes()
        try:
            await asyncio.to_thread(changes.write, self._redis)
        except RedisError as error:
            logger.warning("board not published", extra={"reason": str(error)})

    def _take(self, fact: MarketFact) -> None:
        if isinstance(fact, FundingRate):
            fact = self._intervals.complete(fact)
        if not self.board.apply(fact):
            return
        if not self._changed:
            asyncio.get_running_loop().call_soon(self._tell)
        self._changed.add(self.board.base_of((fact.venue, fact.symbol)))

    def _tell(self) -> None:
        changed, self._changed = self._changed, set()
        if self._on_change is not None:
            self._on_change(changed)

    async def _publish_forever(self) -> None:
        while True:
            await asyncio.sleep(PUBLISH_EVERY)
            await self.flush()

    async def _revive_forever(self) -> None:
        """Open anew the sockets on which a poll keeps finding a topic dead."""
        while True:
            await asyncio.sleep(REVIVE_EVERY)
            for venue, listed in list(self._listed.items()):
                for symbol, channel in await self._dead_at(venue):
                    if symbol in listed.symbols(*InstrumentKind):
                        stream = registry.market_stream(venue, listed.mode)
                        await stream.reopen(symbol, KINDS[channel])

    async def _dead_at(self, venue: str) -> list[Topic]:
        try:
            unheard = await asyncio.to_thread(Unheard.load, self._redis, venue)
        except RedisError as error:
            logger.warning("dead topics not read", extra={"reason": str(error)})
            return []
        return unheard.dead_for(DEAD_AFTER, datetime.now(UTC))

    async def _stream_forever(self, venue: str, listed: Listed) -> None:
        symbols = listed.symbols(*InstrumentKind)
        while True:
            try:
                await registry.market_stream(venue, listed.mode).run(symbols, self._take)
            except VenueError as error:
                logger.warning("market stream failed", extra={"reason": str(error)})
            await asyncio.sleep(ASK_AGAIN_AFTER)

    async def _read_rates_forever(self, venue: str, listed: Listed) -> None:
        data = registry.market_data(venue, listed.mode)
        wanted = set(listed.symbols(InstrumentKind.PERPETUAL))
        while True:
            pause = ASK_AGAIN_AFTER
            try:
                rates = [rate for rate in await data.funding_rates() if rate.symbol in wanted]
            except VenueError as error:
                logger.warning("funding rates not read", extra={"reason": str(error)})
            else:
                self._intervals.learn(rates)
                for rate in rates:
                    self._take(rate)
                # Just after a settlement its spacing is not listed yet.
                if all(rate.is_tradable for rate in rates):
                    pause = RATES_EVERY
            await asyncio.sleep(pause)


def _by_venue(instruments: Iterable[Instrument], modes: Mapping[str, Mode]) -> dict[str, Listed]:
    found: dict[str, set[Streamed]] = {}
    for one in instruments:
        streamed = Streamed(one.symbol, one.venue_symbol, one.kind, one.contract_base)
        found.setdefault(one.venue, set()).add(streamed)
    return {venue: Listed(modes[venue], frozenset(some)) for venue, some in found.items()}


def pairable(instruments: Iterable[OfBase]) -> list[OfBase]:
    """Return what can be hedged at all: instruments whose base is listed more than once."""
    by_base: dict[str, list[OfBase]] = {}
    for instrument in instruments:
        by_base.setdefault(instrument.base, []).append(instrument)
    return [instrument for some in by_base.values() if len(some) > 1 for instrument in some]
