"""What Binance's two interfaces are asked for alike: listings, orders by either id, pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson

from exchanges.simulator.accounts import Order, TradeRow
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces.binance import Call
from exchanges.simulator.listings import Listing
from exchanges.simulator.wire import Json, VenueRefusal, milliseconds, plain

MOST_ROWS, USUAL_ROWS = 1000, 500
DAY = timedelta(days=1)

Payload = Callable[[Simulator, Listing, datetime], Json]


def listing_of(call: Call, listings: Mapping[str, Listing]) -> Listing:
    listing = listings.get(call.required("symbol"))
    if listing is None:
        raise VenueRefusal(-1121, "Invalid symbol.")
    return listing


def listings_asked(call: Call, listings: Mapping[str, Listing]) -> tuple[list[Listing], bool]:
    """Return the listings a market-data call asks for, and whether it names a single one."""
    if "symbol" in call.parameters:
        return [listing_of(call, listings)], True
    names = call.parameters.get("symbols")
    if not names:
        return list(listings.values()), False
    wanted = orjson.loads(names)
    unknown = [name for name in wanted if name not in listings]
    if unknown:
        raise VenueRefusal(-1121, "Invalid symbol.")
    return [listings[name] for name in wanted], False


def told_of_each(
    simulator: Simulator, call: Call, listings: Mapping[str, Listing], payload: Payload
) -> Any:
    """Return a row of each listing a call asks for, or the one row of a single one."""
    asked, is_single = listings_asked(call, listings)
    rows = [payload(simulator, listing, call.now) for listing in asked]
    return rows[0] if is_single else rows


def rolling_day(simulator: Simulator, listing: Listing, volume: Decimal, now: datetime) -> Json:
    """Return what both tickers say of the last 24 hours; `volume` counts coins."""
    market = simulator.market
    last, first = market.mark(listing, now), market.mark(listing, now - DAY)
    return {
        "symbol": listing.symbol,
        "priceChange": plain(last - first),
        "priceChangePercent": format((last - first) / first * 100, ".3f"),
        "weightedAvgPrice": plain(last),
        "lastPrice": plain(last),
        "lastQty": plain(listing.lot),
        "openPrice": plain(first),
        "highPrice": plain(max(first, last)),
        "lowPrice": plain(min(first, last)),
        "volume": plain(volume),
        "quoteVolume": plain(volume * last),
        "openTime": milliseconds(now - DAY),
        "closeTime": milliseconds(now),
        "firstId": 1,
        "lastId": 2,
        "count": 2,
    }


def order_named(simulator: Simulator, call: Call, listing: Listing) -> Order | None:
    """Return the order a call names by venue id or client id, unless it is not visible yet."""
    owner = call.owner
    number = call.parameters.get("orderId")
    client_id = call.parameters.get("origClientOrderId")
    if not number and not client_id:
        message = "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!"
        raise VenueRefusal(-1102, message)
    if number:
        orders = simulator.ledger.account_orders(owner.api_key, listing.venue, listing.symbol)
        found = [order for order in orders if order.venue_order_id == number]
    else:
        named = simulator.ledger.orders_named(owner.api_key, listing.venue, client_id or "")
        found = [order for order in named if order.symbol == listing.symbol]
    visible = [order for order in found if order.visible_at <= call.now]
    return visible[-1] if visible else None


def order_found(simulator: Simulator, call: Call, listing: Listing) -> Order:
    """Return the order a call names. Raise VenueRefusal where there is none."""
    order = order_named(simulator, call, listing)
    if order is None:
        raise VenueRefusal(-2013, "Order does not exist.")
    return order


def cancelled(simulator: Simulator, call: Call, listing: Listing) -> Order:
    """Cancel the order a call names. Raise VenueRefusal where none works."""
    order = order_named(simulator, call, listing)
    if order is None or not simulator.engine.cancel(call.owner, order, now=call.now):
        raise VenueRefusal(-2011, "Unknown order sent.")
    return order


def working(simulator: Simulator, call: Call, venue: str) -> list[Order]:
    """Return what works and is seen already, of the contract a call names or of all."""
    rows = simulator.ledger.open_orders(
        api_key=call.owner.api_key, venue=venue, symbol=call.parameters.get("symbol")
    )
    return [row for row in rows if row.visible_at <= call.now]


def orders_asked(
    simulator: Simulator, call: Call, listing: Listing, most_span: timedelta
) -> list[Order]:
    """Return a page of all orders of a listing that are seen already."""
    rows = simulator.ledger.account_orders(call.owner.api_key, listing.venue, listing.symbol)
    visible = [row for row in rows if row.visible_at <= call.now]
    return page(
        visible, call, time_of=lambda row: row.created_at, default=USUAL_ROWS, most_span=most_span
    )


def trades_asked(
    simulator: Simulator, call: Call, listing: Listing, most_span: timedelta
) -> list[TradeRow]:
    """Return a page of the executions of a listing, or of one order, from an id on."""
    order_id, from_id = call.parameters.get("orderId"), call.number("fromId") or 0
    rows = [
        row
        for row in simulator.ledger.account_trades(
            call.owner.api_key, listing.venue, listing.symbol
        )
        if order_id in (None, row.venue_order_id) and int(row.venue_trade_id) >= from_id
    ]
    return page(
        rows, call, time_of=lambda row: row.filled_at, default=USUAL_ROWS, most_span=most_span
    )


def page(
    rows: list[Any],
    call: Call,
    *,
    time_of: Callable[[Any], datetime],
    default: int,
    most_span: timedelta | None = None,
) -> list[Any]:
    """Return a time-filtered page: from `startTime` forward, without it the latest rows."""
    start, end = call.number("startTime"), call.number("endTime")
    limit = min(call.number("limit") or default, MOST_ROWS)
    if most_span is not None and start is not None:
        span = int(most_span.total_seconds() * 1000)
        if end is not None and end - start > span:
            hours = span // 3_600_000
            message = f"More than {hours} hours between startTime and endTime."
            raise VenueRefusal(-1127, message)
        end = start + span if end is None else end
    kept = [
        row
        for row in rows
        if (start is None or milliseconds(time_of(row)) >= start)
        and (end is None or milliseconds(time_of(row)) <= end)
    ]
    return kept[-limit:] if start is None else kept[:limit]
