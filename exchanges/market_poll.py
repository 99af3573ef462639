"""Read the market by REST where streams have not brought it lately.

Each venue's answer is published as it comes and each is asked by one poll at a time: a venue that
hangs delays nobody, neither in the round that asks it nor in those that follow.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from redis import Redis

from exchanges import loop, selectors
from exchanges.board import Board, Channel
from exchanges.domain import InstrumentKind, MarketFact
from exchanges.errors import VenueError
from exchanges.models import Exchange, Instrument
from exchanges.ports import MarketData
from exchanges.quotes import quotes_in
from exchanges.services import POLL_SECONDS, each_good, market_data

T = TypeVar("T")

# Streams bring each channel at least once a second; half of what a trade may be old is left.
CHANNEL_BEHIND = timedelta(seconds=1.5)
INSTRUMENT_BEHIND = timedelta(seconds=15)
ROUNDS_MISSED = 2
# For the loop to say that the time of a read is over.
LATE_SECONDS = 1.0
# Longer than a poll may last; whoever died in one holds its venues no longer.
CLAIMED_MS = 10_000


def poll_market(now: datetime, *, force: bool = False) -> list[str]:
    """Read by REST what streams have not brought lately; return the bases that changed."""
    board, redis = selectors.market_board(), selectors.board_redis()
    instruments = list(selectors.active_instruments())
    behind = [
        exchange
        for exchange in selectors.enabled_exchanges()
        if force or (is_behind(board, exchange, instruments, now) and _claim(redis, exchange))
    ]
    has_funding = _listing(instruments, InstrumentKind.PERPETUAL)
    has_dated = _listing(instruments, InstrumentKind.FUTURE)

    async def read(exchange: Exchange) -> Sequence[MarketFact]:
        data = market_data(exchange)
        if exchange.pk not in has_funding:
            return await data.book_tops()
        return await read_market(data, has_dated=exchange.pk in has_dated)

    changed: set[str] = set()
    for exchange, answer in _as_they_come(behind, read):
        if not force:
            redis.delete(_claimed(exchange))
        for facts in each_good([answer]):
            for fact in facts:
                board.apply(fact)
            changed.update(board.publish(redis))
    return sorted(changed)


def _as_they_come(
    exchanges: Sequence[Exchange], read: Callable[[Exchange], Awaitable[T]]
) -> Iterator[tuple[Exchange, T | BaseException]]:
    """Ask all of them at once and yield what each answered, or how it failed, the soonest first."""

    async def asked(exchange: Exchange) -> tuple[Exchange, T | BaseException]:
        try:
            async with asyncio.timeout(POLL_SECONDS):
                return exchange, await read(exchange)
        except (VenueError, TimeoutError) as failure:
            return exchange, failure

    answers = loop.as_they_come(map(asked, exchanges), POLL_SECONDS + LATE_SECONDS)
    return each_good(answers)


def _claim(redis: Redis, exchange: Exchange) -> bool:
    """Tell whether this venue is ours to ask: another poll may still wait for its answer."""
    return bool(redis.set(_claimed(exchange), 1, nx=True, px=CLAIMED_MS))


def _claimed(exchange: Exchange) -> str:
    return f"carry:polling:{exchange.code}"


def is_behind(
    board: Board, exchange: Exchange, instruments: Iterable[Instrument], now: datetime
) -> bool:
    """Tell whether a channel of this venue is silent, or one instrument on a live channel."""
    for instrument in instruments:
        if instrument.exchange_id != exchange.pk:
            continue
        row = board.row(*selectors.instrument_key(instrument))
        for channel in _polled_channels(instrument):
            age = row.age(channel, now) if row is not None else None
            if age is None or age > INSTRUMENT_BEHIND:
                return True
            silence = board.age(exchange.code, channel, now)
            if silence is None or silence > _behind(exchange, channel):
                return True
    return False


def _behind(exchange: Exchange, channel: Channel) -> timedelta:
    """Return how long a channel may be silent: what is read in a list, two rounds of it."""
    rounds = ROUNDS_MISSED * selectors.polled_every(exchange.code)
    return CHANNEL_BEHIND if channel is Channel.BOOK else max(CHANNEL_BEHIND, rounds)


def _polled_channels(instrument: Instrument) -> Iterable[Channel]:
    """Yield the channels that a list tells; what is read book by book no poll brings sooner."""
    kind = InstrumentKind(instrument.kind)
    has_tops = selectors.lists_tops(instrument.exchange.code, kind)
    return (one for one in _channels(instrument) if has_tops or one is not Channel.BOOK)


def _listing(instruments: Iterable[Instrument], kind: InstrumentKind) -> set[UUID]:
    """Return the exchanges that list such instruments."""
    return {instrument.exchange_id for instrument in instruments if instrument.kind == kind}


async def read_market(data: MarketData, *, has_dated: bool = False) -> list[MarketFact]:
    """Return funding, mark prices and book tops of one venue, with the fewest requests."""
    if has_dated:
        return [fact for facts in await asyncio.gather(*_all_reads(data)) for fact in facts]
    rates, books = await asyncio.gather(data.funding_rates(), data.book_tops())
    return [*rates, *quotes_in(rates), *books]


def _all_reads(data: MarketData) -> list[Awaitable[Sequence[MarketFact]]]:
    """Return the reads of a venue whose rates do not name every mark price."""
    return [data.funding_rates(), data.quotes(), data.book_tops()]


def _channels(instrument: Instrument) -> tuple[Channel, ...]:
    match InstrumentKind(instrument.kind):
        case InstrumentKind.PERPETUAL:
            return tuple(Channel)
        case InstrumentKind.FUTURE:
            return (Channel.QUOTE, Channel.BOOK)
        case InstrumentKind.SPOT:
            return (Channel.BOOK,)
