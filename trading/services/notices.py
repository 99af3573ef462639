"""What is announced now, as pure code wants it."""

from __future__ import annotations

from datetime import datetime

from exchanges.models.notices import VenueNotice
from trading.core.notices import Announced


def announced_at(now: datetime) -> tuple[Announced, ...]:
    """Return the notices of what is to come or goes on, the next one first."""
    return tuple(
        Announced(
            venue=notice.exchange.code,
            symbol=notice.instrument.symbol if notice.instrument else None,
            starts_at=notice.starts_at,
            ends_at=notice.ends_at,
            sentence=notice.sentence,
        )
        for notice in VenueNotice.objects.coming(now)
        if notice.exchange.is_enabled
    )
