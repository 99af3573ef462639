"""What stablecoins are worth in one another: read by REST from the spot markets of both."""

from __future__ import annotations

from collections.abc import Iterable

from exchanges import loop, registry, selectors
from exchanges.domain import Depth, Symbol
from exchanges.models import Instrument, StablecoinRate
from exchanges.modes import Mode
from exchanges.services import POLL_SECONDS, good_answers

LEVELS = 5


def poll_stablecoins() -> int:
    """Read and store the rate of every market of two stablecoins; return how many were read."""
    markets = selectors.stablecoin_markets()
    answers = loop.call_all([_read(market) for market in markets], POLL_SECONDS)
    return store_stablecoin_rates(good_answers(answers))


async def _read(market: Instrument) -> tuple[Instrument, Depth]:
    data = registry.market_data(market.exchange.code, Mode(market.exchange.mode))
    return market, await data.depth(Symbol(market.symbol), levels=LEVELS)


def store_stablecoin_rates(read: Iterable[tuple[Instrument, Depth]]) -> int:
    """Keep the mid of each book that has two sides; return how many."""
    rows = [
        StablecoinRate(
            instrument=market,
            mid=(depth.bids[0].price + depth.asks[0].price) / 2,
            observed_at=depth.observed_at,
        )
        for market, depth in read
        if depth.bids and depth.asks
    ]
    StablecoinRate.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["instrument"],
        update_fields=["mid", "observed_at"],
    )
    return len(rows)
