"""What a person decides about a position that was left to them: go on, or close one leg alone."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from trading.core.refusal import Refusal
from trading.core.states import LIVE_POSITION_STATES, Goal, PositionEvent, PositionState
from trading.events import announce
from trading.models import Event, Position
from trading.services import lease
from trading.services.transition import apply_to_position

ONE_SIDED = "one_sided"
# Who let it be closed, where no person did: the risk rules of care.
RULES = "rules"


def release(position: Position, *, actor: str, now: datetime) -> Refusal | None:
    """Let the plan act on a held position again, from what its legs hold; None when it is done.

    A hedged one is read back and goes on; of an unhedged one the larger leg is cut to the smaller.
    """
    taken = lease.take(position.pk, owner=lease.owner_name(), now=now)
    if taken is None:
        sentence = f"{position.base} is being worked on at this moment: try again."
        return Refusal(code="busy", sentence=sentence)
    try:
        if taken.state != PositionState.HELD:
            sentence = f"{taken.base} is {taken.state}, not held: nothing to release."
            return Refusal(code="not_held", sentence=sentence)
        cause = f"released by {actor} after a check"[:300]
        apply_to_position(taken, PositionEvent.RELEASED, cause=cause, now=now)
    finally:
        lease.give_back(taken)
    position.refresh_from_db()
    return None


def force_one_sided(position: Position, *, actor: str, now: datetime, cause: str = "") -> bool:
    """Let each leg be closed although the other's venue is out of reach; False if it ended.

    What cannot be reached stays open and unhedged until its venue answers: only a person may, or
    the risk rules with the cause that demands it.
    """
    because = f": {cause}" if cause else ""
    with transaction.atomic():
        live = Position.objects.filter(pk=position.pk, state__in=LIVE_POSITION_STATES)
        forced = live.exclude(force_one_sided=True).update(
            force_one_sided=True,
            goal=Goal.FLAT,
            exit_requested_at=now,
            close_reason=ONE_SIDED,
            close_sentence=f"one leg closed alone by {actor}{because}"[:300],
        )
        if forced:
            announce(
                user_id=position.user_id,
                kind="position.one_sided",
                severity=Event.Severity.CRITICAL,
                sentence=f"{position.base}: one leg may be closed alone, by {actor}{because}; what "
                "the other venue holds stays unhedged until it answers",
                position=position,
                now=now,
            )
    position.refresh_from_db()
    return forced == 1
