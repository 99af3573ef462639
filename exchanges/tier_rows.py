"""Risk tiers as rows: what a venue told is kept with its age, what has changed is written down."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction

from exchanges.domain import Symbol
from exchanges.fact_changes import change_of
from exchanges.models import Instrument, RiskTiers
from exchanges.models.notices import RISK_TIER, FactChange
from exchanges.risk_tiers import TierLadder, first_difference

logger = logging.getLogger(__name__)


def store_ladders(
    asked: Iterable[Instrument], told: Mapping[Symbol, TierLadder], now: datetime
) -> int:
    """Keep the ladders of contracts that were asked for; return how many were told.

    Of what a venue does not tell the last ladder stays, with its age.
    """
    wanted = list(asked)
    known = RiskTiers.objects.in_bulk([one.pk for one in wanted])
    rows = [_row(one, known.get(one.pk), told.get(Symbol(one.symbol)), now) for one in wanted]
    changes = [
        change
        for one, row in zip(wanted, rows, strict=True)
        if (change := _change(one, known.get(one.pk), row, now)) is not None
    ]
    with transaction.atomic():
        RiskTiers.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["instrument"],
            update_fields=["rows", "in_base", "told_at", "asked_at"],
            batch_size=200,
        )
        FactChange.objects.bulk_create(changes)
    for change in changes:
        logger.warning("instrument changed", extra={"change": change.sentence})
    return sum(row.told_at == now for row in rows)


def doubt_tiers(instruments: Iterable[UUID]) -> None:
    """Have the tiers of contracts asked for anew: a venue refused what they would allow."""
    RiskTiers.objects.filter(instrument__in=list(instruments)).update(asked_at=None)


def _row(
    instrument: Instrument, known: RiskTiers | None, told: TierLadder | None, now: datetime
) -> RiskTiers:
    row = RiskTiers(instrument=instrument, asked_at=now)
    if told is not None:
        row.rows, row.in_base, row.told_at = told.stored(), told.in_base, now
    elif known is not None:
        row.rows, row.in_base, row.told_at = known.rows, known.in_base, known.told_at
    return row


def _change(
    instrument: Instrument, known: RiskTiers | None, row: RiskTiers, now: datetime
) -> FactChange | None:
    before, after = known.ladder if known is not None else None, row.ladder
    if before is None or after is None:
        return None
    words = first_difference(before, after)
    return None if words is None else change_of(instrument, RISK_TIER, *words, now)
