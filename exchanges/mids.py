"""The mid price of every listing once an hour, kept for as long as a usual gap looks back."""

from __future__ import annotations

from datetime import datetime, timedelta

from exchanges import selectors
from exchanges.board import Board
from exchanges.models import HourlyMid

KEPT = timedelta(days=8)
# What the board heard before this hour belongs to another one.
NEWEST = timedelta(minutes=1)


def sample_mids(board: Board, now: datetime) -> int:
    """Write the fresh mids of this hour that are not yet written; return how many."""
    hour_at = now.replace(minute=0, second=0, microsecond=0)
    written = set(HourlyMid.objects.filter(hour_at=hour_at).values_list("instrument_id", flat=True))
    rows = []
    for instrument in selectors.active_instruments():
        row = board.row(*selectors.instrument_key(instrument))
        if instrument.pk in written or row is None or row.book is None:
            continue
        if now - row.book.observed_at <= NEWEST:
            rows.append(HourlyMid(instrument=instrument, hour_at=hour_at, mid=row.book.mid))
    HourlyMid.objects.bulk_create(rows, ignore_conflicts=True)
    HourlyMid.objects.filter(hour_at__lt=now - KEPT).delete()
    return len(rows)
