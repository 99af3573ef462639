"""Payloads of venues and of ccxt become values of `exchanges.domain`: Decimal, base units, UTC.

Nothing here is a float: what the library hands over as one enters as `Decimal(str(x))`, quantised
to the tick. A payload of another shape raises one of `faults.PARSE_FAILURES`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from exchanges.ccxt_adapter.listing import Listing
from exchanges.domain import (
    Balance,
    BookTop,
    ClientOrderId,
    Depth,
    FeeTier,
    Fill,
    FundingPayment,
    FundingRate,
    Level,
    OrderReport,
    Quote,
    SettledFunding,
    Side,
    VenueOrderStatus,
    VenuePosition,
)
from exchanges.funding_intervals import FundingInterval
from exchanges.venues.profile import VenueProfile

Row = Mapping[str, Any]
Columns = Mapping[str, str]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
ZERO = Decimal(0)
# What venues write for "one position per contract" in the column that tells the position mode.
ONE_WAY_MODES = frozenset({"BOTH", "0", "False", "false", ""})

_STATUSES = {
    "open": VenueOrderStatus.OPEN,
    "canceling": VenueOrderStatus.OPEN,
    "closed": VenueOrderStatus.FILLED,
    "canceled": VenueOrderStatus.CANCELED,
    "expired": VenueOrderStatus.EXPIRED,
    "rejected": VenueOrderStatus.REJECTED,
}


def moment(milliseconds: Any) -> datetime:
    """Return the instant of venue milliseconds, exactly."""
    return EPOCH + MILLISECOND * int(milliseconds)


def milliseconds(instant: datetime) -> int:
    """Return venue milliseconds of an instant, rounded down."""
    return (instant - EPOCH) // MILLISECOND


def exact(value: Any) -> Decimal:
    """Return a number as the venue wrote it; raise ValueError for NaN and infinities."""
    number = value if isinstance(value, Decimal) else Decimal(str(value))
    if not number.is_finite():
        raise ValueError("a number that is none")
    return number


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


def quote(row: Row, columns: Columns, listing: Listing, now: datetime) -> Quote | None:
    """Return mark and index price, None where the venue has no mark price."""
    mark, index = _price(row, columns["mark_price"], listing), None
    if "index_price" in columns:
        index = _price(row, columns["index_price"], listing)
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
    row: Row, columns: Columns, listing: Listing, interval: FundingInterval, now: datetime
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
        mark_price=_price(row, columns["mark_price"], listing),
        index_price=_price(row, columns["index_price"], listing),
    )


def next_funding_at(row: Row, columns: Columns) -> datetime | None:
    """Return the next settlement, None where the venue writes nothing or 0."""
    stated = optional(row, columns["next_funding_at"])
    return moment(stated) if stated else None


def settled_funding(row: Row, columns: Columns, listing: Listing) -> SettledFunding:
    return SettledFunding(
        venue=listing.instrument.venue,
        symbol=listing.symbol,
        funding_rate=exact(row[columns["funding_rate"]]),
        settled_at=moment(row[columns["time"]]),
        settlement_price=_price(row, columns.get("settlement_price"), listing),
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


def order_report(order: Mapping[str, Any], listing: Listing, now: datetime) -> OrderReport:
    """Return what ccxt's unified order says; what the venue did not echo stays None."""
    amount, filled = order.get("amount"), order.get("filled")
    average = order.get("average")
    client_order_id, side = order.get("clientOrderId"), order.get("side")
    return OrderReport(
        client_order_id=ClientOrderId(client_order_id) if client_order_id else None,
        venue_order_id=order.get("id") or None,
        symbol=order.get("symbol") or listing.symbol,
        status=_status(order.get("status"), amount, filled),
        observed_at=now,
        side=Side(side) if side else None,
        base_quantity=None if amount is None else listing.base_quantity(exact(amount)),
        filled_base_quantity=None if filled is None else listing.base_quantity(exact(filled)),
        average_price=listing.price(exact(average)) if average else None,
        reduce_only=order.get("reduceOnly"),
    )


def fill(row: Row, columns: Columns, listing: Listing) -> Fill:
    """Return one execution, read raw: the library loses fees that are Decimal."""
    own_id = row.get(columns["client_order_id"]) if "client_order_id" in columns else None
    return Fill(
        venue=listing.instrument.venue,
        symbol=listing.symbol,
        venue_trade_id=str(row[columns["key"]]),
        venue_order_id=str(row[columns["order_id"]]),
        client_order_id=ClientOrderId(own_id) if own_id else None,
        side=_side(row, columns),
        price=listing.price(exact(row[columns["price"]])),
        base_quantity=listing.base_quantity(exact(row[columns["amount"]])),
        fee=exact(row[columns["fee"]]),
        fee_asset=row.get(columns["fee_asset"]) or listing.instrument.settle,
        is_maker=row[columns["is_maker"]] is True,
        filled_at=moment(row[columns["time"]]),
    )


def funding_payment(
    row: Row, columns: Columns, listing: Listing, profile: VenueProfile
) -> FundingPayment:
    """Return one booked payment, > 0 where the account received it."""
    return FundingPayment(
        venue=profile.name,
        symbol=listing.symbol,
        venue_payment_id=str(row[columns["key"]]),
        payment=exact(row[columns["payment"]]) * profile.funding_sign,
        asset=row.get(columns["asset"]) or listing.instrument.settle,
        paid_at=moment(row[columns["time"]]),
        funding_rate=optional(row, columns.get("funding_rate")),
    )


def position(row: Row, columns: Columns, listing: Listing, now: datetime) -> VenuePosition:
    """Return one position; short is negative, also where the venue tells it by a side."""
    amount = exact(row[columns["amount"]])
    if "side" in columns and row[columns["side"]] == "Sell":
        amount = -amount
    rank = optional(row, columns["adl_rank"])
    return VenuePosition(
        venue=listing.instrument.venue,
        symbol=listing.symbol,
        base_quantity=listing.base_quantity(amount),
        entry_price=_price(row, columns["entry_price"], listing),
        mark_price=_price(row, columns["mark_price"], listing),
        liquidation_price=_price(row, columns["liquidation_price"], listing),
        leverage=optional(row, columns["leverage"]),
        unrealised_pnl=optional(row, columns["unrealised_pnl"]),
        observed_at=now,
        is_hedge_mode=is_hedge_mode(row, columns),
        adl_rank=None if rank is None else int(rank),
    )


def is_hedge_mode(row: Row, columns: Columns) -> bool:
    """Tell whether a row's position mode is anything but one-way."""
    return str(row[columns["mode"]]) not in ONE_WAY_MODES


def balance(row: Row, columns: Columns, venue: str, now: datetime) -> Balance:
    """Return one asset: total is free plus used where the venue does not state it."""
    total = optional(row, columns.get("total"))
    free = optional(row, columns["free"])
    if total is None:
        total = exact(row[columns["free"]]) + exact(row[columns["used"]])
    equity = optional(row, columns.get("equity"))
    equity = total if equity is None else equity
    if free is None:
        held = [optional(row, columns[name]) for name in ("order_margin", "position_margin")]
        free = max(equity - sum((part for part in held if part), ZERO), ZERO)
    return Balance(
        venue=venue,
        asset=row[columns["asset"]],
        free=free,
        total=total,
        equity=equity,
        observed_at=now,
    )


def fee_tier(row: Row, columns: Columns, listing: Listing) -> FeeTier:
    return FeeTier(
        venue=listing.instrument.venue,
        symbol=listing.symbol,
        maker=exact(row[columns["maker"]]),
        taker=exact(row[columns["taker"]]),
    )


def _price(row: Row, column: str | None, listing: Listing) -> Decimal | None:
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


def _status(status: Any, amount: Any, filled: Any) -> VenueOrderStatus | None:
    known = _STATUSES.get(status)
    if known is VenueOrderStatus.OPEN and filled:
        return VenueOrderStatus.PARTIAL
    # "Closed" also means that the rest of a partly filled order was cancelled.
    if known is VenueOrderStatus.FILLED and amount is not None and filled is not None:
        return known if exact(filled) >= exact(amount) else VenueOrderStatus.CANCELED
    return known


def _side(row: Row, columns: Columns) -> Side:
    if "is_buyer" in columns:
        return Side.BUY if row[columns["is_buyer"]] else Side.SELL
    return Side(row[columns["side"]].lower())
