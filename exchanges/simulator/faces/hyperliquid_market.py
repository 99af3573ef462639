"""Hyperliquid's market data by `/info`: contracts, their contexts, books, settlements."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from exchanges.domain import Level
from exchanges.matching import LeverageTier
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces.hyperliquid_calls import Question, listing_named
from exchanges.simulator.listings import HYPERLIQUID, Listing
from exchanges.simulator.market import next_settlement
from exchanges.simulator.wire import Json, milliseconds, plain

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
DEPTH = 20
MOST_SETTLEMENTS = 500
LISTED_TABLES = 50
Tiers = tuple[LeverageTier, ...]
IMPACT_VALUE, IMPACT_VALUES = Decimal(6_000), dict.fromkeys(("BTC", "ETH"), Decimal(20_000))


class MarketQuestions:
    """The questions that name no wallet."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._listings = simulator.listings_at(HYPERLIQUID)
        self.answers: dict[str, Callable[[Question], object]] = {
            "exchangeStatus": lambda question: {
                "specialStatuses": None,
                "time": milliseconds(question.now),
            },
            "meta": lambda question: self._meta(),
            "metaAndAssetCtxs": self._contexts,
            "allMids": self._mids,
            "l2Book": self._book,
            "fundingHistory": self._settlements,
            "predictedFundings": self._predictions,
        }

    def _meta(self) -> Json:
        listed, tables = self._listings.values(), dict[Tiers, int]()
        for row in listed:
            tables.setdefault(row.tiers, table_number(row.tiers, LISTED_TABLES + len(tables)))
        return {
            "universe": [contract(row, tables[row.tiers]) for row in listed],
            "marginTables": [
                [number, margin_table(tiers)] for tiers, number in tables.items() if len(tiers) > 1
            ],
            "collateralToken": 0,
        }

    def _contexts(self, question: Question) -> list[object]:
        told = [context(self._simulator, row, question.now) for row in self._listings.values()]
        return [self._meta(), told]

    def _mids(self, question: Question) -> Json:
        return mids(self._simulator, question.now)

    def _book(self, question: Question) -> Json:
        return book(self._simulator, listing_named(self._listings, question), question.now)

    def _settlements(self, question: Question) -> list[Json]:
        listing, (start, end) = listing_named(self._listings, question), question.span
        settled = self._simulator.settled(listing, now=question.now)
        rows = [
            {
                "coin": listing.symbol,
                "fundingRate": plain(row.rate),
                "premium": plain(row.rate),
                "time": milliseconds(row.at),
            }
            for row in settled
            if start <= milliseconds(row.at) <= end
        ]
        return rows[:MOST_SETTLEMENTS]

    def _predictions(self, question: Question) -> list[object]:
        return [self._prediction(row, question.now) for row in self._listings.values()]

    def _prediction(self, listing: Listing, now: datetime) -> list[object]:
        """Return the coming rate with its hours, six places where they are no whole number."""
        market = self._simulator.market
        interval = market.interval(listing)
        hours = interval / HOUR
        own = {
            "fundingRate": plain(market.predicted_rate(listing, now)),
            "nextFundingTime": milliseconds(next_settlement(now, interval)),
            "fundingIntervalHours": int(hours) if hours == int(hours) else round(hours, 6),
        }
        return [listing.symbol, [["BinPerp", None], ["HlPerp", own]]]


def table_number(tiers: Tiers, next_one: int) -> int:
    """Return how a table of tiers is named: one tier by its leverage, others in turn."""
    return int(tiers[0].max_leverage) if len(tiers) == 1 else next_one


def margin_table(tiers: Tiers) -> Json:
    bounds = [Decimal(0), *(tier.notional_cap for tier in tiers[:-1])]
    told = [
        {"lowerBound": f"{bound:f}.0", "maxLeverage": int(tier.max_leverage)}
        for bound, tier in zip(bounds, tiers, strict=True)
    ]
    return {"description": f"tiered {told[0]['maxLeverage']}x", "marginTiers": told}


def contract(listing: Listing, table: int) -> Json:
    places = listing.lot.as_tuple().exponent
    return {
        "szDecimals": max(0, -places) if isinstance(places, int) else 0,
        "name": listing.symbol,
        "maxLeverage": int(listing.max_leverage),
        "marginTableId": table,
    }


def context(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    market, top = simulator.market, simulator.book(listing, now)
    mark = market.mark(listing, now)
    rate = plain(market.predicted_rate(listing, now))
    volume, day_ago = market.day_volume(listing), market.mark(listing, _minute(now) - DAY)
    return {
        "funding": rate,
        "openInterest": plain(market.open_interest(listing)),
        "prevDayPx": plain(day_ago),
        "dayNtlVlm": plain(volume * mark),
        "premium": rate,
        "oraclePx": plain(market.index(listing, now)),
        "markPx": plain(mark),
        "midPx": plain(middle(top.bid, top.ask)),
        "impactPxs": impact_prices(listing, (top.bids, top.asks)),
        "dayBaseVlm": plain(volume),
    }


def impact_prices(listing: Listing, sides: tuple[tuple[Level, ...], ...]) -> list[str] | None:
    """Return the average prices at which the impact value trades, None where the book is short."""
    value = IMPACT_VALUES.get(listing.base, IMPACT_VALUE)
    prices = [_average(side, value) for side in sides]
    known = [plain(round(price, 6)) for price in prices if price is not None]
    return known if len(known) == len(sides) else None


def _average(levels: tuple[Level, ...], value: Decimal) -> Decimal | None:
    left, quantity = value, Decimal(0)
    for row in levels:
        taken = min(left, row.price * row.base_quantity)
        quantity, left = quantity + taken / row.price, left - taken
        if not left:
            return value / quantity
    return None


def mids(simulator: Simulator, now: datetime) -> Json:
    books = {
        row.symbol: simulator.book(row, now) for row in simulator.listings_at(HYPERLIQUID).values()
    }
    return {coin: plain(middle(top.bid, top.ask)) for coin, top in books.items()}


def book(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    ladder = simulator.book(listing, now)
    sides = (ladder.bids[:DEPTH], ladder.asks[:DEPTH])
    return {
        "coin": listing.symbol,
        "time": milliseconds(now),
        "levels": [[level(row) for row in side] for side in sides],
    }


def best(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    top = simulator.book(listing, now)
    return {
        "coin": listing.symbol,
        "time": milliseconds(now),
        "bbo": [level(top.bid), level(top.ask)],
    }


def level(row: Level) -> Json:
    return {"px": plain(row.price), "sz": plain(row.base_quantity), "n": 1}


def middle(bid: Level, ask: Level) -> Decimal:
    return (bid.price + ask.price) / 2


def _minute(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0)
