"""Carry's board, fed from what the venues publish at the moment; a feed may stand still."""

from __future__ import annotations

from datetime import datetime

from exchanges.board import Board
from exchanges.domain import BookTop, FundingRate, IntervalSource, Quote, Symbol
from exchanges.models import Instrument, SettledFundingRate
from exchanges.simulator.listings import SPOT
from exchanges.simulator.market import next_settlement
from tests.simulation.markets import BASES
from tests.simulation.memory import MemoryRedis
from tests.simulation.venue_side import INTERVAL, VenueSide


class Prices:
    """Keeps the board as fresh as the streams of a running Carry would."""

    def __init__(self, far: VenueSide, redis: MemoryRedis) -> None:
        self.fed_at: dict[str, datetime] = {}
        self.silent: set[str] = set()
        self._far = far
        self._redis = redis
        self._board = Board()
        self._stored: dict[str, datetime] = {}

    def feed(self, now: datetime) -> None:
        """Publish books, marks and rates of every venue that is not silent."""
        for venue in self._far.market.venues:
            if venue in self.silent:
                continue
            for base in BASES:
                for fact in self._facts(venue, base, now):
                    self._board.apply(fact)
            self.fed_at[venue] = now
        self._board.publish(self._redis)  # type: ignore[arg-type]  # what is used of it

    def forget(self) -> None:
        """Lose the board, as a flushed Redis does; the next feed brings it back."""
        self._redis.flush()
        self._board = Board()

    def store_settlements(self) -> None:
        """Store what has settled since, as the minutely poll does."""
        for venue in self._far.market.venues:
            for base in BASES if venue != SPOT else ():
                self._store(venue, base)

    def _store(self, venue: str, base: str) -> None:
        rows = self._far.ledger.settlements(self._far.listing(venue, base).key)
        new = rows[-1:] if rows else []
        if not new or self._stored.get(f"{venue} {base}") == new[0].settled_at:
            return
        listing = self._far.listing(venue, base)
        instrument = Instrument.objects.get(exchange__code=venue, symbol=listing.unified_symbol)
        SettledFundingRate.objects.bulk_create(
            [
                SettledFundingRate(
                    instrument=instrument,
                    settled_at=row.settled_at,
                    funding_rate=row.funding_rate,
                    settlement_price=row.settlement_price,
                )
                for row in rows
            ],
            ignore_conflicts=True,
        )
        self._stored[f"{venue} {base}"] = new[0].settled_at

    def _facts(self, venue: str, base: str, now: datetime) -> list[FundingRate | Quote | BookTop]:
        simulator, listing = self._far.simulator, self._far.listing(venue, base)
        market, book = simulator.market, simulator.book(listing, now)
        mark, index = market.mark(listing, now), market.index(listing, now)
        symbol = Symbol(listing.unified_symbol)
        top = BookTop(
            venue=venue,
            symbol=symbol,
            bid=book.bid.price,
            bid_quantity=book.bid.base_quantity,
            ask=book.ask.price,
            ask_quantity=book.ask.base_quantity,
            observed_at=now,
        )
        if not listing.is_contract:
            return [top]
        rate = FundingRate(
            venue=venue,
            symbol=symbol,
            funding_rate=market.predicted_rate(listing, now),
            interval_seconds=int(INTERVAL.total_seconds()),
            interval_source=IntervalSource.VENUE,
            next_funding_at=next_settlement(now, INTERVAL),
            observed_at=now,
            mark_price=mark,
            index_price=index,
        )
        quote = Quote(
            venue=venue, symbol=symbol, mark_price=mark, index_price=index, observed_at=now
        )
        return [rate, quote, top]
