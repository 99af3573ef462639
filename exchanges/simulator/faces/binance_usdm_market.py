"""Payloads of Binance USD-M market data."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from exchanges.simulator.core import Settled, Simulator
from exchanges.simulator.faces.binance_questions import rolling_day
from exchanges.simulator.listings import Listing
from exchanges.simulator.market import next_settlement
from exchanges.simulator.wire import Json, milliseconds, plain

EIGHT_HOURS = timedelta(hours=8)
HOUR = timedelta(hours=1)
ONBOARD_DATE = 1569398400000
DELIVERY_DATE = 4133404800000
INTEREST_RATE = "0.00010000"


def exchange_info(simulator: Simulator, listings: Iterable[Listing], now: datetime) -> Json:
    return {
        "timezone": "UTC",
        "serverTime": milliseconds(now),
        "futuresType": "U_MARGINED",
        "rateLimits": [
            {
                "rateLimitType": "REQUEST_WEIGHT",
                "interval": "MINUTE",
                "intervalNum": 1,
                "limit": 2400,
            },
            {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 1200},
        ],
        "exchangeFilters": [],
        "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"}],
        "symbols": _symbols(simulator, list(listings)),
    }


def _symbols(simulator: Simulator, listings: list[Listing]) -> list[Json]:
    expiries = sorted({row.expires_at for row in listings if row.expires_at is not None})
    quarters = dict.fromkeys(expiries, "NEXT_QUARTER")
    quarters |= dict.fromkeys(expiries[:1], "CURRENT_QUARTER")
    return [
        _symbol(
            row,
            quarters[row.expires_at] if row.expires_at else "PERPETUAL",
            simulator.announcements.end_of(row),
        )
        for row in listings
    ]


def _symbol(listing: Listing, contract_type: str, end: datetime | None) -> Json:
    lot, most = plain(listing.lot), plain(listing.max_quantity)
    return {
        "symbol": listing.symbol,
        "pair": f"{listing.base}{listing.quote}",
        "contractType": contract_type,
        "deliveryDate": milliseconds(end) if end else DELIVERY_DATE,
        "onboardDate": ONBOARD_DATE,
        "status": "TRADING",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": listing.base,
        "quoteAsset": listing.quote,
        "marginAsset": listing.settle,
        "pricePrecision": _places(listing.tick),
        "quantityPrecision": _places(listing.lot),
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": "0.05",
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": plain(listing.tick),
                "maxPrice": "4529764",
                "tickSize": plain(listing.tick),
            },
            {"filterType": "LOT_SIZE", "stepSize": lot, "maxQty": most, "minQty": lot},
            {"filterType": "MARKET_LOT_SIZE", "stepSize": lot, "maxQty": most, "minQty": lot},
            {"filterType": "MAX_NUM_ORDERS", "limit": 200},
            {"filterType": "MIN_NOTIONAL", "notional": plain(listing.min_notional)},
            {
                "filterType": "PERCENT_PRICE",
                "multiplierUp": plain(1 + listing.price_band),
                "multiplierDown": plain(1 - listing.price_band),
                "multiplierDecimal": "4",
            },
        ],
        "orderTypes": ["LIMIT", "MARKET"],
        "timeInForce": ["GTC", "IOC", "GTX"],
    }


def _places(step: Decimal) -> int:
    exponent = step.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def premium_index(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    """`lastFundingRate` is, despite its name, the predicted rate of `nextFundingTime`.

    A dated future has neither.
    """
    market = simulator.market
    index = plain(market.index(listing, now))
    return {
        "symbol": listing.symbol,
        "markPrice": plain(market.mark(listing, now)),
        "indexPrice": index,
        "estimatedSettlePrice": index,
        "lastFundingRate": predicted_rate(simulator, listing, now),
        "interestRate": INTEREST_RATE if listing.is_perpetual else "",
        "nextFundingTime": next_funding_time(simulator, listing, now),
        "time": milliseconds(now),
    }


def predicted_rate(simulator: Simulator, listing: Listing, now: datetime) -> str:
    """Return the rate of the settlement to come, empty where there is none."""
    return plain(simulator.market.predicted_rate(listing, now)) if listing.is_perpetual else ""


def next_funding_time(simulator: Simulator, listing: Listing, now: datetime) -> int:
    if not listing.is_perpetual:
        return 0
    return milliseconds(next_settlement(now, simulator.market.interval(listing)))


def funding_info(simulator: Simulator, listings: Iterable[Listing]) -> list[Json]:
    """Return the adjusted symbols only: whole hours other than the default of eight."""
    rows = []
    for listing in listings:
        if not listing.is_perpetual:
            continue
        interval = simulator.market.interval(listing)
        if interval != EIGHT_HOURS and not interval % HOUR:
            rows.append(
                {
                    "symbol": listing.symbol,
                    "adjustedFundingRateCap": "0.02",
                    "adjustedFundingRateFloor": "-0.02",
                    "fundingIntervalHours": interval // HOUR,
                    "disclaimer": False,
                }
            )
    return rows


def funding_rate(listing: Listing, settled: Settled) -> Json:
    return {
        "symbol": listing.symbol,
        "fundingRate": plain(settled.rate),
        "fundingTime": milliseconds(settled.at),
        "markPrice": plain(settled.price),
    }


def book_ticker(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    book = simulator.book(listing, now)
    return {
        "symbol": listing.symbol,
        "bidPrice": plain(book.bid.price),
        "bidQty": plain(book.bid.base_quantity),
        "askPrice": plain(book.ask.price),
        "askQty": plain(book.ask.base_quantity),
        "time": milliseconds(now),
        "lastUpdateId": book.update_id,
    }


def depth(simulator: Simulator, listing: Listing, now: datetime, limit: int) -> Json:
    book = simulator.book(listing, now)
    stamp = milliseconds(now)
    return {
        "lastUpdateId": book.update_id,
        "E": stamp,
        "T": stamp,
        "bids": [[plain(row.price), plain(row.base_quantity)] for row in book.bids[:limit]],
        "asks": [[plain(row.price), plain(row.base_quantity)] for row in book.asks[:limit]],
    }


def ticker(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    return rolling_day(simulator, listing, simulator.market.day_volume(listing), now)


def leverage_bracket(listing: Listing) -> Json:
    brackets = []
    floor = Decimal(0)
    for number, tier in enumerate(listing.tiers, start=1):
        brackets.append(
            {
                "bracket": number,
                "initialLeverage": int(tier.max_leverage),
                "notionalCap": int(tier.notional_cap),
                "notionalFloor": int(floor),
                "maintMarginRatio": float(tier.maintenance_rate),
                "cum": float(tier.maintenance_amount),
            }
        )
        floor = tier.notional_cap
    return {"symbol": listing.symbol, "notionalCoef": 1.0, "brackets": brackets}
