"""Kraken Futures market data: `/derivatives/api/v3`, rates in dollars a unit and hour."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from exchanges.simulator.accrual import period_of
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces.kraken_futures_calls import Call, iso, listing_named, number
from exchanges.simulator.listings import KRAKEN_FUTURES, KRAKEN_NAMES, Listing
from exchanges.simulator.wire import Json, milliseconds

PATH = "/derivatives/api/v3/"
HISTORY_PATH = "/derivatives/api/v4/historicalfundingrates"
RATE_CAP = 0.0025
DAY = timedelta(days=1)
RATE_STEP = Decimal("1e-15")


class MarketPages:
    """The market-data routes over one simulator."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._listings = simulator.listings_at(KRAKEN_FUTURES)
        self.routes: dict[tuple[str, str], Callable[[Call], Json]] = {
            ("GET", f"{PATH}instruments"): self._instruments,
            ("GET", f"{PATH}tickers"): self._tickers,
            ("GET", f"{PATH}orderbook"): self._book,
            ("GET", HISTORY_PATH): self._rates,
            **{("GET", f"{PATH}tickers/{name}"): self._one(name) for name in self._listings},
        }

    def _one(self, name: str) -> Callable[[Call], Json]:
        return lambda call: {"ticker": ticker(self._simulator, self._listings[name], call.now)}

    def _instruments(self, call: Call) -> Json:
        return {"instruments": [instrument(row) for row in self._listings.values()]}

    def _tickers(self, call: Call) -> Json:
        rows = self._listings.values()
        return {"tickers": [ticker(self._simulator, row, call.now) for row in rows]}

    def _book(self, call: Call) -> Json:
        listing = listing_named(self._listings, call.required("symbol"))
        book = self._simulator.book(listing, call.now)
        sides = {"bids": book.bids, "asks": book.asks}
        return {
            "orderBook": {
                side: [[number(row.price), number(row.base_quantity)] for row in rows]
                for side, rows in sides.items()
            }
        }

    def _rates(self, call: Call) -> Json:
        """Return the rate of each period by its beginning, that of the present one included."""
        listing = listing_named(self._listings, call.required("symbol"))
        interval = self._simulator.market.interval(listing)
        settled = self._simulator.settled(listing, now=call.now)
        begun = [(row.at - interval, row.price, row.rate) for row in settled]
        begins, price, rate = present(self._simulator, listing, call.now)
        return {
            "rates": [
                {
                    "timestamp": iso(at),
                    "fundingRate": number(dollars(price, rate)),
                    "relativeFundingRate": number(rate),
                }
                for at, price, rate in [*begun, (begins, price, rate)]
            ]
        }


def present(
    simulator: Simulator, listing: Listing, now: datetime
) -> tuple[datetime, Decimal, Decimal]:
    """Return when the present period began, the index then, and its rate as a fraction of it."""
    begins, ends = period_of(simulator.market, listing, now + timedelta.resolution)
    market = simulator.market
    return begins, market.index(listing, begins), market.settled_rate(listing, ends)


def dollars(price: Decimal, rate: Decimal) -> Decimal:
    return (price * rate).quantize(RATE_STEP)


def _name(listing: Listing) -> str:
    return KRAKEN_NAMES.get(listing.base, listing.base)


def instrument(listing: Listing) -> Json:
    least = Decimal(0)
    levels = []
    for tier in listing.tiers:
        levels.append(
            {
                "numNonContractUnits": number(least),
                "initialMargin": float(1 / tier.max_leverage),
                "maintenanceMargin": float(tier.maintenance_rate),
            }
        )
        least = tier.notional_cap
    return {
        "symbol": listing.symbol,
        "type": "flexible_futures",
        "tradeable": True,
        "base": _name(listing),
        "quote": "USD",
        "pair": f"{_name(listing)}:USD",
        "tickSize": number(listing.tick),
        "contractSize": 1,
        "contractValueTradePrecision": -int(listing.lot.as_tuple().exponent),
        "impactMidSize": 1.0,
        "maxPositionSize": number(listing.max_quantity),
        "openingDate": "2022-03-22T13:18:45Z",
        "marginLevels": levels,
        "fundingRateCoefficient": 8,
        "maxRelativeFundingRate": RATE_CAP,
        "postOnly": False,
        "feeScheduleUid": "eef90775-995b-4596-9257-0917f6134766",
        "category": "",
        "tags": [],
    }


def ticker(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    market, book = simulator.market, simulator.book(listing, now)
    last, volume = market.mark(listing, now), market.day_volume(listing)
    _, price, rate = present(simulator, listing, now)
    before = market.mark(listing, now.replace(second=0, microsecond=0) - DAY)
    return {
        "symbol": listing.symbol,
        "tag": "perpetual",
        "pair": f"{_name(listing)}:USD",
        "last": number(last),
        "lastTime": iso(now),
        "markPrice": number(last),
        "indexPrice": number(market.index(listing, now)),
        "bid": number(book.bid.price),
        "bidSize": number(book.bid.base_quantity),
        "ask": number(book.ask.price),
        "askSize": number(book.ask.base_quantity),
        "vol24h": number(volume),
        "volumeQuote": number(volume * last),
        "openInterest": number(market.open_interest(listing)),
        "open24h": number(before),
        "fundingRate": number(dollars(price, rate)),
        "fundingRatePrediction": number(dollars(price, rate)),
        "suspended": False,
        "postOnly": False,
    }


def streamed_ticker(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    row = ticker(simulator, listing, now)
    _, ends = period_of(simulator.market, listing, now + timedelta.resolution)
    return {
        "feed": "ticker",
        "time": milliseconds(now),
        "product_id": listing.symbol,
        "tag": "perpetual",
        "pair": row["pair"],
        "bid": row["bid"],
        "bid_size": row["bidSize"],
        "ask": row["ask"],
        "ask_size": row["askSize"],
        "last": row["last"],
        "index": row["indexPrice"],
        "markPrice": row["markPrice"],
        "openInterest": row["openInterest"],
        "volume": row["vol24h"],
        "volumeQuote": row["volumeQuote"],
        "funding_rate": row["fundingRate"],
        "funding_rate_prediction": row["fundingRatePrediction"],
        "next_funding_rate_time": milliseconds(ends),
        "suspended": False,
        "post_only": False,
    }
