"""Payloads of Bybit v5 spot markets and of what borrowing their coins costs."""

from __future__ import annotations

from datetime import datetime, timedelta

from exchanges.loans import COLLATERAL_RATE
from exchanges.simulator.core import Simulator
from exchanges.simulator.listings import Listing
from exchanges.simulator.wire import Json, plain

DAY = timedelta(days=1)
QUOTE_PRECISION = "0.00000001"
MOST_VALUE = "4000000"


def spot_instrument(listing: Listing) -> Json:
    lot = plain(listing.lot)
    return {
        "symbol": listing.symbol,
        "baseCoin": listing.base,
        "quoteCoin": listing.quote,
        "innovation": "0",
        "status": "Trading",
        "marginTrading": "utaOnly" if listing.most_borrowed else "none",
        "stTag": "0",
        "lotSizeFilter": {
            "basePrecision": lot,
            "quotePrecision": QUOTE_PRECISION,
            "minOrderQty": lot,
            "maxOrderQty": plain(listing.max_quantity),
            "minOrderAmt": plain(listing.min_notional),
            "maxOrderAmt": MOST_VALUE,
        },
        "priceFilter": {"tickSize": plain(listing.tick)},
        "riskParameters": {
            "priceLimitRatioX": plain(listing.price_band),
            "priceLimitRatioY": plain(listing.price_band),
        },
    }


def spot_ticker(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    market = simulator.market
    last = market.mark(listing, now)
    day_ago = market.mark(listing, now.replace(second=0, microsecond=0) - DAY)
    volume = listing.max_quantity / 100
    return {
        "symbol": listing.symbol,
        "lastPrice": plain(last),
        "prevPrice24h": plain(day_ago),
        "price24hPcnt": format((last - day_ago) / day_ago, ".6f"),
        "highPrice24h": plain(max(last, day_ago)),
        "lowPrice24h": plain(min(last, day_ago)),
        "turnover24h": plain(volume * last),
        "volume24h": plain(volume),
        "usdIndexPrice": plain(market.index(listing, now)),
    }


def loan(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    is_lent = bool(listing.most_borrowed)
    return {
        "borrowable": is_lent,
        "collateralRatio": plain(COLLATERAL_RATE),
        "currency": listing.base,
        "hourlyBorrowRate": plain(simulator.market.borrow_rate(listing, now)) if is_lent else "",
        "liquidationOrder": "1",
        "marginCollateral": True,
        "maxBorrowingAmount": plain(listing.most_borrowed),
    }
