"""Funding intervals for streams that do not carry them.

A streamed rate of Binance names the next settlement but not the spacing; the spacing is read by
REST, at most a minute old, and loses its standing the moment the stream contradicts it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from exchanges.domain import FundingRate, IntervalSource, Symbol

# Venues settle up to some seconds late and keep naming the past instant meanwhile.
SETTLEMENT_SLACK = timedelta(seconds=60)


class IntervalTable:
    """The interval of each instrument as last read by REST."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, Symbol], FundingRate] = {}

    def learn(self, rates: Iterable[FundingRate]) -> None:
        """Take rates that carry their interval, an unknown or conflicting one included."""
        for rate in rates:
            self._known[(rate.venue, rate.symbol)] = rate

    def complete(self, rate: FundingRate) -> FundingRate:
        """Return the streamed rate with its interval; CONFLICTING where the two disagree.

        A rate that names no settlement gets the next one of that spacing.
        """
        if rate.interval_seconds is not None:
            return rate
        known = self._known.get((rate.venue, rate.symbol))
        if known is None:
            return rate
        if known.interval_seconds is None:
            return replace(rate, interval_source=known.interval_source)
        if _contradicts(known, rate):
            return replace(rate, interval_source=IntervalSource.CONFLICTING)
        return replace(
            rate,
            interval_seconds=known.interval_seconds,
            interval_source=known.interval_source,
            next_funding_at=rate.next_funding_at or _next_after(known, rate.observed_at),
        )


def _next_after(known: FundingRate, at: datetime) -> datetime | None:
    if known.next_funding_at is None or known.interval_seconds is None:
        return None
    interval = timedelta(seconds=known.interval_seconds)
    passed = max(0, -((known.next_funding_at - at) // interval))
    return known.next_funding_at + passed * interval


def _contradicts(known: FundingRate, rate: FundingRate) -> bool:
    if rate.next_funding_at is None or known.interval_seconds is None:
        return False
    interval = timedelta(seconds=known.interval_seconds)
    if rate.next_funding_at - rate.observed_at > interval + SETTLEMENT_SLACK:
        return True
    if known.next_funding_at is None:
        return False
    return (rate.next_funding_at - known.next_funding_at) % interval != timedelta(0)
