"""How far apart the legs of a position usually are: the median of a week of hourly mids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median

from exchanges import selectors
from exchanges.board import Key
from exchanges.domain import Side
from trading.core.basis import PricedLeg, undated_gap

WEEK = timedelta(days=7)
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


def _at(leg: PricedLeg, mids: dict[datetime, Decimal], hour: datetime) -> PricedLeg:
    return leg if leg.expires_at is not None else replace(leg, price=mids[hour])
