"""The replayed market: recorded funding and prices at compressed time, venue times wall-clock.

One recorded hour passes in a few seconds and funding intervals are compressed alike. Prices move
straight from one hour's open to the next; a settlement's price is the open of its hour and its rate
the recorded one. After the recording's end prices stand still and rates are zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl

from exchanges.simulator.characters import CHARACTERS
from exchanges.simulator.listings import (
    BYBIT,
    BYBIT_SPOT,
    HYPERLIQUID,
    OKX,
    SPOT,
    USDM,
    Listing,
    ListingKey,
    listed,
)
from exchanges.simulator.market import UnusableRecording, next_settlement, on_tick

HOUR = timedelta(hours=1)
DEFAULT_INTERVAL_HOURS = 8
HISTORY = timedelta(days=7)
RECORDED_VENUE = {SPOT: "binance", USDM: "binance", BYBIT: "bybit", BYBIT_SPOT: "bybit"}
# Nobody recorded what borrowing cost: 0.01 % a day, by the hour.
BORROW_RATE = Decimal("0.0000042")
READERS: Mapping[str, Callable[[Path], pl.DataFrame]] = {
    ".parquet": pl.read_parquet,
    ".csv": pl.read_csv,
}

Series = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """By (venue, base): rates by settlement, opens by hour, and the funding interval in hours."""

    rates: Mapping[Series, Mapping[datetime, Decimal]]
    opens: Mapping[Series, Mapping[datetime, Decimal]]
    interval_hours: Mapping[Series, int]

    @property
    def bases(self) -> tuple[str, ...]:
        """Return the assets that both venues recorded prices and rates of."""
        venues = set(RECORDED_VENUE.values())
        return tuple(
            base
            for base in CHARACTERS
            if all((venue, base) in self.rates and (venue, base) in self.opens for venue in venues)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Compression:
    """How recorded time lies on the wall clock: `start` plays at `epoch`."""

    start: datetime
    end: datetime | None
    epoch: datetime
    seconds_per_hour: float

    def recorded(self, at: datetime) -> datetime:
        moment = self.start + (at - self.epoch) * 3600 / self.seconds_per_hour
        return min(moment, self.end) if self.end else moment

    def compressed(self, span: timedelta) -> timedelta:
        return span * self.seconds_per_hour / 3600


def epoch_for(now: datetime, seconds_per_hour: float) -> datetime:
    """Return when a replay may begin so that its settlements fall on wall-clock multiples."""
    grid = timedelta(seconds=DEFAULT_INTERVAL_HOURS * seconds_per_hour)
    return next_settlement(now, grid)


def read_recording(paths: Sequence[Path], *, start: datetime, end: datetime | None) -> Recording:
    """Read Parquet or CSV files, or all such files of directories; raise UnusableRecording."""
    if start.hour % DEFAULT_INTERVAL_HOURS or start.minute or start.second:
        raise UnusableRecording(f"replay start {start} is not on an eight-hour settlement")
    found = _Found()
    for path in paths:
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        for file in files:
            if file.suffix in READERS:
                found.add(_window(READERS[file.suffix](file), start, end))
    recording = Recording(rates=found.rates, opens=found.opens, interval_hours=found.hours)
    if not recording.bases:
        raise UnusableRecording(f"no asset has prices and funding at both venues from {start}")
    return recording


def _window(frame: pl.DataFrame, start: datetime, end: datetime | None) -> pl.DataFrame:
    if not {"venue", "symbol", "base", "ts"} <= set(frame.columns):
        return frame.clear()
    if frame.schema["ts"] == pl.String:
        frame = frame.with_columns(pl.col("ts").str.to_datetime(time_zone="UTC"))
    kept = frame.with_columns(
        pl.col(name).cast(pl.String) for name in ("venue", "symbol", "base")
    ).filter(
        pl.col("venue").is_in(sorted(set(RECORDED_VENUE.values()))),
        pl.col("symbol").str.ends_with("/USDT:USDT"),
        pl.col("ts") >= start - HISTORY,
    )
    return kept.filter(pl.col("ts") <= end) if end else kept


@dataclass(slots=True)
class _Found:
    rates: dict[Series, dict[datetime, Decimal]] = field(default_factory=dict)
    opens: dict[Series, dict[datetime, Decimal]] = field(default_factory=dict)
    hours: dict[Series, int] = field(default_factory=dict)

    def add(self, frame: pl.DataFrame) -> None:
        """Take in the rows of one file; floats enter as the decimals they print as."""
        columns = set(frame.columns)
        if {"funding_rate", "interval_hours", "kind"} <= columns:
            settled = frame.filter(pl.col("kind").cast(pl.String) == "settled")
            for row in settled.iter_rows(named=True):
                series = (row["venue"], row["base"])
                moment = row["ts"].replace(second=0, microsecond=0)
                self.rates.setdefault(series, {})[moment] = Decimal(str(row["funding_rate"]))
                self.hours[series] = int(row["interval_hours"])
        elif {"open", "close", "interval"} <= columns:
            hourly = frame.filter(pl.col("interval").cast(pl.String) == "1h").sort("ts")
            for row in hourly.iter_rows(named=True):
                opens = self.opens.setdefault((row["venue"], row["base"]), {})
                opens[row["ts"]] = Decimal(str(row["open"]))
                opens.setdefault(row["ts"] + HOUR, Decimal(str(row["close"])))


class ReplayMarket:
    """A recording as a market; implements `exchanges.simulator.market.Market`."""

    def __init__(self, recording: Recording, compression: Compression) -> None:
        # Nobody recorded these for as long as the others.
        self.listings: Mapping[ListingKey, Listing] = listed(
            recording.bases, without=frozenset({OKX, HYPERLIQUID})
        )
        self._recording = recording
        self._time = compression

    def interval(self, listing: Listing) -> timedelta:
        hours = self._recording.interval_hours.get(_series(listing), DEFAULT_INTERVAL_HOURS)
        return self._time.compressed(hours * HOUR)

    def mid(self, listing: Listing, at: datetime) -> Decimal:
        moment = self._time.recorded(at)
        hour = moment.replace(minute=0, second=0, microsecond=0)
        opens = self._recording.opens[_series(listing)]
        before = self._open(opens, hour)
        after = opens.get(hour + HOUR, before)
        milliseconds = (moment - hour) // timedelta(milliseconds=1)
        return before + (after - before) * milliseconds / 3_600_000

    def mark(self, listing: Listing, at: datetime) -> Decimal:
        return on_tick(self.mid(listing, at), listing.tick)

    def index(self, listing: Listing, at: datetime) -> Decimal:
        """Return the mean of both venues' prices."""
        moments = [
            self.mid(self.listings[(venue, f"{listing.base}USDT")], at) for venue in (USDM, BYBIT)
        ]
        return on_tick(sum(moments, Decimal(0)) / len(moments), listing.tick)

    def predicted_rate(self, listing: Listing, at: datetime) -> Decimal:
        return self.settled_rate(listing, next_settlement(at, self.interval(listing)))

    def settled_rate(self, listing: Listing, settlement_at: datetime) -> Decimal:
        start, ratio = self._time.start, 3600 / self._time.seconds_per_hour
        moment = start + (settlement_at - self._time.epoch) * ratio
        rates = self._recording.rates[_series(listing)]
        rounded = (moment + timedelta(seconds=30)).replace(second=0, microsecond=0)
        return rates.get(rounded, Decimal(0))

    def borrow_rate(self, listing: Listing, at: datetime) -> Decimal:
        return BORROW_RATE

    def _open(self, opens: Mapping[datetime, Decimal], hour: datetime) -> Decimal:
        """Return the open of `hour`, or of the last hour before it that was recorded."""
        if hour in opens:
            return opens[hour]
        earlier = max((moment for moment in opens if moment < hour), default=min(opens))
        return opens[earlier]


def _series(listing: Listing) -> Series:
    return (RECORDED_VENUE[listing.venue], listing.base)
