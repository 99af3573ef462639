"""Read the market by REST where streams have not brought it lately.

Each venue's answer is published as it comes and each is asked by one poll at a time: a venue that
hangs delays nobody, neither in the round that asks it nor in those that follow.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar
from uuid import UUID

from django.utils import timezone
from redis import Redis

from exchanges import loop, selectors
from exchanges.board import Board, Channel
from exchanges.domain import InstrumentKind, MarketFact, Symbol
from exchanges.errors import VenueError
from exchanges.feeds import pairable
from exchanges.models import Exchange, Instrument
from exchanges.ports import MarketData
from exchanges.quotes import quotes_in
from exchanges.services import POLL_SECONDS, each_good, market_data
from exchanges.unheard import Topic, Unheard

T = TypeVar("T")

# Streams bring each channel at least once a second; half of what a trade may be old is left.
CHANNEL_BEHIND = timedelta(seconds=1.5)
# One book or mark on a live channel: with a second between two polls, read within five.
INSTRUMENT_BEHIND = timedelta(seconds=3.5)
# What is known to be dead on its socket is read at every poll.
RENEWED_AFTER = timedelta(seconds=0.8)
# What no pair could have is streamed nowhere.
UNSTREAMED_BEHIND = timedelta(seconds=15)
# A rate is told by some sockets every half a minute or more rarely, and changes slowly.
RATE_BEHIND = timedelta(seconds=15)
ROUNDS_MISSED = 2
# A poll begins within a second and is answered in less: then nothing is older than five.
LONGEST_WAIT = timedelta(seconds=4)
# For the loop to say that the time of a read is over.
LATE_SECONDS = 1.0
# Longer than a poll may last; whoever died in one holds its venues no longer.
CLAIMED_MS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """What of a venue no socket told lately: all of some channels, single topics of the others.

    `missed` are those single ones that a socket was asked for.
    """

    topics: frozenset[Topic]
    missed: frozenset[Topic]

    @property
    def channels(self) -> set[Channel]:
        return {channel for _, channel in self.topics}


class Asked(NamedTuple):
    """What is read of one venue, and why."""

    unheard: Unheard
    silence: Silence
    channels: set[Channel]


def poll_market(now: datetime, *, force: bool = False) -> list[str]:
    """Read by REST what streams have not brought lately; return the bases that changed."""
    board, redis = selectors.market_board(), selectors.board_redis()
    instruments = list(selectors.active_instruments())
    streamed = {one.pk for one in pairable(instruments)}
    has_dated = _listing(instruments, InstrumentKind.FUTURE)
    bases = selectors.bases(instruments)
    asked: dict[str, Asked] = {}
    exchanges: list[Exchange] = []
    for exchange in selectors.enabled_exchanges():
        unheard = Unheard.load(redis, exchange.code)
        if unheard.forget_heard(board):
            unheard.save(redis)
        own = [one for one in instruments if one.exchange_id == exchange.pk]
        silence = silence_at(board, exchange, own, streamed, unheard, now)
        channels = _told_by(own) if force else silence.channels
        if channels and (force or _claim(redis, exchange)):
            asked[exchange.code] = Asked(unheard, silence, channels)
            exchanges.append(exchange)

    async def read(exchange: Exchange) -> list[MarketFact]:
        channels = asked[exchange.code].channels
        return await read_market(market_data(exchange), channels, exchange.pk in has_dated)

    changed: set[str] = set()
    for exchange, answer in _as_they_come(exchanges, read):
        if not force:
            redis.delete(_claimed(exchange))
        for facts in each_good([answer]):
            unheard, silence, _ = asked[exchange.code]
            # What a socket told while the answer was on its way is newer than the answer.
            held = Board.load(redis, [exchange.code])
            held.set_bases(bases)
            unheard.learn(held, facts, silence.topics, silence.missed, timezone.now())
            for fact in facts:
                held.apply(fact)
            changed.update(held.publish(redis))
            unheard.save(redis)
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


def silence_at(
    board: Board,
    exchange: Exchange,
    instruments: Iterable[Instrument],
    streamed: Collection[UUID],
    unheard: Unheard,
    now: datetime,
) -> Silence:
    """Return which facts of this venue's instruments its lists must tell, since no socket did."""
    topics: set[Topic] = set()
    missed: set[Topic] = set()
    silent = {channel for channel in Channel if _is_silent(board, exchange, channel, now)}
    for instrument in instruments:
        symbol, is_streamed = Symbol(instrument.symbol), instrument.pk in streamed
        row = board.row(exchange.code, symbol)
        for channel in _polled_channels(instrument):
            known = row.fact(channel) if row is not None else None
            topic = symbol, channel
            if unheard.is_untold(topic, now):
                continue
            if channel in silent:
                topics.add(topic)
                continue
            lasts = _lasts(exchange, channel) if is_streamed else UNSTREAMED_BEHIND
            if unheard.is_dead(topic, known):
                # What matters of a dear list is renewed by the reads of whole books.
                lasts = max(RENEWED_AFTER, _rests(exchange, channel))
            if known is None or abs(now - known.observed_at) > lasts:
                topics.add(topic)
                missed |= {topic} if is_streamed else set()
    return Silence(topics=frozenset(topics), missed=frozenset(missed))


def _is_silent(board: Board, exchange: Exchange, channel: Channel, now: datetime) -> bool:
    silence = board.age(exchange.code, channel, now)
    return silence is None or silence > _behind(exchange, channel)


def _lasts(exchange: Exchange, channel: Channel) -> timedelta:
    """Return how old what a socket tells may be on a live channel before a list is read."""
    if channel is Channel.FUNDING:
        return RATE_BEHIND
    return max(INSTRUMENT_BEHIND, _rests(exchange, channel), _behind(exchange, channel))


def _rests(exchange: Exchange, channel: Channel) -> timedelta:
    return selectors.book_rests(exchange.code) if channel is Channel.BOOK else timedelta(0)


def _behind(exchange: Exchange, channel: Channel) -> timedelta:
    """Return how long a channel may be silent: what is read in a list, two rounds at most."""
    rounds = min(ROUNDS_MISSED * selectors.polled_every(exchange.code), LONGEST_WAIT)
    return CHANNEL_BEHIND if channel is Channel.BOOK else max(CHANNEL_BEHIND, rounds)


def _polled_channels(instrument: Instrument) -> Iterator[Channel]:
    """Yield the channels that a list tells; what is read book by book no poll brings sooner."""
    kind = InstrumentKind(instrument.kind)
    has_tops = selectors.lists_tops(instrument.exchange.code, kind)
    return (one for one in _channels(kind) if has_tops or one is not Channel.BOOK)


def _told_by(instruments: Iterable[Instrument]) -> set[Channel]:
    """Return the channels of what a venue lists."""
    kinds = {InstrumentKind(one.kind) for one in instruments}
    return {channel for kind in kinds for channel in _channels(kind)}


def _listing(instruments: Iterable[Instrument], kind: InstrumentKind) -> set[UUID]:
    """Return the exchanges that list such instruments."""
    return {instrument.exchange_id for instrument in instruments if instrument.kind == kind}


async def read_market(
    data: MarketData, channels: Collection[Channel], has_dated: bool
) -> list[MarketFact]:
    """Return what these channels tell of one venue, with the fewest requests."""
    reads: list[Awaitable[Sequence[MarketFact]]] = []
    has_rates = Channel.FUNDING in channels
    if has_rates:
        reads.append(_rates(data))
    # Rates come with their marks, but do not name those of what ends.
    if Channel.QUOTE in channels and (has_dated or not has_rates):
        reads.append(data.quotes())
    if Channel.BOOK in channels:
        reads.append(data.book_tops())
    return [fact for facts in await asyncio.gather(*reads) for fact in facts]


async def _rates(data: MarketData) -> list[MarketFact]:
    rates = await data.funding_rates()
    return [*rates, *quotes_in(rates)]


def _channels(kind: InstrumentKind) -> tuple[Channel, ...]:
    match kind:
        case InstrumentKind.PERPETUAL:
            return tuple(Channel)
        case InstrumentKind.FUTURE:
            return (Channel.QUOTE, Channel.BOOK)
        case InstrumentKind.SPOT:
            return (Channel.BOOK,)
