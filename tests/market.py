"""Venue facts for tests of pure code; every default is a round number to compute with by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from exchanges.domain import (
    BookTop,
    FundingRate,
    Instrument,
    InstrumentKind,
    IntervalSource,
    Level,
    Quote,
    SettlementKind,
    Symbol,
)
from trading.strategies.base import InstrumentFacts

D = Decimal
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PERP = Symbol("BTC/USDT:USDT")


def make_instrument(
    venue: str = "bybit",
    *,
    base: str = "BTC",
    kind: InstrumentKind = InstrumentKind.PERPETUAL,
    lot: str = "0.001",
    min_base_quantity: str = "0.001",
    min_notional: str = "5",
    settlement: SettlementKind = SettlementKind.LUMP,
    expires_at: datetime | None = None,
    is_active: bool = True,
) -> Instrument:
    suffix = "" if kind is InstrumentKind.SPOT else ":USDT"
    if expires_at is not None:
        suffix += f"-{expires_at:%y%m%d}"
    return Instrument(
        venue=venue,
        symbol=Symbol(f"{base}/USDT{suffix}"),
        venue_symbol=f"{base}USDT",
        kind=kind,
        base=base,
        quote="USDT",
        settle="USDT",
        contract_base=D(1),
        price_tick=D("0.1"),
        lot=D(lot),
        min_base_quantity=D(min_base_quantity),
        min_notional=D(min_notional),
        settlement=settlement if kind is InstrumentKind.PERPETUAL else SettlementKind.NONE,
        expires_at=expires_at,
        is_active=is_active,
    )


def make_book(
    venue: str = "bybit", *, bid: str = "49999", ask: str = "50001", age: float = 0
) -> BookTop:
    return BookTop(
        venue=venue,
        symbol=PERP,
        bid=D(bid),
        bid_quantity=D(1),
        ask=D(ask),
        ask_quantity=D(1),
        observed_at=NOW - timedelta(seconds=age),
    )


def make_rate(
    venue: str = "bybit",
    *,
    rate: str = "0.0001",
    interval: int | None = 28_800,
    source: IntervalSource = IntervalSource.VENUE,
    wait: timedelta = timedelta(minutes=18),
    age: float = 0,
) -> FundingRate:
    return FundingRate(
        venue=venue,
        symbol=PERP,
        funding_rate=D(rate),
        interval_seconds=interval,
        interval_source=source,
        next_funding_at=NOW + wait,
        observed_at=NOW - timedelta(seconds=age),
    )


def make_quote(
    venue: str = "bybit", *, mark: str = "50000", index: str | None = "50000", age: float = 0
) -> Quote:
    return Quote(
        venue=venue,
        symbol=PERP,
        mark_price=D(mark),
        index_price=None if index is None else D(index),
        observed_at=NOW - timedelta(seconds=age),
    )


def make_facts(
    venue: str = "bybit",
    *,
    rate: str = "0.0001",
    interval: int = 28_800,
    wait: timedelta = timedelta(minutes=18),
    carry_8h: str | None = None,
    taker_fee: str = "0.0005",
    slippage: str = "0",
    settlement: SettlementKind = SettlementKind.LUMP,
) -> InstrumentFacts:
    return InstrumentFacts(
        instrument=make_instrument(venue, settlement=settlement),
        funding=make_rate(venue, rate=rate, interval=interval, wait=wait),
        book=make_book(venue),
        taker_fee=D(taker_fee),
        slippage=D(slippage),
        carry_8h=None if carry_8h is None else D(carry_8h),
    )


def make_levels(*levels: tuple[str, str]) -> list[Level]:
    return [Level(price=D(price), base_quantity=D(quantity)) for price, quantity in levels]
