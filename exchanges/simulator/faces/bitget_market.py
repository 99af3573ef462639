"""Bitget v2 market data: `/api/v2/mix/market/*`, of contracts margined in USDT."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from exchanges.domain import Level
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces.bitget_calls import PRODUCTS, Call, bad, listing_named
from exchanges.simulator.listings import BITGET, Listing
from exchanges.simulator.market import next_settlement
from exchanges.simulator.wire import Json, milliseconds, plain

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FUNDING_CAP = "0.003"
DEPTHS = {"1": 1, "5": 5, "15": 15, "50": 50, "100": 100, "max": 1000, "": 100}
MOST_SETTLEMENTS = 100
PUBLIC = "/api/v2/mix/market/"

Builder = Callable[[Simulator, Listing, datetime], Json]


class MarketPages:
    """The market-data routes over one simulator."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._listings = simulator.listings_at(BITGET)
        self.routes: dict[tuple[str, str], Callable[[Call], object]] = {
            ("GET", "/api/v2/public/time"): lambda call: {
                "serverTime": str(milliseconds(call.now))
            },
            ("GET", f"{PUBLIC}contracts"): self._of_all(contract),
            ("GET", f"{PUBLIC}tickers"): self._of_all(ticker),
            ("GET", f"{PUBLIC}current-fund-rate"): self._of_all(funding_rate),
            ("GET", f"{PUBLIC}history-fund-rate"): self._settlements,
            ("GET", f"{PUBLIC}merge-depth"): self._depth,
            ("GET", f"{PUBLIC}query-position-lever"): self._tiers,
        }

    def _of_all(self, build: Builder) -> Callable[[Call], object]:
        return lambda call: [build(self._simulator, row, call.now) for row in self._asked(call)]

    def _asked(self, call: Call) -> list[Listing]:
        if call.required("productType").upper() not in PRODUCTS:
            raise bad("productType")
        if call.text("symbol"):
            return [listing_named(self._listings, call)]
        return list(self._listings.values()) if call.is_of_dollars else []

    def _settlements(self, call: Call) -> list[Json]:
        listing = listing_named(self._listings, call)
        size = min(call.number("pageSize", 20), MOST_SETTLEMENTS)
        first = (call.number("pageNo", 1) - 1) * size
        settled = self._simulator.settled(listing, now=call.now)[::-1]
        return [
            {
                "symbol": listing.symbol,
                "fundingRate": plain(row.rate),
                "fundingTime": str(milliseconds(row.at)),
            }
            for row in settled[first : first + size]
        ]

    def _depth(self, call: Call) -> Json:
        listing, depth = listing_named(self._listings, call), DEPTHS.get(call.text("limit"))
        if depth is None:
            raise bad("limit")
        book = self._simulator.book(listing, call.now)
        return {
            "asks": levels(book.asks[:depth]),
            "bids": levels(book.bids[:depth]),
            "isMaxPrecision": "NO",
            "precision": "scale0",
            "scale": plain(listing.tick),
            "ts": str(milliseconds(call.now)),
        }

    def _tiers(self, call: Call) -> list[Json]:
        listing, least, rows = listing_named(self._listings, call), "0", []
        for number, tier in enumerate(listing.tiers, start=1):
            most = plain(tier.notional_cap)
            rows.append(
                {
                    "symbol": listing.symbol,
                    "level": str(number),
                    "startUnit": least,
                    "endUnit": most,
                    "leverage": plain(tier.max_leverage),
                    "keepMarginRate": plain(tier.maintenance_rate),
                }
            )
            least = most
        return rows


def places(listing: Listing) -> tuple[int, int]:
    """Return how many decimals a price and a quantity have."""
    return -int(listing.tick.as_tuple().exponent), -int(listing.lot.as_tuple().exponent)


def hours(simulator: Simulator, listing: Listing) -> str:
    """Return the hours of an interval, six places where they are no whole number."""
    found = simulator.market.interval(listing) / HOUR
    return str(int(found)) if found == int(found) else str(round(found, 6))


def contract(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    price_places, volume_places = places(listing)
    end = simulator.announcements.end_of(listing)
    step = plain(listing.tick.scaleb(price_places))
    return {
        "baseCoin": listing.base,
        "buyLimitPriceRatio": plain(listing.price_band),
        "deliveryPeriod": "",
        "deliveryStartTime": "",
        "deliveryTime": "",
        "feeRateUpRatio": "0.005",
        "fundInterval": hours(simulator, listing),
        "isRwa": "NO",
        "launchTime": "",
        "limitOpenTime": "-1",
        "maintainTime": "",
        "makerFeeRate": plain(listing.maker_fee),
        "maxLever": plain(listing.max_leverage),
        "maxMarketOrderQty": plain(listing.max_quantity),
        "maxOrderQty": plain(listing.max_quantity),
        "maxPositionNum": "150",
        "maxProductOrderNum": "400",
        "maxSymbolOrderNum": "200",
        "minLever": "1",
        "minTradeNum": plain(listing.lot),
        "minTradeUSDT": plain(listing.min_notional),
        "offTime": str(milliseconds(end)) if end else "-1",
        "openCostUpRatio": "0.01",
        "posLimit": "0.1",
        "priceEndStep": step,
        "pricePlace": str(price_places),
        "quoteCoin": listing.quote,
        "sellLimitPriceRatio": plain(listing.price_band),
        "sizeMultiplier": plain(listing.lot),
        "supportMarginCoins": [listing.settle],
        "symbol": listing.symbol,
        "symbolStatus": "normal",
        "symbolType": "perpetual",
        "takerFeeRate": plain(listing.taker_fee),
        "volumePlace": str(volume_places),
    }


def funding_rate(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    market = simulator.market
    return {
        "symbol": listing.symbol,
        "fundingRate": plain(market.predicted_rate(listing, now)),
        "fundingRateInterval": hours(simulator, listing),
        "nextUpdate": str(milliseconds(next_settlement(now, market.interval(listing)))),
        "minFundingRate": "-" + FUNDING_CAP,
        "maxFundingRate": FUNDING_CAP,
    }


def _prices(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    """Return what the list of tickers and the socket tell alike."""
    market, book = simulator.market, simulator.book(listing, now)
    last = market.mark(listing, now)
    before = market.mark(listing, now.replace(second=0, microsecond=0) - DAY)
    volume = market.day_volume(listing)
    return {
        "askPr": plain(book.ask.price),
        "askSz": plain(book.ask.base_quantity),
        "baseVolume": plain(volume),
        "bidPr": plain(book.bid.price),
        "bidSz": plain(book.bid.base_quantity),
        "change24h": plain(round(last / before - 1, 5)),
        "fundingRate": plain(market.predicted_rate(listing, now)),
        "high24h": plain(max(last, before)),
        "holdingAmount": plain(market.open_interest(listing)),
        "indexPrice": plain(market.index(listing, now)),
        "lastPr": plain(last),
        "low24h": plain(min(last, before)),
        "markPrice": plain(last),
        "open24h": plain(before),
        "openUtc": plain(before),
        "quoteVolume": plain(volume * last),
        "symbol": listing.symbol,
        "ts": str(milliseconds(now)),
    }


def ticker(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    row = _prices(simulator, listing, now)
    return row | {
        "changeUtc24h": row["change24h"],
        "deliveryStartTime": None,
        "deliveryStatus": "",
        "deliveryTime": None,
        "usdtVolume": row["quoteVolume"],
    }


def streamed_ticker(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    due = next_settlement(now, simulator.market.interval(listing))
    return _prices(simulator, listing, now) | {
        "deliveryPrice": "0",
        "instId": listing.symbol,
        "nextFundingTime": str(milliseconds(due)),
        "symbolType": 1,
    }


def levels(rows: tuple[Level, ...]) -> list[list[str]]:
    return [[plain(row.price), plain(row.base_quantity)] for row in rows]
