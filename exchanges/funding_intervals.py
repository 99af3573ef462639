"""How often a contract settles funding: a fact with a source, in whole seconds, never assumed.

Pure. Bybit lists minutes (they may be fractions in a compressed rehearsal); Binance lists hours of
adjusted symbols only and for the rest the spacing of past settlements must tell; OKX names the next
two settlements; Hyperliquid and most others tell hours with each rate; where none is told and all
contracts settle at once, the spacing of one tells that of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from exchanges.domain import IntervalSource

# Venues stamp a settlement some milliseconds late.
STAMP_SLACK = timedelta(milliseconds=500)
SETTLEMENTS_NEEDED = 3
TOLD_SLACK = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class FundingInterval:
    """`seconds` is None exactly where the source is UNKNOWN or CONFLICTING."""

    seconds: int | None
    source: IntervalSource


UNKNOWN = FundingInterval(None, IntervalSource.UNKNOWN)
CONFLICTING = FundingInterval(None, IntervalSource.CONFLICTING)


def from_minutes(minutes: Decimal | None, hours: Decimal | None) -> FundingInterval:
    """Return the listed interval; CONFLICTING where the ticker's whole `hours` say another.

    A ticker counts in whole hours, so it has no say where the minutes are not whole hours.
    """
    if minutes is None or minutes <= 0:
        return UNKNOWN
    if hours and minutes % 60 == 0 and hours * 60 != minutes:
        return CONFLICTING
    return _whole_seconds(minutes * 60)


def from_hours(hours: Decimal | None) -> FundingInterval:
    """Return the listed interval of an adjusted symbol."""
    return UNKNOWN if hours is None or hours <= 0 else _whole_seconds(hours * 3600)


def from_told_hours(hours: Decimal | None) -> FundingInterval:
    """Return the interval of a rate; hours of a compressed rehearsal are rounded to six places."""
    if hours is None or hours <= 0:
        return UNKNOWN
    seconds = (hours * 3600).to_integral_value()
    return _whole_seconds(seconds) if abs(seconds - hours * 3600) < TOLD_SLACK else UNKNOWN


def from_spaced_hours(hours: Decimal | None) -> FundingInterval:
    """Return the interval of a rate whose hours lie between settlements that have passed."""
    told = from_told_hours(hours)
    return told if told.seconds is None else replace(told, source=IntervalSource.SETTLEMENT_SPACING)


def from_next_two(upcoming: datetime | None, following: datetime | None) -> FundingInterval:
    """Return the time from the settlement to come to the one after it, UNKNOWN without either."""
    if upcoming is None or following is None or following <= upcoming:
        return UNKNOWN
    return _whole_seconds(Decimal(str((following - upcoming).total_seconds())))


def from_spacing(
    settled_at: Sequence[datetime], next_funding_at: datetime | None
) -> FundingInterval:
    """Return the spacing of the last three settlements if the next one agrees with it.

    UNKNOWN with fewer than three or without a next time; CONFLICTING where spacings differ.
    """
    last = sorted(settled_at)[-SETTLEMENTS_NEEDED:]
    if len(last) < SETTLEMENTS_NEEDED or next_funding_at is None:
        return UNKNOWN
    # Read just before and just after a settlement, the next one is the last one.
    has_just_happened = abs(next_funding_at - last[-1]) <= STAMP_SLACK
    moments = last if has_just_happened else [*last, next_funding_at]
    gaps = [after - before for before, after in pairwise(moments)]
    seconds = round(gaps[0] / timedelta(seconds=1))
    interval = timedelta(seconds=seconds)
    if seconds <= 0 or any(abs(gap - interval) > STAMP_SLACK for gap in gaps):
        return CONFLICTING
    return FundingInterval(seconds, IntervalSource.SETTLEMENT_SPACING)


def _whole_seconds(seconds: Decimal) -> FundingInterval:
    if seconds != int(seconds):
        return UNKNOWN
    return FundingInterval(int(seconds), IntervalSource.VENUE)
