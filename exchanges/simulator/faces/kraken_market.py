"""Kraken market data: `/0/public/*`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from exchanges.domain import Level
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces.kraken_calls import Call, asset_name, listed_name, listing_named
from exchanges.simulator.listings import KRAKEN, KRAKEN_FUTURES, Listing
from exchanges.simulator.wire import Json, plain

PUBLIC = "/0/public/"
LOT_PLACES = 8
PERCENT = 100
SOON, WEEK = timedelta(hours=72), timedelta(days=7)


class MarketPages:
    """The market-data routes over one simulator."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._listings = simulator.listings_at(KRAKEN)
        self.routes: dict[str, Callable[[Call], Any]] = {
            f"{PUBLIC}Time": self._time,
            f"{PUBLIC}SystemStatus": self._status,
            f"{PUBLIC}MaintenanceSchedule": self._schedule,
            f"{PUBLIC}AssetPairs": lambda call: {row.symbol: _pair(row) for row in self._asked()},
            f"{PUBLIC}Ticker": lambda call: {
                row.symbol: self._ticker(row, call.now) for row in self._asked()
            },
            f"{PUBLIC}Depth": self._depth,
        }

    def _asked(self) -> list[Listing]:
        return list(self._listings.values())

    @staticmethod
    def _time(call: Call) -> Json:
        """Tell whole seconds, as the venue does."""
        written = call.now.strftime("%a, %d %b %y %H:%M:%S +0000")
        return {"unixtime": int(call.now.timestamp()), "rfc1123": written}

    def _status(self, call: Call) -> Json:
        windows = self._simulator.announcements.maintenance(KRAKEN)
        goes_on = any(window.state(call.now) == "ongoing" for window in windows)
        return {
            "status": "maintenance" if goes_on else "online",
            "timestamp": _written(call.now),
            "upcoming_maintenance": self._events(call.now, SOON),
            "emergency": [],
        }

    def _schedule(self, call: Call) -> Json:
        return {"events": self._events(call.now, WEEK)}

    def _events(self, now: datetime, within: timedelta) -> list[Json]:
        """Return what begins so soon, of spot and futures; what has begun is listed no more."""
        windows = [
            (window, f"{house}_trading")
            for venue, house in ((KRAKEN, "spot"), (KRAKEN_FUTURES, "futures"))
            for window in self._simulator.announcements.maintenance(venue)
            if now < window.begins_at <= now + within
        ]
        return [
            {
                "event_id": window.number,
                "title": window.title,
                "expected_start_utc": _written(window.begins_at),
                "expected_end_utc": _written(window.ends_at),
                "time_to_start_s": int((window.begins_at - now).total_seconds()),
                "phase": "announced",
                "affected_services": [service],
                "order_submission": "allowed",
                "recommended_action": "continue",
                "cancel_before_utc": _written(window.begins_at),
                "source_url": "https://status.kraken.com/",
            }
            for window, service in sorted(windows, key=lambda one: one[0].begins_at)
        ]

    def _ticker(self, listing: Listing, now: datetime) -> Json:
        book, last = self._simulator.book(listing, now), self._simulator.market.mark(listing, now)
        sides = {"a": book.ask, "b": book.bid}
        touches = {name: _touch(level) for name, level in sides.items()}
        prices = {name: [plain(last), plain(last)] for name in ("p", "l", "h")}
        volume = plain(listing.max_quantity / PERCENT)
        last_trade = [plain(last), plain(listing.lot)]
        totals = {"v": [volume, volume], "t": [1, 2], "o": plain(last)}
        return {**touches, "c": last_trade, **prices, **totals}

    def _depth(self, call: Call) -> Json:
        listing = listing_named(self._listings, call)
        count, book = call.number("count", PERCENT), self._simulator.book(listing, call.now)
        stamp = int(call.now.timestamp())
        rows = {"asks": book.asks, "bids": book.bids}
        return {
            listing.symbol: {
                side: [[plain(row.price), plain(row.base_quantity), stamp] for row in found[:count]]
                for side, found in rows.items()
            }
        }


def _written(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _touch(level: Level) -> list[str]:
    size = plain(level.base_quantity)
    return [plain(level.price), str(int(level.base_quantity)), size]


def price_places(listing: Listing) -> int:
    return -int(listing.tick.as_tuple().exponent)


def _pair(listing: Listing) -> Json:
    return {
        "altname": listing.symbol,
        "wsname": listed_name(listing),
        "aclass_base": "currency",
        "base": asset_name(listing.base),
        "aclass_quote": "currency",
        "quote": asset_name(listing.quote),
        "lot": "unit",
        "cost_decimals": 5,
        "pair_decimals": price_places(listing),
        "lot_decimals": -int(listing.lot.as_tuple().exponent),
        "lot_multiplier": 1,
        "leverage_buy": [2, 3],
        "leverage_sell": [2, 3],
        "fees": [[0, float(listing.taker_fee * PERCENT)]],
        "fees_maker": [[0, float(listing.maker_fee * PERCENT)]],
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": plain(listing.lot),
        "costmin": plain(listing.min_notional),
        "tick_size": plain(listing.tick),
        "status": "limit_only" if listing.limits_only else "online",
    }
