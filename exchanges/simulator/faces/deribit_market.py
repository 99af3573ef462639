"""Deribit market data: `public/…`, rates of eight hours, a history of hours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from exchanges.simulator.accrual import owed_between, period_of
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces.deribit_calls import Call, Number, listing_named, number
from exchanges.simulator.listings import DERIBIT, Listing
from exchanges.simulator.wire import Json, milliseconds

EIGHT = Decimal(8)
USUAL_DEPTH = 5
VALUE_STEP = Decimal("1e-20")
NEVER = 32503708800000


class MarketPages:
    """The market-data methods over one simulator."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._listings = simulator.listings_at(DERIBIT)
        self.routes: dict[str, Callable[[Call], object]] = {
            "public/get_time": lambda call: milliseconds(call.now),
            "public/get_instruments": self._instruments,
            "public/get_book_summary_by_currency": self._summaries,
            "public/get_funding_rate_history": self._history,
            "public/get_funding_rate_value": self._value,
            "public/get_order_book": self._book,
        }

    def _instruments(self, call: Call) -> list[Json]:
        return [instrument(row) for row in self._listings.values()]

    def _summaries(self, call: Call) -> list[Json]:
        return [summary(self._simulator, row, call.now) for row in self._listings.values()]

    def _history(self, call: Call) -> list[Json]:
        listing = listing_named(self._listings, call.required("instrument_name"))
        since, until = call.number("start_timestamp", 0), call.number("end_timestamp", 1 << 53)
        return [
            {
                "timestamp": milliseconds(row.at),
                "index_price": number(row.price),
                "prev_index_price": number(row.price),
                "interest_8h": number(row.rate * EIGHT),
                "interest_1h": number(row.rate),
            }
            for row in self._simulator.settled(listing, now=call.now)
            if since <= milliseconds(row.at) <= until
        ]

    def _value(self, call: Call) -> Number:
        """Return what was owed between two instants, of which the later is not to come."""
        listing = listing_named(self._listings, call.required("instrument_name"))
        since, until = (instant(call, name) for name in ("start_timestamp", "end_timestamp"))
        simulator, until = self._simulator, min(until, call.now)
        owed = owed_between(simulator.ledger, simulator.market, listing, since, until)
        return number(owed.quantize(VALUE_STEP))

    def _book(self, call: Call) -> Json:
        listing = listing_named(self._listings, call.required("instrument_name"))
        book, depth = self._simulator.book(listing, call.now), call.number("depth", USUAL_DEPTH)
        sides = {
            side: [[number(row.price), number(row.base_quantity)] for row in rows[:depth]]
            for side, rows in {"bids": book.bids, "asks": book.asks}.items()
        }
        return {**ticker(self._simulator, listing, call.now), **sides, "change_id": book.update_id}


def _now(simulator: Simulator, listing: Listing, now: datetime) -> Decimal:
    """Return the rate of the present hour."""
    _, ends = period_of(simulator.market, listing, now + timedelta.resolution)
    return simulator.market.settled_rate(listing, ends)


def instant(call: Call, name: str) -> datetime:
    call.required(name)
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=call.number(name, 0))


def instrument(listing: Listing) -> Json:
    return {
        "price_index": f"{listing.base.lower()}_usdc",
        "kind": "future",
        "instrument_name": listing.symbol,
        "max_leverage": int(listing.max_leverage),
        "maker_commission": number(listing.maker_fee),
        "taker_commission": number(listing.taker_fee),
        "expiration_timestamp": NEVER,
        "creation_timestamp": 1706264460000,
        "is_active": True,
        "tick_size": number(listing.tick),
        "contract_size": number(listing.lot),
        "min_trade_amount": number(listing.lot),
        "future_type": "linear",
        "instrument_type": "linear",
        "settlement_currency": "USDC",
        "settlement_period": "perpetual",
        "base_currency": listing.base,
        "counter_currency": "USDC",
        "quote_currency": "USDC",
    }


def summary(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    row, market = ticker(simulator, listing, now), simulator.market
    volume = market.day_volume(listing)
    worth = number(volume * market.mark(listing, now))
    return {
        "instrument_name": listing.symbol,
        "base_currency": listing.base,
        "quote_currency": "USDC",
        "mark_price": row["mark_price"],
        "open_interest": row["open_interest"],
        "volume": number(volume),
        "volume_usd": worth,
        "volume_notional": worth,
        "estimated_delivery_price": row["index_price"],
        "current_funding": row["current_funding"],
        "funding_8h": row["funding_8h"],
        "bid_price": row["best_bid_price"],
        "ask_price": row["best_ask_price"],
        "creation_timestamp": row["timestamp"],
    }


def ticker(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    market, book = simulator.market, simulator.book(listing, now)
    mark, rate = number(market.mark(listing, now)), number(_now(simulator, listing, now) * EIGHT)
    return {
        "timestamp": milliseconds(now),
        "state": "open",
        "instrument_name": listing.symbol,
        "index_price": number(market.index(listing, now)),
        "mark_price": mark,
        "last_price": mark,
        "open_interest": number(market.open_interest(listing)),
        "best_bid_price": number(book.bid.price),
        "best_bid_amount": number(book.bid.base_quantity),
        "best_ask_price": number(book.ask.price),
        "best_ask_amount": number(book.ask.base_quantity),
        "current_funding": rate,
        "funding_8h": rate,
    }
