"""dYdX v4's indexer over REST, `indexer.dydx.trade`: its market is all that is read there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import orjson

from exchanges.simulator.core import Simulator
from exchanges.simulator.listings import DYDX, Listing
from exchanges.simulator.wire import Dialect, Json, VenueRefusal, WireRequest, WireResponse, plain

DAY = timedelta(days=1)
MOST_SETTLEMENTS = 100
DEPTH = 20
# The block that settles comes a moment after the hour.
BLOCK_DELAY = timedelta(milliseconds=219)
STEP_QUANTUMS_DIGITS = 6
MARKETS, BOOKS, HISTORIES = (
    "/v4/perpetualMarkets",
    "/v4/orderbooks/perpetualMarket/",
    "/v4/historicalFunding/",
)

Answer = Callable[[str, Mapping[str, str], datetime], Json]


class DydxFace:
    """dYdX's perpetuals, margined in USDC; nothing is signed and nothing is placed."""

    dialect = Dialect(
        body=lambda code, message: errors(message),
        reject_status=400,
        too_many=(429, "Too many requests"),
    )
    # No request names a key.
    key_header = "authorization"

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._listings = simulator.listings_at(DYDX)
        self._answers: dict[str, Answer] = {
            "/v4/time": lambda name, asked, now: server_time(now),
            MARKETS: self._markets,
            BOOKS: self._book,
            HISTORIES: self._settlements,
        }

    def handle(self, request: WireRequest, *, now: datetime) -> WireResponse:
        path = request.path
        route = next((one for one in (BOOKS, HISTORIES) if path.startswith(one)), path)
        answer = self._answers.get(route) if request.method == "GET" else None
        try:
            if answer is None:
                raise VenueRefusal(404, "Not Found", status=404)
            told = answer(path.removeprefix(route), request.query_parameters, now)
        except VenueRefusal as refusal:
            body = orjson.dumps(errors(refusal.message))
            return WireResponse(status=refusal.status, body=body, outcome=refusal.message)
        return WireResponse(status=200, body=orjson.dumps(told), outcome="ok")

    def client_order_id(self, request: WireRequest) -> str:
        return ""

    def _markets(self, name: str, asked: Mapping[str, str], now: datetime) -> Json:
        rows = enumerate(self._listings.values())
        told = {row.symbol: market(self._simulator, row, number, now) for number, row in rows}
        return {"markets": told}

    def _book(self, name: str, asked: Mapping[str, str], now: datetime) -> Json:
        ladder = self._simulator.book(self._named(name), now)
        sides = {"bids": ladder.bids[:DEPTH], "asks": ladder.asks[:DEPTH]}
        return {
            side: [{"price": plain(row.price), "size": plain(row.base_quantity)} for row in rows]
            for side, rows in sides.items()
        }

    def _settlements(self, name: str, asked: Mapping[str, str], now: datetime) -> Json:
        """Return the newest settlements up to a moment, newest first."""
        listing = self._named(name)
        until = instant(asked.get("effectiveBeforeOrAt"), now)
        limit = min(int(asked.get("limit", MOST_SETTLEMENTS)), MOST_SETTLEMENTS)
        settled = [
            (row.at + BLOCK_DELAY, row)
            for row in reversed(self._simulator.settled(listing, now=now))
        ]
        rows = [
            {
                "ticker": listing.symbol,
                "rate": plain(row.rate),
                "price": plain(row.price),
                "effectiveAtHeight": str(int(at.timestamp())),
                "effectiveAt": iso(at),
            }
            for at, row in settled
            if at <= until
        ]
        return {"historicalFunding": rows[:limit]}

    def _named(self, symbol: str) -> Listing:
        listing = self._listings.get(symbol)
        if listing is None:
            raise VenueRefusal(404, f"ticker {symbol} not found", status=404)
        return listing


def market(simulator: Simulator, listing: Listing, number: int, now: datetime) -> Json:
    """Return one market; numbers that the chain counts by are JSON integers, as it sends them."""
    oracle = simulator.market.index(listing, now)
    before = simulator.market.index(listing, now.replace(second=0, microsecond=0) - DAY)
    tier, volume = listing.tiers[0], simulator.market.day_volume(listing)
    places = listing.lot.as_tuple().exponent
    held = plain(simulator.market.open_interest(listing))
    return {
        "clobPairId": str(number),
        "ticker": listing.symbol,
        "status": "ACTIVE",
        "oraclePrice": plain(oracle),
        "priceChange24H": plain(oracle - before),
        "volume24H": plain(volume * oracle),
        "trades24H": 1000,
        "nextFundingRate": plain(simulator.market.predicted_rate(listing, now)),
        "initialMarginFraction": plain(1 / tier.max_leverage),
        "maintenanceMarginFraction": plain(tier.maintenance_rate),
        "openInterest": held,
        "atomicResolution": int(places) - STEP_QUANTUMS_DIGITS,
        "quantumConversionExponent": -9,
        "tickSize": plain(listing.tick),
        "stepSize": plain(listing.lot),
        "stepBaseQuantums": 10**STEP_QUANTUMS_DIGITS,
        "subticksPerTick": 100_000,
        "marketType": "CROSS",
        "openInterestLowerCap": "0",
        "openInterestUpperCap": "0",
        "baseOpenInterest": held,
        "defaultFundingRate1H": "0",
    }


def server_time(now: datetime) -> Json:
    return {"iso": iso(now), "epoch": now.timestamp()}


def iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def instant(text: str | None, now: datetime) -> datetime:
    """Return the moment that a request names, else now; refuse what is none."""
    try:
        found = datetime.fromisoformat(text) if text else now
    except ValueError:
        raise VenueRefusal(400, "effectiveBeforeOrAt must be a valid ISO 8601 time") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def errors(message: str) -> Json:
    return {"errors": [{"msg": message}]}
