"""Hold a position for a person, from outside the worker that drives it."""

from __future__ import annotations

from datetime import datetime

from trading.core.states import POSITION_TABLE, PositionEvent, PositionState
from trading.models import Position
from trading.services import aftermath, lease
from trading.services.transition import apply_to_position


def hold_position(
    position: Position, *, cause: str, now: datetime, driven: Position | None = None
) -> bool:
    """Hold it with its cause; False where it needs no holding or another worker is at it now.

    `driven` is the position of the caller's own lease, where the caller drives it.
    """
    if driven is not None and driven.pk == position.pk:
        return _hold(driven, cause, now)
    taken = lease.take(position.pk, owner=lease.owner_name(), now=now)
    if taken is None:
        return False
    try:
        return _hold(taken, cause, now)
    finally:
        lease.give_back(taken)


def _hold(position: Position, cause: str, now: datetime) -> bool:
    event = PositionEvent.HOLD
    if (PositionState(position.state), event) not in POSITION_TABLE:
        return False
    columns = aftermath.columns_of(position, event, cause, now)
    return apply_to_position(
        position,
        event,
        cause=cause[:300],
        now=now,
        within=lambda: aftermath.follow(position, event, cause, now),
        **columns,
    )
