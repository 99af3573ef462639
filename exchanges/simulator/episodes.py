"""Funding episodes: for a while one symbol pays far more at one venue than at the other."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from decimal import Decimal

from exchanges.simulator.listings import BYBIT, USDM, Listing
from exchanges.simulator.noise import uniform

FIRST_DELAY = timedelta(seconds=10)
SETTLEMENTS = 8
EARLY_BASES = 3


class EpisodePlan:
    """Which symbol pays how much when; a pure function of seed, epoch and interval.

    A new episode begins every 5/4 interval (5 minutes at 4), with the beginning of an interval so
    that its rate is seen early; only the first begins at once. The order of symbols is drawn once
    and then repeats: with eight symbols nobody's next episode begins before the last has ended.
    """

    def __init__(
        self, *, seed: int, epoch: datetime, interval: timedelta, bases: tuple[str, ...]
    ) -> None:
        self._seed = seed
        self._first_at = epoch + FIRST_DELAY
        self._interval = interval
        self._spacing = interval * 5 / 4
        self._order = self._drawn(bases[:EARLY_BASES]) + self._drawn(bases[EARLY_BASES:])

    def rate(
        self, listing: Listing, settlement_at: datetime, *, known_at: datetime
    ) -> Decimal | None:
        """Return the episode's rate at `settlement_at` if it has begun by `known_at`."""
        if listing.base not in self._order or not listing.is_perpetual:
            return None
        for number in self._candidates(listing.base, settlement_at):
            starts_at = self._starts_at(number)
            first = starts_at + self._until_settlement(starts_at)
            ends_at = first + SETTLEMENTS * self._interval
            is_running = starts_at <= known_at and starts_at < settlement_at <= ends_at
            if is_running and listing.venue == self._venue(number):
                return self._size(number)
        return None

    def _drawn(self, bases: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted(bases, key=lambda base: uniform(self._seed, f"order/{base}", 0)))

    def _candidates(self, base: str, settlement_at: datetime) -> range:
        """Return the numbers of the episodes of `base` that may cover `settlement_at`."""
        elapsed = (settlement_at - self._first_at) / self._spacing
        if elapsed < 0:
            return range(0)
        place, count = self._order.index(base), len(self._order)
        latest_cycle = math.floor((elapsed - place) / count)
        start = place + max(0, latest_cycle - 2) * count
        return range(start, place + (latest_cycle + 1) * count, count)

    def _starts_at(self, number: int) -> datetime:
        if number == 0:
            return self._first_at
        planned = self._first_at + number * self._spacing
        return planned + self._until_settlement(planned)

    def _until_settlement(self, at: datetime) -> timedelta:
        span = self._interval.total_seconds()
        return timedelta(seconds=span - at.timestamp() % span)

    def _venue(self, number: int) -> str:
        return USDM if uniform(self._seed, "episode/venue", number) < 0.5 else BYBIT

    def _size(self, number: int) -> Decimal:
        """Return 15 to 30 bp, negative in one episode of five."""
        size = Decimal(1500 + int(1500 * uniform(self._seed, "episode/size", number)))
        sign = -1 if uniform(self._seed, "episode/sign", number) < 0.2 else 1
        return sign * size / 1_000_000
