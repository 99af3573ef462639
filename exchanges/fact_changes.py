"""What is no longer what we knew of an instrument: found, written down, never guessed away."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from exchanges.board import Board
from exchanges.decimals import ExactDecimalField
from exchanges.domain import FundingRate
from exchanges.models import Instrument
from exchanges.models.notices import INTERVAL, IS_LISTED, OFF, ON, FactChange
from exchanges.selectors import instrument_key

logger = logging.getLogger(__name__)

LISTED_COLUMNS = (
    "venue_symbol",
    "kind",
    "base",
    "quote",
    "settle",
    "contract_base",
    "price_tick",
    "lot",
    "min_base_quantity",
    "max_base_quantity",
    "min_notional",
    "max_leverage",
    "maintenance_margin_rate",
    "settlement",
    "expires_at",
    "is_active",
    "limits_only",
)
# A rate that nobody has confirmed for so long says nothing of the spacing of now.
RATES_LAST = timedelta(minutes=2)


def changes_between(before: Instrument, after: Instrument, now: datetime) -> list[FactChange]:
    """Return a row for each fact of the listing that differs, as it will be stored.

    An interval that is not known for a moment is no other interval.
    """
    pairs = {
        name: (_stored(name, getattr(before, name)), _stored(name, getattr(after, name)))
        for name in (*LISTED_COLUMNS, INTERVAL)
    }
    if None in pairs[INTERVAL]:
        del pairs[INTERVAL]
    return [
        change_of(before, name, old, new, now) for name, (old, new) in pairs.items() if old != new
    ]


def unlisted(instrument: Instrument, now: datetime) -> FactChange:
    """Return the row that says that a venue names an instrument no more."""
    return change_of(instrument, IS_LISTED, True, False, now)


def change_of(instrument: Instrument, fact: str, old: Any, new: Any, now: datetime) -> FactChange:
    """Return the row, not yet written."""
    return FactChange(
        exchange_id=instrument.exchange_id,
        instrument=instrument,
        fact=fact,
        old=said(fact, old),
        new=said(fact, new),
        seen_at=now,
    )


def notice_intervals(perpetuals: Iterable[Instrument], board: Board, now: datetime) -> int:
    """Take over spacings that fresh facts of the market contradict; return how many changed."""
    noticed = 0
    for instrument in perpetuals:
        row = board.row(*instrument_key(instrument))
        rate = row.funding if row is not None else None
        if rate is None or not _tells_otherwise(rate, instrument, now):
            continue
        change = change_of(
            instrument, INTERVAL, instrument.funding_interval_seconds, rate.interval_seconds, now
        )
        with transaction.atomic():
            Instrument.objects.filter(pk=instrument.pk).update(
                funding_interval_seconds=rate.interval_seconds, interval_source=rate.interval_source
            )
            change.save()
        instrument.funding_interval_seconds = rate.interval_seconds
        logger.warning("instrument changed", extra={"change": change.sentence})
        noticed += 1
    return noticed


def said(fact: str, value: Any) -> str:
    """Return a fact as people read it."""
    if fact == INTERVAL and value is not None:
        return _spacing(value)
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, bool):
        return ON if value else OFF
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    return "not stated" if value is None else str(value)[:64]


def _spacing(seconds: int) -> str:
    for unit, name in ((3600, "h"), (60, "min")):
        if seconds % unit == 0:
            return f"{seconds // unit} {name}"
    return f"{seconds} s"


def _tells_otherwise(rate: FundingRate, instrument: Instrument, now: datetime) -> bool:
    is_fresh = now - rate.observed_at <= RATES_LAST
    is_other = rate.interval_seconds != instrument.funding_interval_seconds
    return rate.is_tradable and is_fresh and is_other


def _stored(name: str, value: Any) -> Any:
    """Return a value as its column keeps it: more digits than that are no change."""
    column = Instrument._meta.get_field(name)
    if isinstance(column, ExactDecimalField) and isinstance(value, Decimal):
        return column.as_stored(value)
    return value
