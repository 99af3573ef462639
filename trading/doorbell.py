"""Ring a task by name. A doorbell may be lost or ring twice: the sweep finds what it meant."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from kombu.exceptions import OperationalError

from arbsite.celery import app
from trading.core.states import Goal, PositionState
from trading.models import Position

logger = logging.getLogger(__name__)

CLOSING_STATES = frozenset({PositionState.EXITING, PositionState.UNWINDING})
SOON = timedelta(seconds=10)


def ring_drive(position_id: UUID) -> bool:
    """Have a position driven: in the close lane when it is to become smaller, else as an entry."""
    position = Position.objects.only("state", "goal").filter(pk=position_id).first()
    if position is None:
        return False
    closing = position.goal == Goal.FLAT or position.state in CLOSING_STATES
    name = "trading.tasks.close_position" if closing else "trading.tasks.drive_position"
    return _ring(name, str(position_id))


def ring_entry(
    *,
    user_id: UUID,
    strategy: str,
    base: str,
    legs: Sequence[Mapping[str, str]],
    size_usd: Decimal,
    signalled_at: datetime,
) -> bool:
    """Have an entry tried for a user; every gate is asked again there.

    `legs` are `EntryLeg.as_dict` in the strategy's order; `signalled_at` is when the fact that led
    to it was on the board.
    """
    return _ring(
        "trading.tasks.enter",
        str(user_id),
        strategy,
        base,
        legs,
        str(size_usd),
        signalled_at.isoformat(),
    )


def ring_switch(position_id: UUID) -> bool:
    """Have the other side of a position that has ended entered."""
    return _ring("trading.tasks.switch", str(position_id))


def ring_scan() -> bool:
    """Have all markets scanned now."""
    return _ring("trading.tasks.scan", True)


def ring_poll() -> bool:
    """Have every venue read by REST now, streams or not."""
    return _ring("exchanges.tasks.poll_market", True)


def _ring(name: str, *arguments: object) -> bool:
    """Return False when the broker is away; the caller has lost nothing but time."""
    try:
        app.send_task(name, args=arguments, expires=SOON.total_seconds())
    except OperationalError:
        logger.warning("doorbell lost", extra={"task": name})
        return False
    return True
