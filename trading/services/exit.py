"""Ask for the end of a position; `drive` does the closing."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from trading.core.states import LIVE_POSITION_STATES, Goal, PositionState
from trading.events import announce
from trading.models import Leg, Position
from trading.services import market


def request_exit(
    *, position: Position, reason: str, sentence: str, actor: str, now: datetime
) -> bool:
    """Set the goal FLAT with its reason; return False if that was asked for already or it ended.

    `reason` is a short code, `sentence` what the trader reads. The goal is never cleared. A held
    position is closed only when a person asks after it was held, so there asking again counts.
    """
    with transaction.atomic():
        may_ask = Q(goal=Goal.HEDGED) | Q(state=PositionState.HELD)
        asked = Position.objects.filter(
            may_ask, pk=position.pk, state__in=LIVE_POSITION_STATES
        ).update(
            goal=Goal.FLAT,
            exit_requested_at=now,
            close_reason=reason[:32],
            close_sentence=sentence[:300],
        )
        if asked != 1:
            return False
        _keep_decision_mids(position)
        announce(
            user_id=position.user_id,
            kind="position.exit_requested",
            sentence=f"{position.base}: closing, {sentence} ({actor})",
            position=position,
            now=now,
        )
    position.refresh_from_db()
    return True


def _keep_decision_mids(position: Position) -> None:
    """Store the mids of the moment: slippage of the exit is measured against them."""
    legs = list(position.legs.select_related("instrument__exchange"))
    board = market.board_of([leg.instrument for leg in legs])
    for leg in legs:
        row = market.row_of(board, leg.instrument)
        if row is not None and row.book is not None:
            Leg.objects.filter(pk=leg.pk).update(decision_exit_mid=row.book.mid)
