"""How long a condition has been true of a position, kept in the database across restarts."""

from __future__ import annotations

from datetime import datetime, timedelta

from trading.models import LastingCondition, Position

# Seen at intervals longer than this, nobody can say that it was true in between.
MOST_GAP = timedelta(seconds=30)


def has_lasted(position: Position, rule: str, *, least: timedelta, now: datetime) -> bool:
    """Note that `rule` is true now and tell whether it was at every look for `least`."""
    row = LastingCondition.objects.filter(position=position, rule=rule).first()
    if row is None or not timedelta(0) <= now - row.seen_at <= MOST_GAP:
        row, _ = LastingCondition.objects.update_or_create(
            position=position, rule=rule, defaults={"since": now, "seen_at": now}
        )
    else:
        LastingCondition.objects.filter(pk=row.pk).update(seen_at=now)
    return now - row.since >= least


def has_ended(position: Position, rule: str) -> None:
    """Note that `rule` is not true any more; usually there is nothing to note."""
    rows = LastingCondition.objects.filter(position=position, rule=rule)
    if rows.exists():
        rows.delete()
