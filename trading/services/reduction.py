"""Ask for a smaller position; `drive` cuts all legs by reducing orders."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from trading.core.money import plain
from trading.core.states import Goal, PositionState
from trading.doorbell import ring_drive
from trading.events import announce
from trading.models import Event, Position


def request_reduction(
    position: Position,
    *,
    to: Decimal,
    cause: str,
    severity: str = Event.Severity.WARNING,
    basis_steps: int | None = None,
    now: datetime,
) -> bool:
    """Ask that each leg is cut to its ratio of `to`; False if it is not at rest or asked already.

    `basis_steps` notes how many adverse steps of the gap this answers, so that none counts twice.
    """
    columns = {} if basis_steps is None else {"basis_steps": basis_steps}
    with transaction.atomic():
        asked = Position.objects.filter(
            pk=position.pk, state=PositionState.OPEN, goal=Goal.HEDGED, reduce_to=None
        ).update(reduce_to=to, reduce_cause=cause[:300], **columns)
        if asked != 1:
            return False
        announce(
            user_id=position.user_id,
            kind="position.reducing",
            severity=severity,
            sentence=f"{position.base}: the legs are cut to {plain(to)} {position.base}: {cause}",
            position=position,
            now=now,
        )
    position.refresh_from_db()
    ring_drive(position.pk)
    return True
