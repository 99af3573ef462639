"""OKX v5 market data: `/api/v5/public/*` and `/api/v5/market/*`; sizes count contracts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from exchanges.domain import InstrumentKind, Level
from exchanges.simulator.characters import character_of
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces.okx_calls import Call, bad, listing_named
from exchanges.simulator.faces.okx_orders import contracts, instrument_type
from exchanges.simulator.listings import LOANS, OKX, Listing
from exchanges.simulator.market import next_settlement, previous_settlement
from exchanges.simulator.wire import Json, milliseconds, plain

DAY = timedelta(days=1)
LIST_TIME = "1573557408000"
FUNDING_CAP = "0.00375"
SPOT_FEE_GROUP, FEE_GROUP = "1", "2"
MOST_SETTLEMENTS = 400
MOST_FAMILIES = 5
HOURS_PER_DAY = 24

Rows = list[Json]
Builder = Callable[[Simulator, Listing, datetime], Json]


class MarketPages:
    """The market-data routes over one simulator."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._listings = simulator.listings_at(OKX)
        self.routes: dict[tuple[str, str], Callable[[Call], Rows]] = {
            ("GET", "/api/v5/public/time"): lambda call: [{"ts": str(milliseconds(call.now))}],
            ("GET", "/api/v5/public/instruments"): self._instruments,
            ("GET", "/api/v5/public/mark-price"): self._of_contracts(mark_price),
            ("GET", "/api/v5/public/funding-rate"): self._funding_rates,
            ("GET", "/api/v5/public/funding-rate-history"): self._funding_history,
            ("GET", "/api/v5/public/position-tiers"): self._position_tiers,
            ("GET", "/api/v5/public/interest-rate-loan-quota"): self._loans,
            ("GET", "/api/v5/public/open-interest"): self._of_contracts(open_interest),
            ("GET", "/api/v5/system/status"): self._status,
            ("GET", "/api/v5/market/index-tickers"): self._index_tickers,
            ("GET", "/api/v5/market/tickers"): self._of_all(ticker),
            ("GET", "/api/v5/market/ticker"): self._ticker,
            ("GET", "/api/v5/market/books"): self._books,
        }

    def _asked(self, call: Call) -> list[Listing]:
        kind, symbol = call.required("instType"), call.text("instId")
        return [
            row
            for row in self._listings.values()
            if instrument_type(row) == kind and symbol in ("", row.symbol)
        ]

    def _of_all(self, build: Builder) -> Callable[[Call], Rows]:
        return lambda call: [build(self._simulator, row, call.now) for row in self._asked(call)]

    def _of_contracts(self, build: Builder) -> Callable[[Call], Rows]:
        return lambda call: [
            build(self._simulator, row, call.now) for row in self._asked(call) if row.is_contract
        ]

    def _instruments(self, call: Call) -> Rows:
        return [instrument(self._simulator, row) for row in self._asked(call)]

    def _status(self, call: Call) -> Rows:
        """Return what is to come or goes on, as OKX does where no state is asked for."""
        windows = self._simulator.announcements.maintenance(OKX)
        return [
            {
                "begin": str(milliseconds(window.begins_at)),
                "end": str(milliseconds(window.ends_at)),
                "env": "1",
                "href": "",
                "maintType": "1",
                "preOpenBegin": "",
                "scheDesc": "",
                "serviceType": "5",
                "state": window.state(call.now),
                "system": "unified",
                "title": window.title,
            }
            for window in windows
            if window.state(call.now) != "completed"
        ]

    def _loans(self, call: Call) -> Rows:
        """Return what each coin costs to borrow a day, for the lowest level; all pay alike here."""
        market = self._simulator.market
        spot = [
            row
            for row in self._listings.values()
            if row.kind is InstrumentKind.SPOT and row.base in LOANS
        ]
        basic = [
            {
                "ccy": row.base,
                "quota": LOANS[row.base],
                "rate": plain(market.borrow_rate(row, call.now) * HOURS_PER_DAY),
            }
            for row in spot
        ]
        return [{"basic": basic, "vip": [], "regular": [], "config": [], "configCcyList": []}]

    def _index_tickers(self, call: Call) -> Rows:
        """Return the indexes of a quote currency, or one by its name."""
        quote, name = call.text("quoteCcy"), call.text("instId")
        if not quote and not name:
            raise bad("quoteCcy")
        rows = indexes(self._listings)
        return [
            index_ticker(self._simulator, row, call.now)
            for index, row in rows.items()
            if name in ("", index) and quote in ("", row.quote)
        ]

    def _ticker(self, call: Call) -> Rows:
        return [ticker(self._simulator, listing_named(self._listings, call), call.now)]

    def _funding_rates(self, call: Call) -> Rows:
        everything = call.required("instId") == "ANY"
        asked = (
            list(self._listings.values()) if everything else [listing_named(self._listings, call)]
        )
        return [funding_rate(self._simulator, row, call.now) for row in asked if row.is_perpetual]

    def _funding_history(self, call: Call) -> Rows:
        listing = listing_named(self._listings, call)
        newer, older = call.number("before", 0), call.number("after", 0)
        settled = self._simulator.settled(listing, now=call.now) if listing.is_perpetual else []
        rows = [
            {
                "formulaType": "withRate",
                "fundingRate": plain(row.rate),
                "fundingTime": str(milliseconds(row.at)),
                "instId": listing.symbol,
                "instType": "SWAP",
                "method": "current_period",
                "realizedRate": plain(row.rate),
            }
            for row in reversed(settled)
            if newer < milliseconds(row.at) and (not older or milliseconds(row.at) < older)
        ]
        return rows[: min(call.number("limit", MOST_SETTLEMENTS), MOST_SETTLEMENTS)]

    def _position_tiers(self, call: Call) -> Rows:
        if call.required("tdMode") not in ("cross", "isolated"):
            raise bad("tdMode")
        families, wanted = call.required("instFamily").split(","), call.text("tier")
        if len(families) > MOST_FAMILIES:
            raise bad("instFamily")
        kind = call.required("instType")
        # Futures of one family share their tiers.
        of_family = {
            family_of(row): row
            for row in self._listings.values()
            if row.is_contract and instrument_type(row) == kind and family_of(row) in families
        }
        return [
            tier
            for listing in of_family.values()
            for tier in tiers(listing)
            if wanted in ("", tier["tier"])
        ]

    def _books(self, call: Call) -> Rows:
        listing, depth = listing_named(self._listings, call), call.number("sz", 1)
        book = self._simulator.book(listing, call.now)
        return [
            {
                "asks": levels(listing, book.asks[:depth]),
                "bids": levels(listing, book.bids[:depth]),
                "ts": str(milliseconds(call.now)),
                "seqId": book.update_id,
            }
        ]


def family_of(listing: Listing) -> str:
    return f"{listing.base}-{listing.quote}"


def fee_group(listing: Listing) -> str:
    return FEE_GROUP if listing.is_contract else SPOT_FEE_GROUP


def instrument(simulator: Simulator, listing: Listing) -> Json:
    end = simulator.announcements.end_of(listing)
    row = _contract(listing) | {"expTime": str(milliseconds(end)) if end else ""}
    if listing.is_contract:
        return row
    # Of a spot market these say nothing, and its two coins are named instead.
    untold = ("ctMult", "ctType", "ctVal", "ctValCcy", "instFamily", "settleCcy", "uly")
    return row | dict.fromkeys(untold, "") | {"baseCcy": listing.base, "quoteCcy": listing.quote}


def _contract(listing: Listing) -> Json:
    most, part = contracts(listing, listing.max_quantity), contracts(listing, listing.lot)
    return {
        "alias": "quarter" if listing.expires_at else "",
        "auctionEndTime": "",
        "baseCcy": "",
        "category": "1",
        "contTdSwTime": "",
        "ctMult": "1",
        "ctType": "linear",
        "ctVal": plain(listing.contract_value),
        "ctValCcy": listing.base,
        "futureSettlement": False,
        "groupId": fee_group(listing),
        "instFamily": family_of(listing),
        "instId": listing.symbol,
        "instIdCode": sum(listing.symbol.encode()),
        "instType": instrument_type(listing),
        "lever": plain(listing.max_leverage),
        "listTime": LIST_TIME,
        "lotSz": part,
        "maxIcebergSz": most,
        "maxLmtAmt": "20000000",
        "maxLmtSz": most,
        "maxMktAmt": "",
        "maxMktSz": most,
        "maxPlatOILmt": "",
        "maxStopSz": most,
        "maxTriggerSz": most,
        "maxTwapSz": most,
        "minSz": part,
        "openType": "",
        "optType": "",
        "posLmtAmt": "",
        "posLmtPct": "",
        "preMktSwTime": "",
        "quoteCcy": "",
        "ruleType": "normal",
        "settleCcy": listing.settle,
        "state": "live",
        "stk": "",
        "tickSz": plain(listing.tick),
        "tradeQuoteCcyList": [],
        "uly": family_of(listing),
    }


def mark_price(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    return {
        "instId": listing.symbol,
        "instType": instrument_type(listing),
        "markPx": plain(simulator.market.mark(listing, now)),
        "ts": str(milliseconds(now)),
    }


def indexes(listings: Mapping[str, Listing]) -> dict[str, Listing]:
    """Return by the name of each index one contract that is priced by it."""
    return {family_of(row): row for row in listings.values() if row.is_contract}


def index_ticker(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    price = plain(simulator.market.index(listing, now))
    return {
        "high24h": price,
        "idxPx": price,
        "instId": family_of(listing),
        "low24h": price,
        "open24h": price,
        "sodUtc0": price,
        "sodUtc8": price,
        "ts": str(milliseconds(now)),
    }


def funding_rate(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    """Return the coming rate; the interval is the time from its settlement to the one after."""
    market, interval = simulator.market, simulator.market.interval(listing)
    upcoming = next_settlement(now, interval)
    rate = market.predicted_rate(listing, now)
    last = market.settled_rate(listing, previous_settlement(now, interval))
    return {
        "formulaType": "withRate",
        "fundingRate": plain(rate),
        "fundingTime": str(milliseconds(upcoming)),
        "impactValue": "20000",
        "instId": listing.symbol,
        "instType": "SWAP",
        "interestRate": "0.0001",
        "maxFundingRate": FUNDING_CAP,
        "method": "current_period",
        "minFundingRate": "-" + FUNDING_CAP,
        "nextFundingRate": "",
        "nextFundingTime": str(milliseconds(upcoming + interval)),
        "premium": plain(rate),
        "prevFundingTime": str(milliseconds(upcoming - interval)),
        "settFundingRate": plain(last),
        "settState": "settled",
        "ts": str(milliseconds(now)),
    }


def ticker(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    book, last = simulator.book(listing, now), simulator.market.mark(listing, now)
    day_ago = simulator.market.mark(listing, now.replace(second=0, microsecond=0) - DAY)
    market = simulator.market
    volume = market.day_volume(listing) if listing.is_contract else listing.max_quantity / 100
    return {
        "instType": instrument_type(listing),
        "instId": listing.symbol,
        "last": plain(last),
        "lastSz": contracts(listing, listing.lot),
        "askPx": plain(book.ask.price),
        "askSz": contracts(listing, book.ask.base_quantity),
        "bidPx": plain(book.bid.price),
        "bidSz": contracts(listing, book.bid.base_quantity),
        "open24h": plain(day_ago),
        "high24h": plain(max(last, day_ago)),
        "low24h": plain(min(last, day_ago)),
        "volCcy24h": plain(volume),
        "vol24h": contracts(listing, volume),
        "sodUtc0": plain(day_ago),
        "sodUtc8": plain(day_ago),
        "ts": str(milliseconds(now)),
    }


def open_interest(simulator: Simulator, listing: Listing, now: datetime) -> Json:
    interest = simulator.market.open_interest(listing)
    return {
        "instId": listing.symbol,
        "instType": instrument_type(listing),
        "oi": contracts(listing, interest),
        "oiCcy": plain(interest),
        "oiUsd": plain(interest * simulator.market.mark(listing, now)),
        "ts": str(milliseconds(now)),
    }


def levels(listing: Listing, rows: tuple[Level, ...]) -> list[list[str]]:
    """Return levels as the venue writes them: price, contracts, a zero, number of orders."""
    return [[plain(row.price), contracts(listing, row.base_quantity), "0", "1"] for row in rows]


def tiers(listing: Listing) -> Rows:
    """Return the tiers in contracts: the notional caps at the price that the asset began with."""
    value = Decimal(character_of(listing.base).start_price) * listing.contract_value
    least, rows = Decimal(0), []
    for number, tier in enumerate(listing.tiers, start=1):
        most = tier.notional_cap // value
        rows.append(
            {
                "baseMaxLoan": "",
                "imr": plain(round(1 / tier.max_leverage, 8)),
                "instFamily": family_of(listing),
                "instId": "",
                "maxLever": plain(tier.max_leverage),
                "maxSz": plain(most),
                "minSz": plain(least),
                "mmr": plain(tier.maintenance_rate),
                "optMgnFactor": "0",
                "quoteMaxLoan": "",
                "tier": str(number),
                "uly": family_of(listing),
            }
        )
        least = most
    return rows
