"""Number what happened to a user, so that whoever was away can go on where it stopped.

Rows get their ids before they are committed, so ids may appear out of order; these numbers are
given under a lock to what is committed, and none is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from heapq import merge

from django.db import transaction

from arbsite.accounts.models import User
from trading.models import Event, StreamCounter, StreamEntry, Trade

# No transaction lasts longer: what is older and committed has its number.
LONGEST_TRANSACTION = timedelta(minutes=10)
AT_ONCE = 500
ENGINE_KINDS = frozenset({"engine", "kill_switch", "account.halted", "account.released"})
Kind = StreamEntry.Kind


def number_events(user: User, *, now: datetime) -> int:
    """Number what was committed since the last time; return the newest number.

    A user's stream begins with the first that asks for it.
    """
    known = StreamCounter.objects.filter(user=user).first()
    # Looked at without the lock: most turns find nothing new.
    is_fresh = known is not None and now - known.numbered_at < LONGEST_TRANSACTION / 2
    if known is not None and is_fresh and next(_unnumbered(user, known, now), None) is None:
        return known.last
    with transaction.atomic():
        counter, _ = StreamCounter.objects.select_for_update().get_or_create(
            user=user, defaults={"numbered_at": now}
        )
        entries = [
            StreamEntry(user=user, sequence=sequence, kind=kind, **source)
            for sequence, (kind, source) in enumerate(
                _unnumbered(user, counter, now), counter.last + 1
            )
        ]
        if entries:
            StreamEntry.objects.bulk_create(entries)
            counter.last = entries[-1].sequence
        # What one turn left over must not become older than what the next looks at.
        if len(entries) < AT_ONCE:
            counter.numbered_at = now
        counter.save()
    return counter.last


def kinds_of(event: Event) -> list[Kind]:
    """Return which messages an event becomes."""
    kinds = []
    if event.severity != Event.Severity.INFO:
        kinds.append(Kind.ALERT)
    if event.kind in ENGINE_KINDS:
        kinds.append(Kind.ENGINE)
    if event.position_id is not None:
        kinds.append(Kind.POSITION)
    return kinds or [Kind.ALERT]


def _unnumbered(
    user: User, counter: StreamCounter, now: datetime
) -> Iterator[tuple[Kind, dict[str, Event | Trade]]]:
    # A clock that was set back since writes what is new before the last look.
    since = min(counter.numbered_at, now) - LONGEST_TRANSACTION
    events = Event.objects.filter(user=user, created_at__gte=since, stream=None)
    trades = Trade.objects.filter(position__user=user, booked_at__gte=since, stream=None)
    told: list[tuple[datetime, int, Kind, dict[str, Event | Trade]]] = [
        (event.created_at, event.pk, kind, {"event": event})
        for event in events.order_by("created_at", "pk")[:AT_ONCE]
        for kind in kinds_of(event)
    ]
    booked: list[tuple[datetime, int, Kind, dict[str, Event | Trade]]] = [
        (trade.booked_at, 0, Kind.TRADE, {"trade": trade})
        for trade in trades.order_by("booked_at", "pk")[:AT_ONCE]
    ]
    for _, _, kind, source in merge(told, booked, key=lambda row: row[:2]):
        yield kind, source
