"""Facts out of streamed values, the same for every venue.

Facts carry the moment of receipt: it is what ages must be measured by, and spot book tops come
without any time of the venue.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from exchanges.ccxt_adapter.listing import Listing
from exchanges.ccxt_adapter.numbers import streamed
from exchanges.domain import (
    AccountFact,
    BookTop,
    FundingRate,
    IntervalSource,
    MarketFact,
    Quote,
)

Emit = Callable[[MarketFact], None]
EmitAccount = Callable[[AccountFact], None]
ByVenueSymbol = Mapping[str, Listing]
Facts = Callable[[dict[str, Any], Listing, datetime], Iterator[MarketFact]]

# A mark price comes every second; a book of quiet markets may rest for a while.
MARK_SILENT_AFTER = 10.0
BOOK_SILENT_AFTER = 30.0


def price(text: str, listing: Listing) -> Decimal:
    """Return quote per one base unit: 1000PEPE at 0.01 is PEPE at 0.00001."""
    return listing.price(streamed(text))


def optional_price(text: str | None, listing: Listing) -> Decimal | None:
    """Return the price, None where the venue sends nothing or its zero for nothing."""
    value = price(text, listing) if text else None
    return value or None


def quantity(text: str, listing: Listing) -> Decimal:
    """Return base units."""
    return listing.base_quantity(streamed(text))


def instant(milliseconds: str | int) -> datetime:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)


def quote(listing: Listing, mark: Decimal, index: Decimal | None, now: datetime) -> Quote:
    return Quote(
        venue=listing.instrument.venue,
        symbol=listing.instrument.symbol,
        mark_price=mark,
        index_price=index,
        observed_at=now,
    )


def rate(
    listing: Listing,
    funding_rate: str | Decimal,
    settles_at: int | None,
    mark: Decimal | None,
    index: Decimal | None,
    now: datetime,
) -> FundingRate:
    """Return a rate whose interval the message did not say, and maybe not its settlement."""
    return FundingRate(
        venue=listing.instrument.venue,
        symbol=listing.instrument.symbol,
        funding_rate=streamed(funding_rate),
        interval_seconds=None,
        interval_source=IntervalSource.UNKNOWN,
        next_funding_at=instant(settles_at) if settles_at else None,
        observed_at=now,
        mark_price=mark,
        index_price=index,
    )


def book_top(
    listing: Listing, bid: tuple[str, str], ask: tuple[str, str], now: datetime
) -> BookTop:
    """Return a book top out of (price, quantity) of each side, as sent."""
    return BookTop(
        venue=listing.instrument.venue,
        symbol=listing.instrument.symbol,
        bid=price(bid[0], listing),
        bid_quantity=quantity(bid[1], listing),
        ask=price(ask[0], listing),
        ask_quantity=quantity(ask[1], listing),
        observed_at=now,
    )


def taker(
    listings: ByVenueSymbol, name: str, read: Facts, emit: Emit
) -> Callable[[dict[str, Any], datetime], bool]:
    """Return what emits the facts of a row and tells whether it was of ours.

    `name` is where a row has its contract; `read` yields its facts.
    """

    def take(row: dict[str, Any], now: datetime) -> bool:
        listing = listings.get(row[name])
        if listing is None:
            return False
        for fact in read(row, listing, now):
            emit(fact)
        return True

    return take


def fixed(address: str) -> Callable[[], Awaitable[str]]:
    async def url() -> str:
        return address

    return url


def chunks(items: list[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
