"""Maintenance that venues announce, kept as notices beside those that staff write."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from exchanges import access, loop, registry, selectors
from exchanges.models import Exchange
from exchanges.models.notices import VenueNotice
from exchanges.modes import Mode
from exchanges.services import POLL_SECONDS, good_answers
from exchanges.venues import PROFILES

LONGEST_NOTE = 200


def poll_maintenance(now: datetime) -> int:
    """Ask each venue what it announces; return how many windows are to come or go on.

    A venue that does not answer keeps what it announced before.
    """
    exchanges = selectors.enabled_exchanges()
    answers = loop.call_all([_read(exchange) for exchange in exchanges], POLL_SECONDS)
    return sum(
        store_maintenance(exchange, windows, now) for exchange, windows in good_answers(answers)
    )


async def _read(exchange: Exchange) -> tuple[Exchange, Sequence[access.Maintenance]]:
    data = registry.market_data(exchange.code, Mode(exchange.mode))
    return exchange, await data.maintenance()


def store_maintenance(
    exchange: Exchange, windows: Sequence[access.Maintenance], now: datetime
) -> int:
    """Write what a venue announces now; what it announces no more is over or does not take place.

    Where it forgets what has begun, that lasts as long as it was announced to. A notice that staff
    withdrew stays so until the venue moves it.
    """
    announced = VenueNotice.objects.filter(exchange=exchange, source=VenueNotice.Source.VENUE)
    status = PROFILES[exchange.code].status if exchange.code in PROFILES else None
    with transaction.atomic():
        gone = announced.exclude(reference__in=[window.reference for window in windows])
        if status is not None and status.forgets_begun:
            gone = gone.exclude(starts_at__lte=now, ends_at__gt=now)
        gone.delete()
        known = {notice.reference: notice for notice in announced}
        for window in windows:
            _store(exchange, window, known.get(window.reference))
    return len(windows)


def _store(exchange: Exchange, window: access.Maintenance, known: VenueNotice | None) -> None:
    # A window without an end of its own is about now: it began when it was seen first.
    if known is not None and (window.ends_at is None or _times(known) == _times(window)):
        return
    has_end = window.ends_at is not None and window.ends_at > window.starts_at
    VenueNotice.objects.update_or_create(
        exchange=exchange,
        reference=window.reference,
        defaults={
            "kind": VenueNotice.Kind.MAINTENANCE,
            "source": VenueNotice.Source.VENUE,
            "starts_at": window.starts_at,
            "ends_at": window.ends_at if has_end else None,
            "note": window.title[:LONGEST_NOTE],
            "is_withdrawn": False,
        },
    )


def _times(window: VenueNotice | access.Maintenance) -> tuple[datetime, datetime | None]:
    return window.starts_at, window.ends_at
