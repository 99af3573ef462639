"""How far apart the legs of a position usually are: the median of a week of hourly mids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from statistics import median

from exchanges import selectors
from exchanges.board import Key
from exchanges.domain import Side
from trading.core.basis import GapPrices, PricedLeg, undated_gap
from trading.core.history import half_life_of

HOUR, WEEK = timedelta(hours=1), timedelta(days=7)
# A day of hours: less says nothing of what is usual.
LEAST_HOURS = 24
ZERO, UNKNOWN = Decimal(0), Decimal("NaN")


class UsualGaps:
    """Hourly mids in memory. `refresh` reads what is new once an hour, the rest asks memory."""

    def __init__(self) -> None:
        self._mids: dict[Key, dict[datetime, Decimal]] = {}
        self._read_up_to: datetime | None = None

    def refresh(self, now: datetime) -> bool:
        """Read the hours that have ended since the last time; tell whether there were any."""
        hour_at = now.replace(minute=0, second=0, microsecond=0)
        if self._read_up_to is not None and self._read_up_to >= hour_at:
            return False
        oldest = now - WEEK
        # Whole copies: the scan asks on another thread meanwhile.
        kept = {
            key: {at: mid for at, mid in mids.items() if at >= oldest}
            for key, mids in self._mids.items()
        }
        for key, at, mid in selectors.mids(self._read_up_to or oldest, hour_at):
            kept.setdefault(key, {})[at] = mid
        self._mids, self._read_up_to = kept, hour_at
        return True

    @property
    def known_up_to(self) -> datetime | None:
        """Return the hour up to which mids were read."""
        return self._read_up_to

    def series(self, keys: Sequence[Key]) -> list[list[Decimal]]:
        """Return the mids of each, NaN in hours without one, for the medians of a scan."""
        known = [self._mids.get(key, {}) for key in keys]
        hours = sorted(set().union(*known))
        return [[mids.get(hour, UNKNOWN) for hour in hours] for mids in known]

    def half_life_hours(self, legs: Sequence[tuple[Key, PricedLeg]]) -> Decimal | None:
        """Return in how many hours half of a deviation of the whole gap is gone, or None."""
        known = [self._mids.get(key, {}) for key, _ in legs]
        return gap_half_life_hours([leg for _, leg in legs], known)

    def of(self, legs: Sequence[tuple[Key, PricedLeg]]) -> Decimal:
        """Return the median gap of undated legs, each weighted by its ratio; prices are ignored.

        0 where fewer than two legs never expire, and with less than a day of common hours.
        """
        undated = [(key, leg) for key, leg in legs if leg.expires_at is None]
        if {leg.side for _, leg in undated} != set(Side):
            return ZERO
        known = [self._mids.get(key, {}) for key, _ in undated]
        hours = set(known[0]).intersection(*known[1:])
        if len(hours) < LEAST_HOURS:
            return ZERO
        return median(
            undated_gap([_at(leg, self._mids.get(key, {}), hour) for key, leg in legs])
            for hour in hours
        )


def gap_half_life_hours(
    legs: Sequence[PricedLeg], mids: Sequence[Mapping[datetime, Decimal]]
) -> Decimal | None:
    """Return in how many hours half of a deviation of the gap is gone; prices of legs are ignored.

    None with too few common hours, and where it does not come back.
    """
    if {leg.side for leg in legs} != set(Side):
        return None
    hours = sorted(set(mids[0]).intersection(*mids[1:]))
    gaps = [
        GapPrices.of(
            replace(leg, price=known[hour]) for leg, known in zip(legs, mids, strict=True)
        ).gap
        for hour in hours
    ]
    return half_life_of(_steps(hours, gaps))


def _steps(hours: Sequence[datetime], gaps: Sequence[Decimal]) -> list[tuple[Decimal, Decimal]]:
    """Return the gaps of each two hours that follow each other."""
    known = zip(pairwise(hours), pairwise(gaps), strict=True)
    return [step for (before, after), step in known if after - before == HOUR]


def _at(leg: PricedLeg, mids: dict[datetime, Decimal], hour: datetime) -> PricedLeg:
    return leg if leg.expires_at is not None else replace(leg, price=mids[hour])
