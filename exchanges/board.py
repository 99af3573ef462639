"""The market board: the latest facts of every instrument, each with the moment it was observed.

The newest fact wins, an implausible one takes the place of what was known with a reason and
nothing, and a feed is judged by the age of its last fact, whoever brought it. One process writes
it from its sockets, pollers write it when sockets are silent, every process reads it from Redis:
one hash per venue, one field per fact, decimals as strings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

import orjson
from redis import Redis

from exchanges.domain import (
    BookTop,
    FundingRate,
    IntervalSource,
    MarketFact,
    Quote,
    Symbol,
)

CHANGES_CHANNEL = "carry:board"
"""Redis pub/sub channel; each message is a JSON list of base assets whose facts changed."""

# A mark price arrives once a second, so less than two seconds of silence means nothing.
SLOW_AFTER = timedelta(seconds=2)
STALE_AFTER = timedelta(seconds=10)
DOWN_AFTER = timedelta(seconds=60)
# Facts overtake one another by seconds; what is older by more comes from a clock that was set back.
OVERTAKEN_BY = timedelta(seconds=60)

Key = tuple[str, Symbol]


class Channel(StrEnum):
    """Kinds of facts that arrive, age and fail independently of one another."""

    FUNDING = "funding"
    QUOTE = "quote"
    BOOK = "book"


class FeedHealth(StrEnum):
    OK = "OK"
    SLOW = "SLOW"
    STALE = "STALE"
    DOWN = "DOWN"


@dataclass(slots=True, kw_only=True)
class Row:
    """What is known of one instrument. `implausible` says why a fact was refused last."""

    venue: str
    symbol: Symbol
    funding: FundingRate | None = None
    quote: Quote | None = None
    book: BookTop | None = None
    implausible: dict[Channel, str] = field(default_factory=dict)

    def fact(self, channel: Channel) -> MarketFact | None:
        match channel:
            case Channel.FUNDING:
                return self.funding
            case Channel.QUOTE:
                return self.quote
            case Channel.BOOK:
                return self.book

    def age(self, channel: Channel, now: datetime) -> timedelta | None:
        """Return how long ago the fact was observed, None if there is none."""
        fact = self.fact(channel)
        return abs(now - fact.observed_at) if fact is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """New facts by venue and field; `gone` names fields whose fact was refused."""

    bases: list[str]
    facts: dict[str, dict[str, MarketFact]] = field(default_factory=dict)
    gone: dict[str, list[str]] = field(default_factory=dict)

    def write(self, redis: Redis) -> None:
        """Write and announce everything in one round trip. Raise RedisError.

        Facts are encoded here, thousands at a time: whoever hears the venues does not wait for it.
        """
        if not self.bases:
            return
        pipe = redis.pipeline(transaction=False)
        for venue, facts in self.facts.items():
            encoded = {name: _encoded(fact) for name, fact in facts.items()}
            pipe.hset(hash_name(venue), mapping=encoded)
        for venue, names in self.gone.items():
            pipe.hdel(hash_name(venue), *names)
        pipe.publish(CHANGES_CHANNEL, orjson.dumps(self.bases))
        pipe.execute()


class Board:
    """Latest facts by (venue, symbol). Not thread-safe: one owner writes it."""

    def __init__(self, bases: Mapping[Key, str] | None = None) -> None:
        self.rows: dict[Key, Row] = {}
        self.heartbeats: dict[tuple[str, Channel], datetime] = {}
        self._bases = dict(bases or {})
        self._changed: set[tuple[Key, Channel]] = set()

    def set_bases(self, bases: Mapping[Key, str]) -> None:
        """Replace the base asset of each instrument; scaled contracts differ from their symbol."""
        self._bases = dict(bases)

    def base_of(self, key: Key) -> str:
        return self._bases.get(key) or key[1].partition("/")[0]

    def row(self, venue: str, symbol: Symbol) -> Row | None:
        return self.rows.get((venue, symbol))

    def apply(self, fact: MarketFact) -> bool:
        """Take a fact and tell whether it changed the board; an older one never does."""
        channel = channel_of(fact)
        key = (fact.venue, fact.symbol)
        row = self.rows.get(key)
        if row is None:
            row = self.rows[key] = Row(venue=fact.venue, symbol=fact.symbol)
        known = row.fact(channel)
        if known is not None and not is_news(fact.observed_at, known.observed_at):
            return False
        trouble = implausibility(fact)
        if trouble is None:
            row.implausible.pop(channel, None)
            self._beat(fact.venue, channel, fact.observed_at)
        else:
            row.implausible[channel] = trouble
        _put(row, channel, fact if trouble is None else None)
        self._changed.add((key, channel))
        return True

    def age(self, venue: str, channel: Channel, now: datetime) -> timedelta | None:
        """Return how long ago the venue's last good fact of this channel was observed."""
        beat = self.heartbeats.get((venue, channel))
        return abs(now - beat) if beat is not None else None

    def health(self, venue: str, channel: Channel, now: datetime) -> FeedHealth:
        age = self.age(venue, channel, now)
        if age is None or age >= DOWN_AFTER:
            return FeedHealth.DOWN
        if age >= STALE_AFTER:
            return FeedHealth.STALE
        return FeedHealth.SLOW if age >= SLOW_AFTER else FeedHealth.OK

    def take_changes(self) -> Changes:
        """Return what changed since the last call, ready to be written by any thread."""
        changed, self._changed = self._changed, set()
        changes = Changes(bases=sorted({self.base_of(key) for key, _ in changed}))
        for (venue, symbol), channel in changed:
            fact = self.rows[(venue, symbol)].fact(channel)
            name = _field_name(symbol, channel)
            if fact is None:
                changes.gone.setdefault(venue, []).append(name)
            else:
                changes.facts.setdefault(venue, {})[name] = fact
        return changes

    def publish(self, redis: Redis) -> list[str]:
        """Write what changed since the last call in one round trip and return the bases."""
        changes = self.take_changes()
        changes.write(redis)
        return changes.bases

    @classmethod
    def load(cls, redis: Redis, venues: Iterable[str]) -> Board:
        """Read the whole board of these venues from Redis in one round trip."""
        pipe = redis.pipeline(transaction=False)
        for venue in venues:
            pipe.hgetall(hash_name(venue))
        board = cls()
        for stored in pipe.execute():
            board._absorb(stored.values())
        return board

    @classmethod
    def load_rows(cls, redis: Redis, keys: Iterable[Key]) -> Board:
        """Read only these instruments, in one round trip; heartbeats are then theirs alone."""
        pipe = redis.pipeline(transaction=False)
        for venue, symbol in keys:
            pipe.hmget(hash_name(venue), [_field_name(symbol, channel) for channel in Channel])
        board = cls()
        for stored in pipe.execute():
            board._absorb(value for value in stored if value is not None)
        return board

    def _absorb(self, stored: Iterable[bytes]) -> None:
        for value in stored:
            self.apply(decoded(orjson.loads(value)))
        self._changed.clear()

    def _beat(self, venue: str, channel: Channel, at: datetime) -> None:
        last = self.heartbeats.get((venue, channel))
        if last is None or is_news(at, last):
            self.heartbeats[(venue, channel)] = at


def is_news(at: datetime, known: datetime) -> bool:
    """Tell whether what was observed `at` that moment takes the place of what is known.

    Also if the clock was set back since: until it has caught up nothing would be newer.
    """
    return at > known or known - at > OVERTAKEN_BY


def channel_of(fact: MarketFact) -> Channel:
    if isinstance(fact, FundingRate):
        return Channel.FUNDING
    return Channel.BOOK if isinstance(fact, BookTop) else Channel.QUOTE


def implausibility(fact: MarketFact) -> str | None:
    """Say why no market can look like this, or None when it can."""
    match fact:
        case FundingRate():
            if not fact.funding_rate.is_finite() or abs(fact.funding_rate) >= 1:
                return f"the funding rate {fact.funding_rate} is not a rate"
        case Quote():
            if not _is_price(fact.mark_price):
                return f"the mark price {fact.mark_price} is not a price"
        case BookTop():
            if not (_is_price(fact.bid) and _is_price(fact.ask)):
                return f"the book {fact.bid} / {fact.ask} has no price on one side"
            if fact.is_crossed:
                return f"the book is crossed: bid {fact.bid}, ask {fact.ask}"
    return None


def _is_price(value: Decimal) -> bool:
    return value.is_finite() and value > 0


def _put(row: Row, channel: Channel, fact: MarketFact | None) -> None:
    setattr(row, channel.value, fact)


def hash_name(venue: str) -> str:
    return f"carry:board:{venue}"


def _encoded(fact: MarketFact) -> bytes:
    return orjson.dumps({"channel": channel_of(fact), "fact": fact}, default=str)


def _field_name(symbol: Symbol, channel: Channel) -> str:
    return f"{symbol} {channel}"


def decoded(stored: Mapping[str, Any]) -> MarketFact:
    fact = stored["fact"]
    common: dict[str, Any] = {
        "venue": fact["venue"],
        "symbol": Symbol(fact["symbol"]),
        "observed_at": datetime.fromisoformat(fact["observed_at"]),
    }
    match Channel(stored["channel"]):
        case Channel.FUNDING:
            return FundingRate(
                **common,
                funding_rate=Decimal(fact["funding_rate"]),
                interval_seconds=fact["interval_seconds"],
                interval_source=IntervalSource(fact["interval_source"]),
                next_funding_at=_optional_time(fact["next_funding_at"]),
                mark_price=_optional_decimal(fact["mark_price"]),
                index_price=_optional_decimal(fact["index_price"]),
            )
        case Channel.QUOTE:
            return Quote(
                **common,
                mark_price=Decimal(fact["mark_price"]),
                index_price=_optional_decimal(fact["index_price"]),
            )
        case Channel.BOOK:
            return BookTop(
                **common,
                bid=Decimal(fact["bid"]),
                bid_quantity=Decimal(fact["bid_quantity"]),
                ask=Decimal(fact["ask"]),
                ask_quantity=Decimal(fact["ask_quantity"]),
            )


def _optional_decimal(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def _optional_time(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)
