"""The recorded past of venues, read from Parquet: settled funding and prices.

Predicted rates are never read: they were not paid. What polars hands over as a float enters as a
Decimal of its shortest text, cut to the digits our columns keep.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from statistics import median

import polars as pl

from exchanges.domain import Instrument, InstrumentKind, SettledFunding, SettlementKind, Symbol
from trading.core.history import PriceBar

FUNDING_FILE = "funding.parquet"
PRICE_FILES = {
    "8h": "prices_8h.parquet",
    "2h": "prices_1h_2h.parquet",
    "1h": "prices_1h_2h.parquet",
}
RATE_PLACES = Decimal("1e-12")
ONE, CENT = Decimal(1), Decimal("0.01")
HOUR = timedelta(hours=1)
DOLLARS = ("USDT", "USDC", "USD")


class NothingRecorded(LookupError):
    """The folder holds nothing of what was asked for; the sentence says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedLeg:
    """One instrument with what it settled, oldest first, and its price at bar openings.

    Without prices it is worth 1 throughout: price gaps are then left out of a replay.
    """

    instrument: Instrument
    settled: tuple[SettledFunding, ...] = ()
    prices: Mapping[datetime, Decimal] = field(default_factory=dict)


def read_perpetual(folder: Path, venue: str, base: str, *, is_priced: bool = False) -> RecordedLeg:
    """Return a linear perpetual's settlements. Raise NothingRecorded."""
    frame = _scan(folder, FUNDING_FILE).filter(
        (pl.col("venue") == venue)
        & (pl.col("base") == base)
        & (pl.col("kind") == "settled")
        & pl.col("symbol").cast(pl.String).str.split(":").list.last().is_in(DOLLARS)
    )
    linear = frame.unique("ts").sort("ts").select("symbol", "ts", "funding_rate").collect().rows()
    if not linear:
        raise NothingRecorded(f"{folder} holds no settled funding of {base} at {venue}.")
    symbol = Symbol(linear[0][0])
    settled = tuple(
        SettledFunding(
            venue=venue,
            symbol=symbol,
            funding_rate=Decimal(str(rate)).quantize(RATE_PLACES),
            settled_at=at,
        )
        for _, at, rate in linear
    )
    prices = _openings(folder, venue, symbol) if is_priced else {}
    # Hourly venues have no entry window.
    spacing = median(after[1] - before[1] for before, after in pairwise(linear))
    settlement = SettlementKind.HOURLY if spacing <= HOUR else SettlementKind.LUMP
    instrument = _instrument(venue, symbol, base, settlement)
    return RecordedLeg(instrument=instrument, settled=settled, prices=prices)


def read_spot(folder: Path, venue: str, base: str) -> RecordedLeg:
    """Return a spot market's prices. Raise NothingRecorded."""
    symbol = Symbol(f"{base}/USDT")
    prices = _openings(folder, venue, symbol)
    instrument = _instrument(venue, symbol, base, SettlementKind.NONE)
    return RecordedLeg(instrument=instrument, prices=prices)


def unpriced_spot(venue: str, base: str) -> RecordedLeg:
    """Return a spot market that is worth 1 throughout: a carry then earns by funding alone."""
    instrument = _instrument(venue, Symbol(f"{base}/USDT"), base, SettlementKind.NONE)
    return RecordedLeg(instrument=instrument)


def read_bars(folder: Path, venue: str, symbol: str, interval: str) -> list[PriceBar]:
    """Return price bars, oldest first. Raise NothingRecorded."""
    frame = _scan(folder, PRICE_FILES[interval]).filter(
        (pl.col("venue") == venue) & (pl.col("symbol") == symbol) & (pl.col("interval") == interval)
    )
    rows = frame.unique("ts").sort("ts").select("ts", "open", "low", "high").collect().rows()
    if not rows:
        raise NothingRecorded(f"{folder} holds no {interval} prices of {symbol} at {venue}.")
    return [
        PriceBar(
            at=at,
            price=Decimal(str(opened)),
            lowest=Decimal(str(lowest)),
            highest=Decimal(str(highest)),
        )
        for at, opened, lowest, highest in rows
    ]


def _openings(folder: Path, venue: str, symbol: str) -> dict[datetime, Decimal]:
    return {bar.at: bar.price for bar in read_bars(folder, venue, symbol, "8h")}


def _scan(folder: Path, name: str) -> pl.LazyFrame:
    path = folder / name
    if not path.is_file():
        raise NothingRecorded(f"{path} is not there: name the folder of the recorded data.")
    return pl.scan_parquet(path)


def _instrument(venue: str, symbol: Symbol, base: str, settlement: SettlementKind) -> Instrument:
    """Return an instrument whose steps and minima never bind: a replay sends no orders."""
    is_spot = settlement is SettlementKind.NONE
    quote = symbol.partition("/")[2].partition(":")[0]
    return Instrument(
        venue=venue,
        symbol=symbol,
        venue_symbol=symbol,
        kind=InstrumentKind.SPOT if is_spot else InstrumentKind.PERPETUAL,
        base=base,
        quote=quote,
        settle=symbol.partition(":")[2] or quote,
        contract_base=ONE,
        price_tick=CENT,
        lot=CENT,
        min_base_quantity=CENT,
        min_notional=ONE,
        settlement=settlement,
    )
