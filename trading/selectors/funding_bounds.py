"""Cap and floor of the funding of one base, venue by venue, and when they were read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Q

from exchanges.domain import InstrumentKind
from exchanges.models import Exchange, Instrument


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundsLine:
    """What one venue settles at most and at least, per interval; `age` of the listing."""

    venue: str
    symbol: str
    cap: Decimal | None
    floor: Decimal | None
    interval_seconds: int | None
    age: timedelta


def funding_bounds(
    base: str, exchanges: Iterable[Exchange], now: datetime
) -> tuple[BoundsLine, ...]:
    """Return the perpetuals whose venue tells a cap or a floor."""
    told = Q(funding_cap__isnull=False) | Q(funding_floor__isnull=False)
    rows = Instrument.objects.filter(
        told, base=base, kind=InstrumentKind.PERPETUAL, is_active=True, exchange__in=exchanges
    ).select_related("exchange")
    return tuple(
        BoundsLine(
            venue=row.exchange.name,
            symbol=row.symbol,
            cap=row.funding_cap,
            floor=row.funding_floor,
            interval_seconds=row.funding_interval_seconds,
            age=now - row.refreshed_at,
        )
        for row in rows
    )
