"""Facts that no socket tells of while its venue lives, as whoever polls has found them.

A list that says a market has moved since our sockets told of it last proves that one of their
topics is dead: it is read every second until a socket tells of it again, and that socket is opened
anew. What a list does not tell either is not asked for again for a minute: a contract without a
book keeps no poll of all others running. Both are kept in Redis, for all processes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import cast

import orjson
from redis import Redis

from exchanges.board import Board, Channel, channel_of, implausibility, is_news
from exchanges.domain import BookTop, MarketFact, Quote, Symbol

UNTOLD_FOR = timedelta(minutes=1)
# Of a dead topic a poll brings one fact a second.
RENEWED_WITHIN = timedelta(seconds=5)
# Lists are a little older than sockets: a mark that moved by less proves nothing.
MARK_MOVED = Decimal("0.0005")

Topic = tuple[Symbol, Channel]


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """Since when a topic is unheard, the moment of the fact that a poll put in its place, and when
    that had come.
    """

    since: datetime
    at: datetime
    read_at: datetime


@dataclass(slots=True)
class Unheard:
    """The dead topics of one venue, and what its lists do not tell."""

    venue: str
    topics: dict[Topic, Renewal] = field(default_factory=dict)
    untold: dict[Topic, datetime] = field(default_factory=dict)

    @classmethod
    def load(cls, redis: Redis, venue: str) -> Unheard:
        """Read what is known of a venue. Raise RedisError."""
        found = cls(venue)
        stored = cast("dict[bytes, bytes]", redis.hgetall(_hash(venue)))
        for name, value in stored.items():
            symbol, _, channel = name.decode().rpartition(" ")
            topic, told = (Symbol(symbol), Channel(channel)), orjson.loads(value)
            if "until" in told:
                found.untold[topic] = datetime.fromisoformat(told["until"])
            else:
                # What an older version of ours wrote says nothing of when it came.
                told.setdefault("read_at", told["at"])
                since, at, read_at = (
                    datetime.fromisoformat(told[key]) for key in ("since", "at", "read_at")
                )
                found.topics[topic] = Renewal(since=since, at=at, read_at=read_at)
        return found

    def save(self, redis: Redis) -> None:
        """Write all of it in the place of what was known. Raise RedisError."""
        pipe = redis.pipeline(transaction=True)
        pipe.delete(_hash(self.venue))
        told = {
            topic: {"since": one.since, "at": one.at, "read_at": one.read_at}
            for topic, one in self.topics.items()
        } | {topic: {"until": until} for topic, until in self.untold.items()}
        if told:
            named = {
                f"{symbol} {channel}".encode(): orjson.dumps(one)
                for (symbol, channel), one in told.items()
            }
            pipe.hset(_hash(self.venue), mapping=named)
        pipe.execute()

    def is_untold(self, topic: Topic, now: datetime) -> bool:
        """Tell whether a list was asked for this lately and did not tell it."""
        until = self.untold.get(topic)
        return until is not None and now < until

    def is_dead(self, topic: Topic, known: MarketFact | None) -> bool:
        """Tell whether what is known of a topic is still what a poll put there."""
        renewal = self.topics.get(topic)
        return renewal is not None and known is not None and known.observed_at == renewal.at

    def learn(
        self,
        board: Board,
        facts: Iterable[MarketFact],
        asked: Collection[Topic],
        missed: Collection[Topic],
        now: datetime,
    ) -> None:
        """Take over what a poll told, and did not tell, of what it was asked for.

        `missed` are the topics that sockets owe. Call it before the board takes the facts: what it
        holds yet is compared with them. What no market can look like counts as not told, and what
        a socket told since the list was asked for is no older than it.
        """
        told = {
            (fact.symbol, channel_of(fact)): fact for fact in facts if implausibility(fact) is None
        }
        untold = dict.fromkeys(set(asked) - told.keys(), now + UNTOLD_FOR)
        kept = {topic: until for topic, until in self.untold.items() if now < until}
        self.untold = {topic: at for topic, at in (kept | untold).items() if topic not in told}
        for topic in told.keys() & set(missed):
            row, fact = board.row(self.venue, topic[0]), told[topic]
            known = row.fact(topic[1]) if row is not None else None
            if self.is_dead(topic, known):
                since = self.topics[topic].since
            elif known is not None and _has_moved_since(known, fact):
                since = now
            else:
                continue
            self.topics[topic] = Renewal(since=since, at=fact.observed_at, read_at=now)

    def dead_for(self, lasting: timedelta, now: datetime) -> list[Topic]:
        """Return what has been dead for so long and is still being read: who polls may be down."""
        return [
            topic
            for topic, one in self.topics.items()
            if now - one.since >= lasting and now - one.read_at <= RENEWED_WITHIN
        ]

    def forget_heard(self, board: Board) -> bool:
        """Forget what sockets have told of since; tell whether that was anything."""
        heard = [
            (symbol, channel)
            for symbol, channel in self.topics
            if (row := board.row(self.venue, symbol)) is None
            or not self.is_dead((symbol, channel), row.fact(channel))
        ]
        for topic in heard:
            del self.topics[topic]
        return bool(heard)


def _has_moved_since(known: MarketFact, told: MarketFact) -> bool:
    return is_news(told.observed_at, known.observed_at) and has_moved(known, told)


def has_moved(known: MarketFact, told: MarketFact) -> bool:
    """Tell whether a market went on since: its book stands beyond the known one, or its mark moved.

    Touches that only differ prove nothing: some venues list them for a larger size.
    """
    if isinstance(known, BookTop) and isinstance(told, BookTop):
        return told.bid >= known.ask or told.ask <= known.bid
    if isinstance(known, Quote) and isinstance(told, Quote):
        return abs(told.mark_price / known.mark_price - 1) > MARK_MOVED
    return False


def _hash(venue: str) -> str:
    return f"carry:unheard:{venue}"
