"""When the simulated venues deliver their dated futures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

DELIVERY_HOUR = 8


def quarterly(now: datetime) -> tuple[datetime, datetime]:
    """Return the next two deliveries after `now`: last Fridays of a quarter, 08:00 UTC."""
    months = [(now.year + month // 12, month % 12 + 1) for month in range(now.month - 1, 21)]
    ends = [_last_friday(year, month) for year, month in months if month % 3 == 0]
    first, second, *_ = [end for end in ends if end > now]
    return first, second


def _last_friday(year: int, month: int) -> datetime:
    after = datetime(year + month // 12, month % 12 + 1, 1, DELIVERY_HOUR, tzinfo=UTC)
    return after - timedelta(days=(after.weekday() - 5) % 7 + 1)
