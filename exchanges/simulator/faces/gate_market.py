"""Gate's market data: `/api/v4/futures/usdt/*`, sizes in contracts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from exchanges.domain import Level
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces.gate_calls import (
    PREFIX,
    Call,
    listing_named,
    page,
    seconds,
    size,
    whole,
)
from exchanges.simulator.listings import GATE, Listing
from exchanges.simulator.market import next_settlement
from exchanges.simulator.wire import Json, milliseconds, plain

DAY = timedelta(days=1)
FUNDING_CAP = "0.003"
TIME = "/api/v4/spot/time"


class MarketPages:
    """The market-data routes over one simulator."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._listings = simulator.listings_at(GATE)
        self.routes: dict[tuple[str, str], Callable[[Call], object]] = {
            ("GET", TIME): lambda call: {"server_time": milliseconds(call.now)},
            ("GET", f"{PREFIX}contracts"): self._contracts,
            ("GET", f"{PREFIX}tickers"): self._tickers,
            ("GET", f"{PREFIX}order_book"): self._depth,
            ("GET", f"{PREFIX}funding_rate"): self._settlements,
            ("GET", f"{PREFIX}risk_limit_tiers"): lambda call: tiers(self._named(call)),
        }

    def _named(self, call: Call) -> Listing:
        return listing_named(self._listings, call.required("contract"))

    def _contracts(self, call: Call) -> list[Json]:
        return [
            contract(self._simulator, listing, call.now) | _sizes(self._simulator, listing, call)
            for listing in self._listings.values()
        ]

    def _tickers(self, call: Call) -> list[Json]:
        asked = [self._named(call)] if call.text("contract") else self._listings.values()
        return [ticker(self._simulator, listing, call.now) for listing in asked]

    def _depth(self, call: Call) -> Json:
        listing, depth = self._named(call), call.number("limit", 10)
        book = self._simulator.book(listing, call.now)

        def levels(rows: Iterable[Level]) -> list[Json]:
            return [
                {"p": plain(row.price), "s": call.size(listing, row.base_quantity)} for row in rows
            ]

        return {
            "asks": levels(book.asks[:depth]),
            "bids": levels(book.bids[:depth]),
            "current": seconds(call.now),
            "id": book.update_id,
            "update": seconds(call.now),
        }

    def _settlements(self, call: Call) -> list[Json]:
        settled = self._simulator.settled(self._named(call), now=call.now)[::-1]
        return [
            {"r": plain(row.rate), "t": milliseconds(row.at) // 1000}
            for row in page(call, settled, lambda row: row.at)
        ]


def _sizes(simulator: Simulator, listing: Listing, call: Call) -> Json:
    return {
        "order_size_max": call.size(listing, listing.max_quantity),
        "order_size_min": call.size(listing, listing.lot),
        "position_size": call.size(listing, simulator.market.open_interest(listing)),
    }


def tiers(listing: Listing) -> list[Json]:
    return [
        {
            "contract": listing.symbol,
            "tier": number,
            "risk_limit": plain(tier.notional_cap),
            "initial_rate": plain(round(1 / tier.max_leverage, 8)),
            "maintenance_rate": plain(tier.maintenance_rate),
            "leverage_max": plain(tier.max_leverage),
            "deduction": plain(tier.maintenance_amount),
        }
        for number, tier in enumerate(listing.tiers, start=1)
    ]


def contract(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    market = simulator.market
    interval = market.interval(listing)
    price = plain(market.mark(listing, now))
    return {
        "enable_decimal": False,
        "funding_interval": int(interval.total_seconds()),
        "funding_next_apply": milliseconds(next_settlement(now, interval)) // 1000,
        "funding_offset": 0,
        "funding_rate": plain(market.predicted_rate(listing, now)),
        "funding_rate_indicative": plain(market.predicted_rate(listing, now)),
        "funding_rate_limit": FUNDING_CAP,
        "in_delisting": False,
        "delisting_time": 0,
        "delisted_time": 0,
        "index_price": plain(market.index(listing, now)),
        "is_pre_market": False,
        "last_price": price,
        "leverage_max": plain(listing.max_leverage),
        "leverage_min": "1",
        "maintenance_rate": plain(listing.tiers[0].maintenance_rate),
        "maker_fee_rate": plain(listing.maker_fee),
        "mark_price": price,
        "mark_type": "index",
        "market_order_size_max": size(listing, listing.max_quantity),
        "name": listing.symbol,
        "order_price_deviate": plain(listing.price_band),
        "order_price_round": plain(listing.tick),
        "orders_limit": 100,
        "quanto_multiplier": plain(listing.contract_value),
        "risk_limit_base": plain(listing.tiers[0].notional_cap),
        "status": "trading",
        "taker_fee_rate": plain(listing.taker_fee),
        "type": "direct",
    }


def ticker(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    """Return one ticker as the list shows it."""
    market, book = simulator.market, simulator.book(listing, now)
    last = market.mark(listing, now)
    before = market.mark(listing, now.replace(second=0, microsecond=0) - DAY)
    volume = market.day_volume(listing)
    return {
        "change_percentage": plain(round((last / before - 1) * 100, 2)),
        "contract": listing.symbol,
        "funding_rate": plain(market.predicted_rate(listing, now)),
        "funding_rate_indicative": plain(market.predicted_rate(listing, now)),
        "high_24h": plain(max(last, before)),
        "highest_bid": plain(book.bid.price),
        "highest_size": size(listing, book.bid.base_quantity),
        "index_price": plain(market.index(listing, now)),
        "last": plain(last),
        "low_24h": plain(min(last, before)),
        "lowest_ask": plain(book.ask.price),
        "lowest_size": size(listing, book.ask.base_quantity),
        "mark_price": plain(last),
        "quanto_multiplier": plain(listing.contract_value),
        "total_size": size(listing, market.open_interest(listing)),
        "volume_24h": str(whole(listing, volume)),
        "volume_24h_base": plain(volume),
        "volume_24h_quote": plain(round(volume * last, 0)),
        "volume_24h_settle": plain(round(volume * last, 0)),
    }


def streamed_ticker(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    """Return one ticker as the channel shows it: with its settlement, without the touch."""
    row, interval = ticker(simulator, listing, now), simulator.market.interval(listing)
    untold = ("highest_bid", "highest_size", "lowest_ask", "lowest_size", "quanto_multiplier")
    return {name: value for name, value in row.items() if name not in untold} | {
        "funding_interval": int(interval.total_seconds()),
        "funding_next_apply": milliseconds(next_settlement(now, interval)) // 1000,
        "funding_offset": 0,
        "t": milliseconds(now),
    }


def streamed_top(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    book = simulator.book(listing, now)

    def told(level: Level) -> tuple[str, str]:
        return plain(level.price), size(listing, level.base_quantity)

    (bid, bid_size), (ask, ask_size) = told(book.bid), told(book.ask)
    return {
        "A": ask_size,
        "B": bid_size,
        "a": ask,
        "b": bid,
        "s": listing.symbol,
        "t": milliseconds(now),
        "u": book.update_id,
    }
