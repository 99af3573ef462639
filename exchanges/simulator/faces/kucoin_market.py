"""KuCoin's futures market data: `/api/v1/contracts`, tickers, books, funding and sockets' doors."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from exchanges.domain import Level
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces.kucoin_calls import (
    Call,
    contracts,
    listing_named,
    nanoseconds,
    number,
)
from exchanges.simulator.listings import KUCOIN, Listing
from exchanges.simulator.market import next_settlement
from exchanges.simulator.wire import Json, milliseconds, plain

FUNDING_CAP = Decimal("0.003")
MOST_SETTLEMENTS = 100
PUBLIC_TOKEN = "public"  # noqa: S105 - it opens what everybody may hear
ENDPOINT = "wss://ws-api-futures.kucoin.com/"
API = "/api/v1/"


class MarketPages:
    """The market-data routes over one simulator."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._listings = simulator.listings_at(KUCOIN)
        self.routes: dict[tuple[str, str], Callable[[Call], object]] = {
            ("GET", f"{API}timestamp"): lambda call: milliseconds(call.now),
            ("GET", f"{API}status"): self._status,
            ("GET", f"{API}contracts/active"): self._contracts,
            ("GET", f"{API}allTickers"): self._tickers,
            ("GET", f"{API}level2/depth20"): self._depth(20),
            ("GET", f"{API}level2/depth100"): self._depth(100),
            ("GET", f"{API}contract/funding-rates"): self._settlements,
            ("POST", f"{API}bullet-public"): lambda call: bullet(PUBLIC_TOKEN),
            **{
                ("GET", f"{API}contracts/risk-limit/{one}"): self._tiers(one)
                for one in self._listings
            },
        }

    def _tiers(self, symbol: str) -> Callable[[Call], list[Json]]:
        return lambda call: tiers(self._listings[symbol])

    def _status(self, call: Call) -> Json:
        """Tell of now alone, as the venue does."""
        windows = self._simulator.announcements.maintenance(KUCOIN)
        going_on = [window for window in windows if window.state(call.now) == "ongoing"]
        if not going_on:
            return {"status": "open", "msg": ""}
        return {"status": "close", "msg": going_on[0].title}

    def _contracts(self, call: Call) -> list[Json]:
        return [contract(self._simulator, row, call.now) for row in self._listings.values()]

    def _tickers(self, call: Call) -> list[Json]:
        return [ticker(self._simulator, row, call.now) for row in self._listings.values()]

    def _settlements(self, call: Call) -> list[Json]:
        listing = listing_named(self._listings, call)
        start, end = call.number("from", 0), call.number("to", milliseconds(call.now))
        settled = self._simulator.settled(listing, now=call.now)[::-1]
        return [
            {
                "symbol": listing.symbol,
                "fundingRate": number(row.rate),
                "timepoint": milliseconds(row.at),
            }
            for row in settled
            if start <= milliseconds(row.at) <= end
        ][:MOST_SETTLEMENTS]

    def _depth(self, levels: int) -> Callable[[Call], Json]:
        def depth(call: Call) -> Json:
            listing = listing_named(self._listings, call)
            book = self._simulator.book(listing, call.now)
            return {
                "sequence": book.update_id,
                "symbol": listing.symbol,
                "bids": _ladder(listing, book.bids[:levels]),
                "asks": _ladder(listing, book.asks[:levels]),
                "ts": nanoseconds(call.now),
            }

        return depth


def tiers(listing: Listing) -> list[Json]:
    least, rows = Decimal(0), []
    for level, tier in enumerate(listing.tiers, start=1):
        rows.append(
            {
                "symbol": listing.symbol,
                "level": level,
                "maxRiskLimit": int(tier.notional_cap),
                "minRiskLimit": int(least),
                "maxLeverage": int(tier.max_leverage),
                "initialMargin": number(1 / tier.max_leverage),
                "maintainMargin": number(tier.maintenance_rate),
            }
        )
        least = tier.notional_cap
    return rows


def bullet(token: str) -> Json:
    """Return where a socket is opened, and with what."""
    server = {
        "endpoint": ENDPOINT,
        "encrypt": True,
        "protocol": "websocket",
        "pingInterval": 18000,
        "pingTimeout": 10000,
    }
    return {"token": token, "instanceServers": [server]}


def _ladder(listing: Listing, rows: tuple[Level, ...]) -> list[list[object]]:
    return [[number(row.price), contracts(listing, row.base_quantity)] for row in rows]


def contract(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    market, interval = simulator.market, simulator.market.interval(listing)
    mark, left = market.mark(listing, now), next_settlement(now, interval) - now
    tier = listing.tiers[0]
    return {
        "symbol": listing.symbol,
        "rootSymbol": listing.settle,
        "type": "FFWCSX",
        "firstOpenDate": 1585555200000,
        "expireDate": None,
        "settleDate": None,
        "baseCurrency": "XBT" if listing.base == "BTC" else listing.base,
        "quoteCurrency": listing.quote,
        "settleCurrency": listing.settle,
        "maxOrderQty": contracts(listing, listing.max_quantity),
        "marketMaxOrderQty": contracts(listing, listing.max_quantity),
        "maxPrice": 1000000,
        "lotSize": 1,
        "tickSize": number(listing.tick),
        "multiplier": number(listing.contract_value),
        "initialMargin": number(1 / tier.max_leverage),
        "maintainMargin": number(tier.maintenance_rate),
        "makerFeeRate": number(listing.maker_fee),
        "takerFeeRate": number(listing.taker_fee),
        "isInverse": False,
        "status": "Open",
        "fundingFeeRate": number(market.predicted_rate(listing, now)),
        "predictedFundingFeeRate": number(market.predicted_rate(listing, now)),
        "fundingRateGranularity": round(interval.total_seconds() * 1000),
        "fundingRateCap": number(FUNDING_CAP),
        "fundingRateFloor": number(-FUNDING_CAP),
        "openInterest": str(contracts(listing, market.open_interest(listing))),
        "turnoverOf24h": number(market.day_volume(listing) * mark),
        "volumeOf24h": number(market.day_volume(listing)),
        "markPrice": number(mark),
        "indexPrice": number(market.index(listing, now)),
        "lastTradePrice": number(mark),
        "nextFundingRateTime": round(left.total_seconds() * 1000),
        "maxLeverage": int(listing.max_leverage),
        "supportCross": True,
    }


def ticker(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    mark = simulator.market.mark(listing, now)
    return {
        "symbol": listing.symbol,
        "side": "buy",
        "size": 1,
        "tradeId": "1",
        "price": plain(mark),
        **touch(simulator, listing, now),
    }


def touch(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    """Return what the list of tickers and the socket tell alike."""
    book = simulator.book(listing, now)
    return {
        "sequence": book.update_id,
        "bestBidPrice": plain(book.bid.price),
        "bestBidSize": contracts(listing, book.bid.base_quantity),
        "bestAskPrice": plain(book.ask.price),
        "bestAskSize": contracts(listing, book.ask.base_quantity),
        "ts": nanoseconds(now),
    }


def marks(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    market = simulator.market
    return {
        "markPrice": number(market.mark(listing, now)),
        "indexPrice": number(market.index(listing, now)),
        "granularity": 1000,
        "timestamp": milliseconds(now),
    }
