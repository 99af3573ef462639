"""What a venue lists, and the one place where its units become ours and back.

Venues count in contracts and name scaled tickers (`1000PEPE`, `1MBABYDOGE`, `kPEPE`, `SHIB1000`);
we count in units of the plain base asset and price one of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any

from exchanges.ccxt_adapter.numbers import exact
from exchanges.domain import Instrument, InstrumentKind, SettlementKind, Symbol
from exchanges.venues.profile import IntervalRule, VenueProfile

ONE = Decimal(1)
# A perpetual without an end is given one in the year 2100.
NEVER = datetime(2100, 1, 1, tzinfo=UTC)
STABLE_QUOTES = frozenset({"USDT", "USDC", "USD"})
_PREFIX = re.compile(r"^(1(?:0{3,})|1M)(?=[A-Z])")
_SUFFIX = re.compile(r"(?<=[A-Z])(1(?:0{3,}))$")
_DATED = re.compile(r"^(\w+)/(\w+):(\w+)-(\d{6})$")
_THOUSAND = re.compile(r"^k(?=[A-Z]{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One listed market: the instrument we make of it and the factors between both."""

    instrument: Instrument
    price_multiplier: Decimal
    market: Mapping[str, Any]

    @property
    def symbol(self) -> Symbol:
        return self.instrument.symbol

    def base_quantity(self, amount: Decimal) -> Decimal:
        """Return base units of a venue amount; the sign stays."""
        return amount * self.instrument.contract_base

    def amount(self, base_quantity: Decimal) -> Decimal:
        """Return the venue amount of base units."""
        return base_quantity / self.instrument.contract_base

    def price(self, venue_price: Decimal) -> Decimal:
        """Return quote per base unit of a price per listed unit."""
        return venue_price / self.price_multiplier

    def venue_price(self, price: Decimal) -> Decimal:
        """Return the price per listed unit of quote per base unit."""
        return price * self.price_multiplier


class Listings:
    """The listings of one venue by our symbol and by the venue's own.

    A venue may name a spot market like its perpetual: the latter is meant, unless spot is asked.
    """

    def __init__(self, listings: Iterable[Listing] = ()) -> None:
        self.by_symbol = {listing.symbol: listing for listing in listings}
        self._parts: dict[bool, dict[str, Listing]] = {True: {}, False: {}}
        for listing in self.by_symbol.values():
            instrument = listing.instrument
            is_spot = instrument.kind is InstrumentKind.SPOT
            self._parts[is_spot][instrument.venue_symbol] = listing
        self.by_venue_symbol = self._parts[True] | self._parts[False]

    def of(self, *, is_spot: bool) -> Mapping[str, Listing]:
        """Return spot markets alone, or contracts alone, by the venue's symbol."""
        return self._parts[is_spot]


def split_ticker(ticker: str) -> tuple[str, Decimal]:
    """Return the plain asset of a ticker and how many of it one listed unit stands for."""
    if found := _PREFIX.match(ticker):
        factor = found[1]
        return ticker[found.end() :], Decimal(1_000_000 if factor == "1M" else factor)
    if found := _SUFFIX.search(ticker):
        return ticker[: found.start()], Decimal(found[1])
    if found := _THOUSAND.match(ticker):
        return ticker[1:], Decimal(1000)
    return ticker, ONE


def read_listings(
    profile: VenueProfile, markets: Iterable[Mapping[str, Any]], maintenance: Mapping[str, Decimal]
) -> Listings:
    """Return the spot and linear markets of ccxt's `markets`; inverse, quanto, options are left.

    `maintenance`: maintenance margin rate of the lowest tier of a contract by venue symbol.
    """
    return Listings(
        _listing(
            profile,
            market,
            maintenance.get(market[profile.name_key]) if market["contract"] else None,
        )
        for market in markets
        if _is_ours(profile, market)
    )


def delivered_listing(
    profile: VenueProfile, symbol: Symbol, now: datetime, listed: Mapping[Symbol, Listing]
) -> Listing | None:
    """Return what a dated future was, which its venue lists no more; None where it is no such.

    It is for reading what became of it: ticks and limits are not known. Dated contracts are linear
    and of plain assets; how large one was, its perpetual tells where it is not one base unit.
    """
    found = _DATED.match(symbol)
    if found is None or not profile.dated_symbol:
        return None
    base, quote, settle, date = found.groups()
    expires_at = datetime.strptime(date, "%y%m%d").replace(tzinfo=UTC)
    contract_base = ONE
    if profile.dated_like_perpetual:
        perpetual = listed.get(Symbol(f"{base}/{quote}:{settle}"))
        contract_base = perpetual.instrument.contract_base if perpetual else Decimal(0)
    if expires_at > now or not contract_base:
        return None
    instrument = Instrument(
        venue=profile.name,
        symbol=symbol,
        venue_symbol=expires_at.strftime(
            profile.dated_symbol.format(base=base, quote=quote)
        ).upper(),
        kind=InstrumentKind.FUTURE,
        base=base,
        quote=quote,
        settle=settle,
        contract_base=contract_base,
        price_tick=Decimal(0),
        lot=Decimal(0),
        min_base_quantity=Decimal(0),
        min_notional=Decimal(0),
        expires_at=expires_at,
        is_active=False,
    )
    return Listing(instrument=instrument, price_multiplier=ONE, market=_former_market(instrument))


def former_listing(profile: VenueProfile, instrument: Instrument) -> Listing:
    """Return what an instrument was, of which we know what was kept and its venue lists no more.

    It is for reading what is held of it and what becomes of that.
    """
    ticker = instrument.symbol.partition("/")[0]
    if profile.ticker_key == profile.name_key:
        ticker = instrument.venue_symbol
    return Listing(
        instrument=replace(instrument, is_active=False),
        price_multiplier=split_ticker(ticker)[1],
        market=_former_market(instrument),
    )


def _former_market(instrument: Instrument) -> Mapping[str, Any]:
    """Return as much of a market as the library asks for when it reads an order."""
    kind = instrument.kind
    is_contract = kind is not InstrumentKind.SPOT
    return {
        "id": instrument.venue_symbol,
        "symbol": instrument.symbol,
        "type": "swap" if kind is InstrumentKind.PERPETUAL else kind.value,
        "spot": not is_contract,
        "swap": kind is InstrumentKind.PERPETUAL,
        "future": kind is InstrumentKind.FUTURE,
        "option": False,
        "contract": is_contract,
        "linear": is_contract,
        "inverse": False,
        "base": instrument.base,
        "quote": instrument.quote,
        "settle": instrument.settle,
        "contractSize": instrument.contract_base,
        "precision": {},
        "limits": {},
        "info": {},
    }


def _is_ours(profile: VenueProfile, market: Mapping[str, Any]) -> bool:
    if market["quote"] not in STABLE_QUOTES:
        return False
    info = market["info"]
    if any(info.get(key) not in usual for key, usual in profile.only_listed.items()):
        return False
    if market["spot"]:
        # A wallet counts what it holds, and its fees, in the scaled unit: no leg could be told.
        is_scaled = split_ticker(market[profile.ticker_key])[1] != ONE
        return not is_scaled and any(part.is_spot for part in profile.parts)
    # A contract settled in anything but its quote is inverse or quanto.
    is_derivative = bool(market["swap"] or market["future"])
    return is_derivative and bool(market["linear"]) and market["settle"] == market["quote"]


def _listing(
    profile: VenueProfile, market: Mapping[str, Any], maintenance: Decimal | None
) -> Listing:
    base, multiplier = split_ticker(market[profile.ticker_key])
    contract_base = (_exact(market["contractSize"]) or ONE) * multiplier
    limits, kind = market["limits"], _kind(market)
    rule = profile.part(kind).limits_only
    limits_only = rule is not None and rule.applies(market["info"])
    part, least = _exact(market["precision"]["amount"]), _exact(limits["amount"]["min"])
    instrument = Instrument(
        venue=profile.name,
        symbol=Symbol(market["symbol"]),
        venue_symbol=market[profile.name_key],
        kind=kind,
        base=base,
        quote=market["quote"],
        settle=market["settle"] or market["quote"],
        contract_base=contract_base,
        price_tick=(_exact(market["precision"]["price"]) or Decimal(0)) / multiplier,
        lot=(part or Decimal(0)) * contract_base,
        min_base_quantity=(least or part or Decimal(0)) * contract_base,
        min_notional=_exact(limits["cost"]["min"]) or Decimal(0),
        max_base_quantity=_largest(profile.part(kind), market, contract_base),
        max_leverage=_max_leverage(profile, market),
        maintenance_margin_rate=maintenance or _stated_maintenance(profile, market),
        settlement=profile.settlement if market["swap"] else SettlementKind.NONE,
        funding_interval_seconds=_listed_interval(profile, market),
        expires_at=_moment(market["expiry"]) or _announced_end(profile, market),
        is_active=market["active"] is True or limits_only,
        limits_only=limits_only,
    )
    return Listing(instrument=instrument, price_multiplier=multiplier, market=market)


def _kind(market: Mapping[str, Any]) -> InstrumentKind:
    if market["spot"]:
        return InstrumentKind.SPOT
    return InstrumentKind.PERPETUAL if market["swap"] else InstrumentKind.FUTURE


def _largest(
    profile: VenueProfile, market: Mapping[str, Any], contract_base: Decimal
) -> Decimal | None:
    """Return the largest base quantity that both a limit and a market order may have."""
    limits, told = market["limits"], _told(market["info"], profile.largest_market_order)
    stated = [limits["amount"]["max"], limits.get("market", {}).get("max"), told]
    known = [value for value in map(_exact, stated) if value]
    return min(known) * contract_base if known else None


def _told(info: Any, path: Sequence[str]) -> Decimal | None:
    """Return the number at `path` of a raw listing, None where it tells none."""
    for key in path:
        info = info[int(key)] if isinstance(info, list) else info.get(key)
    return _exact(info) if path else None


def _max_leverage(profile: VenueProfile, market: Mapping[str, Any]) -> Decimal:
    """Return the stated maximum, else what the stated initial margin allows, else 1."""
    if stated := _exact(market["limits"]["leverage"]["max"]):
        return stated
    required = _exact(market["info"].get("requiredMarginPercent"))
    required = required / 100 if required else _told(market["info"], profile.initial_margin)
    return (1 / required).quantize(ONE, rounding=ROUND_DOWN) if required else ONE


def _stated_maintenance(profile: VenueProfile, market: Mapping[str, Any]) -> Decimal:
    if profile.maintenance_part is not None:
        return profile.maintenance_part / _max_leverage(profile, market)
    if market["contract"] and (told := _told(market["info"], profile.maintenance_margin)):
        return told
    percent = _exact(market["info"].get("maintMarginPercent"))
    return percent / 100 if percent and market["contract"] else Decimal(0)


def _listed_interval(profile: VenueProfile, market: Mapping[str, Any]) -> int | None:
    if profile.interval_rule is not IntervalRule.LISTED_MINUTES or not market["swap"]:
        return None
    seconds = (_exact(market["info"].get("fundingInterval")) or Decimal(0)) * 60
    return int(seconds) if seconds > 0 and seconds == int(seconds) else None


def _announced_end(profile: VenueProfile, market: Mapping[str, Any]) -> datetime | None:
    """Return when the venue will let go of what has no end by nature; None while it is silent."""
    unit = profile.end_unit // timedelta(milliseconds=1)
    stated = [int(market["info"].get(key) or 0) * unit for key in profile.end_keys]
    ends = [at for ends in stated if ends > 0 and (at := _moment(ends)) and at < NEVER]
    return min(ends, default=None)


def _exact(value: Any) -> Decimal | None:
    return None if value is None or value == "" else exact(value)


def _moment(milliseconds: Any) -> datetime | None:
    if not milliseconds:
        return None
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
