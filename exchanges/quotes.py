"""Mark prices that come with funding rates: asking for them apart would be the same request."""

from __future__ import annotations

from collections.abc import Iterable

from exchanges.domain import FundingRate, Quote


def quotes_in(rates: Iterable[FundingRate]) -> list[Quote]:
    """Return mark and index price of each rate that came with a mark price."""
    return [
        Quote(
            venue=rate.venue,
            symbol=rate.symbol,
            mark_price=rate.mark_price,
            index_price=rate.index_price,
            observed_at=rate.observed_at,
        )
        for rate in rates
        if rate.mark_price is not None
    ]
