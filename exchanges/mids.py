"""The mids of every listing: one an hour for usual gaps, 8 h bars for how far prices go."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from exchanges import selectors
from exchanges.board import Board
from exchanges.models import HourlyMid, MidBar

# What the board heard before this hour belongs to another one.
NEWEST = timedelta(minutes=1)

Mids = Mapping[UUID, Decimal]
"""By instrument."""


def sample_mids(board: Board, now: datetime) -> int:
    """Write the fresh mids of this hour that are not yet written; return how many.

    Bars grow by every sample.
    """
    mids = _fresh_mids(board, now)
    hour_at = now.replace(minute=0, second=0, microsecond=0)
    written = set(HourlyMid.objects.filter(hour_at=hour_at).values_list("instrument_id", flat=True))
    rows = [
        HourlyMid(instrument_id=pk, hour_at=hour_at, mid=mid)
        for pk, mid in mids.items()
        if pk not in written
    ]
    HourlyMid.objects.bulk_create(rows, ignore_conflicts=True)
    _grow_bars(mids, now)
    return len(rows)


def _fresh_mids(board: Board, now: datetime) -> Mids:
    found: dict[UUID, Decimal] = {}
    for instrument in selectors.active_instruments():
        row = board.row(*selectors.instrument_key(instrument))
        if row is not None and row.book is not None and abs(now - row.book.observed_at) <= NEWEST:
            found[instrument.pk] = row.book.mid
    return found


def _grow_bars(mids: Mids, now: datetime) -> None:
    """Begin the bars that are missing and widen those that a mid lies outside of."""
    starts_at, grown = selectors.bar_start(now), []
    known = {bar.instrument_id: bar for bar in MidBar.objects.filter(starts_at=starts_at)}
    for pk, mid in mids.items():
        bar = known.get(pk)
        if bar is not None and bar.low <= mid <= bar.high:
            continue
        first, low, high = (bar.first, bar.low, bar.high) if bar is not None else (mid, mid, mid)
        grown.append(
            MidBar(
                instrument_id=pk,
                starts_at=starts_at,
                first=first,
                low=min(low, mid),
                high=max(high, mid),
            )
        )
    MidBar.objects.bulk_create(
        grown,
        update_conflicts=True,
        unique_fields=["instrument", "starts_at"],
        update_fields=["low", "high"],
    )
