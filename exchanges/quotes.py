"""Facts that come with others: asking for them apart would be the same request."""

from __future__ import annotations

from collections.abc import Iterable

from exchanges.domain import BookTop, Depth, FundingRate, Quote


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


def top_of(book: Depth) -> BookTop | None:
    """Return the touch of a book, None where a side of it is empty."""
    if not book.bids or not book.asks:
        return None
    bid, ask = book.bids[0], book.asks[0]
    return BookTop(
        venue=book.venue,
        symbol=book.symbol,
        bid=bid.price,
        bid_quantity=bid.base_quantity,
        ask=ask.price,
        ask_quantity=ask.base_quantity,
        observed_at=book.observed_at,
    )
