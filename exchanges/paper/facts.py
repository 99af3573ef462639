"""What a venue's public side says at one moment, as the paper engine wants it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from exchanges.domain import BorrowRate, Depth, Instrument, Quote, SettledFunding, Symbol

# Binance, Bybit and OKX all deliver dated futures at eight.
DELIVERY_HOUR = 8


class Span(NamedTuple):
    """From one instant to another, in whole milliseconds."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Public facts for one step of one account; what is not in here was not asked for."""

    now: datetime
    instruments: Mapping[Symbol, Instrument]
    quotes: Mapping[Symbol, Quote] = field(default_factory=dict)
    depths: Mapping[Symbol, Depth] = field(default_factory=dict)
    settled: Mapping[Symbol, Sequence[SettledFunding]] = field(default_factory=dict)
    # How long a rate of `settled` stood, where what is held pays all along and not at an instant.
    periods: Mapping[Symbol, timedelta] = field(default_factory=dict)
    # What was owed in spans within such a period; None where one rate stands for all of it.
    owed: Mapping[SettledFunding, Mapping[Span, Decimal]] | None = None
    loans: Mapping[str, BorrowRate] = field(default_factory=dict)
    # Of `instruments` those that the venue names no more.
    unlisted: frozenset[Symbol] = frozenset()

    def mark(self, symbol: Symbol) -> Decimal | None:
        quote = self.quotes.get(symbol)
        return None if quote is None else quote.mark_price

    def is_gone(self, symbol: Symbol) -> bool:
        """Tell whether the venue neither lists a contract nor tells its mark any more."""
        is_listed = symbol in self.instruments and symbol not in self.unlisted
        return not is_listed and self.mark(symbol) is None


def is_contract(symbol: str) -> bool:
    return ":" in symbol


def base_of(symbol: str) -> str:
    return symbol.partition("/")[0]


def quote_of(symbol: str) -> str:
    """Return what a symbol is priced in: USDT of `BTC/USDT:USDT`."""
    return symbol.partition("/")[2].partition(":")[0]


def settle_of(symbol: str) -> str:
    """Return what a contract settles in: USDT of `BTC/USDT:USDT-261225`."""
    return symbol.partition(":")[2].partition("-")[0]


def delivered_at(symbol: str) -> datetime | None:
    """Return when a dated future is delivered, None for what has no end."""
    date = symbol.partition(":")[2].partition("-")[2]
    if not date:
        return None
    return datetime.strptime(date, "%y%m%d").replace(hour=DELIVERY_HOUR, tzinfo=UTC)
