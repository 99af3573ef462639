"""Bybit v5 market data: `/v5/market/*`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from exchanges.simulator.core import Simulator, whole_minutes
from exchanges.simulator.faces.bybit_spot import loan, spot_instrument, spot_ticker
from exchanges.simulator.listings import BYBIT, BYBIT_SPOT, Listing
from exchanges.simulator.market import next_settlement
from exchanges.simulator.wire import Json, VenueRefusal, milliseconds, plain

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
LAUNCH_TIME = "1584230400000"
FUNDING_CAP = "0.00375"
NO_FUNDING = {
    "fundingRate": "",
    "nextFundingTime": "",
    "fundingIntervalHour": "",
    "fundingCap": "",
}


class MarketCall(Protocol):
    @property
    def now(self) -> datetime: ...

    def text(self, name: str) -> str: ...

    def number(self, name: str, default: int) -> int: ...

    def moment(self, name: str) -> int | None: ...


class MarketPages:
    """The market-data routes over one simulator."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._contracts = simulator.listings_at(BYBIT)
        self._spot = simulator.listings_at(BYBIT_SPOT)
        self.routes: dict[tuple[str, str], Callable[[Any], Json]] = {
            ("GET", "/v5/market/time"): self._time,
            ("GET", "/v5/market/instruments-info"): self._instruments,
            ("GET", "/v5/market/tickers"): self._tickers,
            ("GET", "/v5/market/orderbook"): self._orderbook,
            ("GET", "/v5/market/funding/history"): self._funding_history,
            ("GET", "/v5/market/risk-limit"): self._risk_limit,
            ("GET", "/v5/market/open-interest"): self._open_interest,
            ("GET", "/v5/spot-margin-trade/data"): self._loans,
            ("GET", "/v5/system/status"): self._status,
        }

    def _asked(self, call: MarketCall) -> list[Listing]:
        """Return the listings of the category a call names, or the one symbol of it."""
        category, symbol = call.text("category"), call.text("symbol")
        if category not in ("linear", "inverse", "spot", "option"):
            raise VenueRefusal(10001, "params error: Category is invalid", status=200)
        rows = self._of_category(category)
        if not symbol:
            return rows
        found = [row for row in rows if row.symbol == symbol]
        if not found:
            message = f"params error: symbol invalid {symbol}"
            raise VenueRefusal(10001, message, status=200)
        return found

    def _of_category(self, category: str) -> list[Listing]:
        if category == "spot":
            return list(self._spot.values())
        if category == "option":
            return []
        is_inverse = category == "inverse"
        return [row for row in self._contracts.values() if row.is_inverse == is_inverse]

    def _one(self, call: MarketCall) -> Listing:
        found = self._asked(call)
        if not call.text("symbol") or not found:
            raise VenueRefusal(10001, "params error: symbol invalid", status=200)
        return found[0]

    def _time(self, call: MarketCall) -> Json:
        stamp = milliseconds(call.now)
        return {"timeSecond": str(stamp // 1000), "timeNano": str(stamp * 1_000_000)}

    def _instruments(self, call: MarketCall) -> Json:
        asked = [] if call.text("status") == "PreLaunch" else self._asked(call)
        rows = [
            instrument(self._simulator, row) if row.is_contract else spot_instrument(row)
            for row in asked
        ]
        return {"category": call.text("category"), "list": rows, "nextPageCursor": ""}

    def _tickers(self, call: MarketCall) -> Json:
        rows = []
        for listing in self._asked(call):
            build = ticker if listing.is_contract else spot_ticker
            told = build(self._simulator, listing, call.now)
            rows.append(told | _touch(self._simulator, listing, call.now))
        return {"category": call.text("category"), "list": rows}

    def _status(self, call: MarketCall) -> Json:
        """Return all windows, those that are over included."""
        rows = [
            {
                "id": f"maintenance-{window.number}",
                "title": window.title,
                "state": window.state(call.now),
                "begin": str(milliseconds(window.begins_at)),
                "end": str(milliseconds(window.ends_at)),
                "href": "",
                "serviceTypes": [1, 2, 3],
                "product": [1, 2],
                "uidSuffix": [],
                "maintainType": 1,
                "env": 1,
            }
            for window in self._simulator.announcements.maintenance(BYBIT)
        ]
        return {"list": rows}

    def _orderbook(self, call: MarketCall) -> Json:
        listing = self._one(call)
        limit = call.number("limit", 25)
        return book_levels(self._simulator, listing, call.now, limit) | {
            "ts": milliseconds(call.now),
            "cts": milliseconds(call.now),
        }

    def _funding_history(self, call: MarketCall) -> Json:
        listing = self._one(call)
        start, end = call.moment("startTime"), call.moment("endTime")
        if start is not None and end is None:
            raise VenueRefusal(10001, "params error: endTime is required", status=200)
        limit = min(call.number("limit", 200), 200)
        settled = self._simulator.settled(listing, now=call.now) if listing.is_perpetual else []
        rows = [
            row
            for row in reversed(settled)
            if (start is None or milliseconds(row.at) >= start)
            and (end is None or milliseconds(row.at) <= end)
        ]
        listed = [
            {
                "symbol": listing.symbol,
                "fundingRate": plain(row.rate),
                "fundingRateTimestamp": str(milliseconds(row.at)),
            }
            for row in rows[:limit]
        ]
        return {"category": call.text("category"), "list": listed}

    def _risk_limit(self, call: MarketCall) -> Json:
        rows = [tier for listing in self._asked(call) for tier in risk_limits(listing)]
        return {"category": call.text("category"), "list": rows, "nextPageCursor": ""}

    def _loans(self, call: MarketCall) -> Json:
        """Return what each coin costs to borrow; all VIP levels pay alike here."""
        wanted = call.text("currency")
        rows = [
            loan(self._simulator, row, call.now)
            for row in self._spot.values()
            if wanted in ("", row.base)
        ]
        return {"vipCoinList": [{"list": rows, "vipLevel": call.text("vipLevel") or "No VIP"}]}

    def _open_interest(self, call: MarketCall) -> Json:
        listing = self._one(call)
        point = {
            "openInterest": plain(self._simulator.market.open_interest(listing)),
            "timestamp": str(milliseconds(call.now)),
        }
        return {
            "symbol": listing.symbol,
            "category": call.text("category"),
            "list": [point],
            "nextPageCursor": "",
        }


def instrument(simulator: Simulator, listing: Listing) -> Json:
    """`fundingInterval` is in minutes; under time compression it may be a fraction."""
    kind = "InversePerpetual" if listing.is_inverse else "LinearPerpetual"
    if listing.expires_at is not None:
        kind = "LinearFutures"
    most = plain(listing.max_quantity)
    lots = {
        "maxOrderQty": most,
        "minOrderQty": plain(listing.lot),
        "qtyStep": plain(listing.lot),
        "postOnlyMaxOrderQty": most,
        "maxMktOrderQty": most,
    }
    if not listing.is_inverse:
        lots["minNotionalValue"] = plain(listing.min_notional)
    exponent = listing.tick.as_tuple().exponent
    return {
        "symbol": listing.symbol,
        "contractType": kind,
        "status": "Trading",
        "baseCoin": listing.base,
        "quoteCoin": listing.quote,
        "launchTime": LAUNCH_TIME,
        "deliveryTime": _delivery_time(simulator, listing),
        "deliveryFeeRate": _delivery_fee(listing),
        "priceScale": str(-exponent if isinstance(exponent, int) else 0),
        "leverageFilter": {
            "minLeverage": "1",
            "maxLeverage": plain(listing.max_leverage),
            "leverageStep": "0.01",
        },
        "priceFilter": {
            "minPrice": plain(listing.tick),
            "maxPrice": "1999999.80",
            "tickSize": plain(listing.tick),
        },
        "lotSizeFilter": lots,
        "unifiedMarginTrade": True,
        "fundingInterval": (
            whole_minutes(simulator.market.interval(listing)) if listing.is_perpetual else 0
        ),
        "settleCoin": listing.settle,
        "copyTrading": "none",
        "upperFundingRate": FUNDING_CAP,
        "lowerFundingRate": "-" + FUNDING_CAP,
        "isPreListing": False,
    }


def ticker(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    market = simulator.market
    mark = market.mark(listing, now)
    # Past prices by the minute, which the market can remember between beats.
    minute = now.replace(second=0, microsecond=0)
    day_ago, hour_ago = market.mark(listing, minute - DAY), market.mark(listing, minute - HOUR)
    last = plain(mark)
    interest, volume = market.open_interest(listing), market.day_volume(listing)
    return {
        "symbol": listing.symbol,
        "tickDirection": "PlusTick",
        "lastPrice": last,
        "indexPrice": plain(market.index(listing, now)),
        "markPrice": last,
        "prevPrice24h": plain(day_ago),
        "price24hPcnt": format((mark - day_ago) / day_ago, ".6f"),
        "highPrice24h": plain(max(mark, day_ago)),
        "lowPrice24h": plain(min(mark, day_ago)),
        "prevPrice1h": plain(hour_ago),
        "openInterest": plain(interest),
        "openInterestValue": plain(interest * mark),
        "turnover24h": plain(volume * mark),
        "volume24h": plain(volume),
        "predictedDeliveryPrice": "",
        "deliveryFeeRate": _delivery_fee(listing),
        "deliveryTime": _delivery_time(simulator, listing),
        **(_funding(simulator, listing, now) if listing.is_perpetual else NO_FUNDING),
        **_basis(listing, mark, market.index(listing, now)),
        **_touch(simulator, listing, now),
    }


def _touch(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    book = simulator.book(listing, now)
    return {
        "bid1Price": plain(book.bid.price),
        "bid1Size": plain(book.bid.base_quantity),
        "ask1Price": plain(book.ask.price),
        "ask1Size": plain(book.ask.base_quantity),
    }


def _funding(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    interval = simulator.market.interval(listing)
    return {
        "fundingRate": plain(simulator.market.predicted_rate(listing, now)),
        "nextFundingTime": str(milliseconds(next_settlement(now, interval))),
        # The field holds whole hours; a compressed interval has none to say.
        "fundingIntervalHour": "" if interval % HOUR else str(interval // HOUR),
        "fundingCap": FUNDING_CAP,
    }


def _basis(listing: Listing, mark: Decimal, index: Decimal) -> Json:
    if listing.expires_at is None:
        return {"basis": "", "basisRate": ""}
    basis = mark - index
    return {"basis": plain(basis), "basisRate": plain(round(basis / index, 8))}


def _delivery_time(simulator: Simulator, listing: Listing) -> str:
    end = simulator.announcements.end_of(listing)
    return str(milliseconds(end)) if end else "0"


def _delivery_fee(listing: Listing) -> str:
    return plain(listing.taker_fee) if listing.expires_at else ""


def book_levels(simulator: Simulator, listing: Listing, now: datetime, limit: int) -> Json:
    book = simulator.book(listing, now)
    return {
        "s": listing.symbol,
        "b": [[plain(row.price), plain(row.base_quantity)] for row in book.bids[:limit]],
        "a": [[plain(row.price), plain(row.base_quantity)] for row in book.asks[:limit]],
        "u": book.update_id,
        "seq": book.update_id,
    }


def risk_limits(listing: Listing) -> list[Json]:
    return [
        {
            "id": number,
            "symbol": listing.symbol,
            "riskLimitValue": plain(tier.notional_cap),
            "maintenanceMargin": plain(tier.maintenance_rate),
            "initialMargin": plain(round(Decimal(1) / tier.max_leverage, 8)),
            "isLowestRisk": 1 if number == 1 else 0,
            "maxLeverage": plain(tier.max_leverage),
            "mmDeduction": plain(tier.maintenance_amount) if tier.maintenance_amount else "",
        }
        for number, tier in enumerate(listing.tiers, start=1)
    ]
