"""The order in which an entry works its legs, from its books and our own recent orders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Q

from exchanges.models import Instrument
from trading.core.first_leg import LegLiquidity, choose_first
from trading.core.order_refusal import RefusalKind
from trading.core.states import OrderState
from trading.models import Order
from trading.services.evaluate import Evaluation
from trading.strategies.base import CandidateLeg

RECENT = timedelta(hours=24)
# What says that the venue, not our order, was at fault.
FAILED = Q(state__in=(OrderState.UNKNOWN, OrderState.NOT_PLACED)) | Q(
    refusal_kind__in=(RefusalKind.UNAVAILABLE, RefusalKind.OTHER)
)


def ordered_legs(
    found: Evaluation, instruments: Sequence[Instrument], *, now: datetime
) -> tuple[list[tuple[CandidateLeg, Instrument]], str]:
    """Return the candidate's legs with their instruments, the first one first, and why."""
    assert found.candidate is not None  # noqa: S101  (checked by the caller)
    assert found.size is not None  # noqa: S101  (likewise)
    pairs = list(zip(found.candidate.legs, instruments, strict=True))
    accounts = [found.standing.accounts[instrument.exchange.code].pk for instrument in instruments]
    counts = _counts(accounts, now)
    legs = [
        LegLiquidity(
            side=leg.side,
            kind=leg.facts.instrument.kind,
            venue=leg.facts.instrument.venue,
            depth=capacity / found.size.base_quantity,
            **counts.get(account, {}),
        )
        for (leg, _), account, capacity in zip(pairs, accounts, found.book_capacities, strict=True)
    ]
    first, why = choose_first(legs, found.standing.parameters.first_leg)
    return [pairs[first], *pairs[:first], *pairs[first + 1 :]], why


def _counts(accounts: Sequence[UUID], now: datetime) -> dict[UUID, dict[str, int]]:
    rows = (
        Order.objects.filter(leg__account__in=accounts, sent_at__gt=now - RECENT)
        .order_by()
        .values("leg__account")
        .annotate(
            sent=Count("pk"),
            filled=Count("pk", filter=~Q(filled_base_quantity=0)),
            failed=Count("pk", filter=FAILED),
        )
    )
    return {
        row["leg__account"]: {name: row[name] for name in ("sent", "filled", "failed")}
        for row in rows
    }
