"""Numbers, instants and market rows of venues become domain values: Decimal, base units, UTC.

Nothing here is a float: what the library hands over as one enters as `Decimal(str(x))`, quantised
to the tick. A payload of another shape raises one of `faults.PARSE_FAILURES`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from exchanges.access import Maintenance
from exchanges.activity import Activity
from exchanges.ccxt_adapter.listing import Listing
from exchanges.ccxt_adapter.numbers import exact, text
from exchanges.domain import (
    BookTop,
    BorrowRate,
    Depth,
    FundingRate,
    Level,
    Quote,
    SettledFunding,
)
from exchanges.funding_intervals import FundingInterval

Row = Mapping[str, Any]
Columns = Mapping[str, str]
Bounds = tuple[Decimal | None, Decimal | None]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
HOURS_PER_DAY = 24


def moment(milliseconds: Any) -> datetime:
    """Return the instant of venue milliseconds, exactly."""
    return EPOCH + MILLISECOND * int(milliseconds)


def milliseconds(instant: datetime) -> int:
    """Return venue milliseconds of an instant, rounded down."""
    return (instant - EPOCH) // MILLISECOND


def optional(row: Row, column: str | None) -> Decimal | None:
    """Return the number in a column, None where the venue left it out or empty."""
    value = row.get(column) if column else None
    return None if value is None or value == "" else exact(value)


def book_top(row: Row, columns: Columns, listing: Listing, now: datetime) -> BookTop | None:
    """Return the best bid and ask, None where a side of the book is empty."""
    bid, ask = optional(row, columns["bid"]), optional(row, columns["ask"])
    if not bid or not ask:
        return None
    return BookTop(
        venue=listing.instrument.venue,
        symbol=listing.symbol,
        bid=listing.price(bid),
        bid_quantity=listing.base_quantity(exact(row[columns["bid_quantity"]])),
        ask=listing.price(ask),
        ask_quantity=listing.base_quantity(exact(row[columns["ask_quantity"]])),
        observed_at=now,
    )


def activity(row: Row, columns: Columns, listing: Listing, now: datetime) -> Activity | None:
    """Return what is held and was traded, None where the row tells neither.

    Of a volume without its worth the turnover is that volume at the last price.
    """
    held = _amount(row, columns.get("open_interest"))
    turnover = _amount(row, columns.get("turnover"))
    if "volume" in columns:
        volume, price = _amount(row, columns["volume"]), _amount(row, columns["price"])
        if volume is not None and price is not None:
            turnover = listing.base_quantity(volume) * listing.price(price)
    if held is None and turnover is None:
        return None
    return Activity(
        venue=listing.instrument.venue,
        symbol=listing.symbol,
        open_interest=None if held is None else exact(listing.base_quantity(held)),
        turnover_usd=None if turnover is None else exact(turnover),
        observed_at=now,
    )


def _amount(row: Row, column: str | None) -> Decimal | None:
    """Return a number that cannot be negative; raise ValueError where it is."""
    amount = optional(row, column)
    if amount is not None and amount < 0:
        raise ValueError("an amount below zero")
    return amount


def quote(row: Row, columns: Columns, listing: Listing, now: datetime) -> Quote | None:
    """Return mark and index price, None where the venue has no mark price."""
    mark, index = optional_price(row, columns["mark_price"], listing), None
    if "index_price" in columns:
        index = optional_price(row, columns["index_price"], listing)
    if mark is None:
        return None
    return Quote(
        venue=listing.instrument.venue,
        symbol=listing.symbol,
        mark_price=mark,
        index_price=index,
        observed_at=now,
    )


def funding_rate(
    row: Row,
    columns: Columns,
    listing: Listing,
    interval: FundingInterval,
    bounds: Bounds,
    now: datetime,
) -> FundingRate | None:
    """Return the coming rate, None where the venue states none."""
    rate = optional(row, columns["funding_rate"])
    if rate is None:
        return None
    return FundingRate(
        venue=listing.instrument.venue,
        symbol=listing.symbol,
        funding_rate=rate,
        interval_seconds=interval.seconds,
        interval_source=interval.source,
        next_funding_at=next_funding_at(row, columns),
        observed_at=now,
        mark_price=optional_price(row, columns.get("mark_price"), listing),
        index_price=optional_price(row, columns.get("index_price"), listing),
        cap=bounds[0],
        floor=bounds[1],
    )


def funding_bounds(row: Row, columns: tuple[str, str] | None) -> Bounds:
    """Return the highest and the lowest rate; None for both where they are no bounds."""
    if columns is None:
        return None, None
    cap, floor = (optional(row, column) for column in columns)
    if cap is not None and floor is not None and cap <= floor:
        return None, None
    return cap, floor


def borrow_rate(row: Row, columns: Columns, venue: str, now: datetime) -> BorrowRate:
    """Return what borrowing an asset costs now; a venue tells its day's highest to nobody."""
    if "daily_rate" in columns:
        hourly_rate = exact(row[columns["daily_rate"]]) / HOURS_PER_DAY
    else:
        hourly_rate = exact(row[columns["hourly_rate"]])
    return BorrowRate(
        venue=venue,
        asset=text(row[columns["asset"]]),
        hourly_rate=hourly_rate,
        highest_hourly_rate=hourly_rate,
        most=optional(row, columns["most"]),
        observed_at=now,
    )


def maintenance(row: Row, columns: Columns, venue: str, now: datetime) -> Maintenance:
    """Return one announced window; one that only goes on now began when it was first seen."""
    start, end = (optional(row, columns.get(name)) for name in ("start", "end"))
    return Maintenance(
        venue=venue,
        reference=text(row[columns["key"]]) if "key" in columns else "now",
        title=text(row[columns["title"]]),
        starts_at=moment(start) if start else now,
        ends_at=moment(end) if start and end else None,
    )


def next_funding_at(row: Row, columns: Columns, column: str = "next_funding_at") -> datetime | None:
    """Return the next settlement, None where the venue writes nothing or 0."""
    stated = optional(row, columns[column])
    return moment(stated) if stated else None


def settled_funding(row: Row, columns: Columns, listing: Listing) -> SettledFunding:
    return SettledFunding(
        venue=listing.instrument.venue,
        symbol=listing.symbol,
        funding_rate=exact(row[columns["funding_rate"]]),
        settled_at=moment(row[columns["time"]]),
        settlement_price=optional_price(row, columns.get("settlement_price"), listing),
    )


def depth(book: Mapping[str, Any], listing: Listing, now: datetime) -> Depth:
    """Return a book of ccxt, whose levels are floats, quantised to tick and lot."""
    return Depth(
        venue=listing.instrument.venue,
        symbol=listing.symbol,
        bids=_levels(book["bids"], listing),
        asks=_levels(book["asks"], listing),
        observed_at=now,
    )


def optional_price(row: Row, column: str | None, listing: Listing) -> Decimal | None:
    """Return a price per base unit, None where the venue writes nothing or 0."""
    stated = optional(row, column)
    return listing.price(stated) if stated else None


def _levels(levels: Sequence[Sequence[Any]], listing: Listing) -> list[Level]:
    tick, lot = listing.instrument.price_tick, listing.instrument.lot
    return [
        Level(
            price=_on_grid(listing.price(exact(level[0])), tick),
            base_quantity=_on_grid(listing.base_quantity(exact(level[1])), lot),
        )
        for level in levels
    ]


def _on_grid(value: Decimal, step: Decimal) -> Decimal:
    if not step:
        return value
    return (value / step).quantize(Decimal(1), rounding=ROUND_HALF_EVEN) * step
