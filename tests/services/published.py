"""What simulated venues publish, as facts for the board."""

from __future__ import annotations

from typing import Any

from exchanges.domain import BookTop, FundingRate, IntervalSource, MarketFact, Quote, Symbol
from exchanges.models import Instrument
from exchanges.simulator.market import next_settlement
from tests.simulator.world import World


def facts_of(world: World, instrument: Instrument, listing: Any) -> list[MarketFact]:
    """Return what the venue of an instrument publishes of it at this moment."""
    market = world.simulator.market
    book = world.simulator.book(listing, world.at)
    venue, symbol = instrument.exchange.code, Symbol(instrument.symbol)
    mark, index = market.mark(listing, world.at), market.index(listing, world.at)
    facts: list[MarketFact] = [
        Quote(
            venue=venue,
            symbol=symbol,
            mark_price=mark,
            index_price=index,
            observed_at=world.at,
        ),
        BookTop(
            venue=venue,
            symbol=symbol,
            bid=book.bid.price,
            bid_quantity=book.bid.base_quantity,
            ask=book.ask.price,
            ask_quantity=book.ask.base_quantity,
            observed_at=world.at,
        ),
    ]
    if listing.is_perpetual:
        interval = market.interval(listing)
        rate = FundingRate(
            venue=venue,
            symbol=symbol,
            funding_rate=market.predicted_rate(listing, world.at),
            interval_seconds=int(interval.total_seconds()),
            interval_source=IntervalSource.VENUE,
            next_funding_at=next_settlement(world.at, interval),
            observed_at=world.at,
        )
        facts.append(rate)
    return facts
