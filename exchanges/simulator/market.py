"""The generated market: prices, gaps and funding of all listings as functions of seed and time.

Calibrated to the recorded data: BTC moves about 65 bp an hour, basis -1 bp with a deviation of a
few bp, |funding difference between venues| 0.4 bp per settlement with high persistence. On top
come episodes (see `episodes`), without which a rehearsal would have nothing to trade.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Protocol

from exchanges.simulator.characters import character_of
from exchanges.simulator.episodes import EpisodePlan
from exchanges.simulator.listings import (
    EPISODE_ORDER,
    Listing,
    ListingKey,
    listed,
)
from exchanges.simulator.noise import persistent, smooth, wander

TICK_SECONDS = 0.25
RATE_STEP = Decimal("0.00000001")
MEAN_RATE = 0.0001
COMMON_RATE_DEVIATION = 0.00004
VENUE_RATE_DEVIATION = 0.000032
RATE_WOBBLE = 0.00001
BPS = 0.0001
# A fraction an hour: 0.01 % a day, which moves by half of it over some days.
BORROW_RATE, BORROW_MOVES = 0.0000042, 0.5
BORROW_STEP = Decimal("0.000000000001")
HOUR = timedelta(hours=1)
YEAR_SECONDS = 365 * 86_400.0
HOUR_SECONDS, DAY_SECONDS = 3_600.0, 86_400.0
# What a dated future costs above the index, a year: it is what expiries and venues disagree about.
CARRY, CARRY_MOVES, CARRY_DIFFERS = 0.06, 0.03, 0.02


class UnusableRecording(Exception):
    """A recording cannot be replayed as a market; the text says why."""


class Market(Protocol):
    """Everything a venue knows of prices and funding, at any moment."""

    @property
    def listings(self) -> Mapping[ListingKey, Listing]: ...

    def interval(self, listing: Listing) -> timedelta:
        """Return the funding interval; settlements fall on its wall-clock multiples."""

    def mid(self, listing: Listing, at: datetime) -> Decimal: ...

    def mark(self, listing: Listing, at: datetime) -> Decimal:
        """Return the mark price on the listing's tick; at a settlement, the settlement price."""

    def index(self, listing: Listing, at: datetime) -> Decimal: ...

    def predicted_rate(self, listing: Listing, at: datetime) -> Decimal:
        """Return what the venue says at `at` of the settlement to come."""

    def settled_rate(self, listing: Listing, settlement_at: datetime) -> Decimal: ...

    def borrow_rate(self, listing: Listing, at: datetime) -> Decimal:
        """Return what borrowing the listing's base costs an hour; it holds for its hour."""


def previous_settlement(at: datetime, interval: timedelta) -> datetime:
    """Return the last wall-clock multiple of `interval` that is not after `at`."""
    since_epoch = at - datetime(1970, 1, 1, tzinfo=UTC)
    return at - since_epoch % interval


def next_settlement(at: datetime, interval: timedelta) -> datetime:
    """Return the first wall-clock multiple of `interval` after `at`."""
    return previous_settlement(at, interval) + interval


def on_tick(price: Decimal, tick: Decimal) -> Decimal:
    return (price / tick).quantize(Decimal(1), rounding=ROUND_HALF_EVEN) * tick


class GeneratedMarket:
    """A seeded market. `epoch` is the first start of this state and times the episodes."""

    def __init__(
        self,
        *,
        seed: int,
        epoch: datetime,
        interval: timedelta,
        bases: tuple[str, ...] = EPISODE_ORDER,
        expiries: tuple[datetime, ...] = (),
        stablecoins: tuple[str, ...] = (),
        watched: bool = False,
    ) -> None:
        self.listings: Mapping[ListingKey, Listing] = listed(
            bases, expiries=expiries, stablecoins=stablecoins, watched=watched
        )
        self._seed = seed
        self._interval = interval
        self._episodes = EpisodePlan(seed=seed, epoch=epoch, interval=interval, bases=bases)
        self._index_price = lru_cache(maxsize=4096)(self._index_at)
        self._calm_rate = lru_cache(maxsize=8192)(self._calm_rate_at)
        self._mid = lru_cache(maxsize=1024)(self._mid_at)
        self._mark = lru_cache(maxsize=4096)(self._mark_at)

    def interval(self, listing: Listing) -> timedelta:
        if listing.habits.pays_daily:
            return HOUR
        return min(self._interval, HOUR) if listing.habits.settles_hourly else self._interval

    def mid(self, listing: Listing, at: datetime) -> Decimal:
        return self._mid(listing.key, _on_beat(at))

    def mark(self, listing: Listing, at: datetime) -> Decimal:
        return self._mark(listing.key, _on_beat(at))

    def index(self, listing: Listing, at: datetime) -> Decimal:
        price = Decimal(str(self._index_price(listing.base, _on_beat(at))))
        return on_tick(price, listing.tick)

    def predicted_rate(self, listing: Listing, at: datetime) -> Decimal:
        interval = self.interval(listing)
        settlement_at = next_settlement(at, interval)
        episode = self._episodes.rate(listing, settlement_at, known_at=at)
        if episode is not None:
            return episode
        # A calm rate still moves while its interval runs and is certain at the settlement.
        remaining = (settlement_at - at) / interval
        wobble = smooth(self._seed, f"wobble/{listing.key}", at.timestamp(), 60)
        estimate = self._calm_rate(listing.key, settlement_at) + RATE_WOBBLE * remaining * wobble
        return _rate(estimate)

    def settled_rate(self, listing: Listing, settlement_at: datetime) -> Decimal:
        episode = self._episodes.rate(listing, settlement_at, known_at=settlement_at)
        return _rate(self._calm_rate(listing.key, settlement_at)) if episode is None else episode

    def borrow_rate(self, listing: Listing, at: datetime) -> Decimal:
        hour = at.timestamp() // HOUR_SECONDS * HOUR_SECONDS
        moved = smooth(self._seed, f"borrow/{listing.base}", hour, 2 * DAY_SECONDS)
        rate = Decimal(str(BORROW_RATE * (1 + BORROW_MOVES * moved)))
        return rate.quantize(BORROW_STEP, rounding=ROUND_HALF_EVEN)

    def _mid_at(self, key: ListingKey, seconds: float) -> Decimal:
        listing = self.listings[key]
        premium = self._premium(listing, seconds, gap=1.0)
        return Decimal(str(self._index_price(listing.base, seconds) * (1 + premium)))

    def _mark_at(self, key: ListingKey, seconds: float) -> Decimal:
        listing = self.listings[key]
        premium = self._premium(listing, seconds, gap=0.3)
        price = Decimal(str(self._index_price(listing.base, seconds) * (1 + premium)))
        return on_tick(price, listing.tick)

    def _index_at(self, base: str, seconds: float) -> float:
        character = character_of(base)
        moved = wander(self._seed, f"price/{base}", seconds, volatility=character.volatility)
        return float(character.start_price) * math.exp(moved)

    def _premium(self, listing: Listing, seconds: float, *, gap: float) -> float:
        """Return price over index, less one; that of a dated future is 0 at its expiry."""
        if listing.expires_at is None:
            return self._perp_basis(listing, seconds) + gap * self._venue_gap(listing, seconds)
        left = max(0.0, listing.expires_at.timestamp() - seconds)
        fading = min(1.0, left / HOUR_SECONDS)
        carried = self._carry(listing, seconds) * left / YEAR_SECONDS
        return carried + fading * gap * self._venue_gap(listing, seconds)

    def _carry(self, listing: Listing, seconds: float) -> float:
        """Return the yearly rate that a dated future's basis stands for."""
        common = smooth(self._seed, f"carry/{listing.base}", seconds, DAY_SECONDS)
        own = smooth(self._seed, f"carry/{listing.key}", seconds, 2 * HOUR_SECONDS)
        return CARRY + CARRY_MOVES * common + CARRY_DIFFERS * own

    def _perp_basis(self, listing: Listing, seconds: float) -> float:
        if not listing.is_perpetual:
            return 0.0
        return BPS * (-1 + 4 * smooth(self._seed, f"basis/{listing.base}", seconds, 900))

    def _venue_gap(self, listing: Listing, seconds: float) -> float:
        name = f"gap/{listing.key}"
        slow = smooth(self._seed, name + "/slow", seconds, 90)
        return BPS * (0.8 * slow + 0.4 * smooth(self._seed, name + "/fast", seconds, 5))

    def _calm_rate_at(self, key: ListingKey, settlement_at: datetime) -> float:
        venue, symbol = key
        interval = self.interval(self.listings[key])
        index = round(settlement_at.timestamp() / interval.total_seconds())
        common = persistent(self._seed, f"rate/{symbol}", index, persistence=0.95)
        own = persistent(self._seed, f"rate/{venue}/{symbol}", index, persistence=0.9)
        rate = MEAN_RATE + COMMON_RATE_DEVIATION * common + VENUE_RATE_DEVIATION * own
        return rate * (interval / self._interval)


def _on_beat(at: datetime) -> float:
    """Return the time in seconds on the market's own beat, so that one beat has one price."""
    return math.floor(at.timestamp() / TICK_SECONDS) * TICK_SECONDS


def _rate(value: float) -> Decimal:
    return Decimal(str(value)).quantize(RATE_STEP, rounding=ROUND_HALF_EVEN)
