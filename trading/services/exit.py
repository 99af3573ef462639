"""Ask for the end of a position; `drive` does the closing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from exchanges.board import Board
from trading.core.states import LIVE_POSITION_STATES, Goal, PositionState
from trading.events import announce
from trading.models import Leg, Position
from trading.services import market


def request_exit(
    *,
    position: Position,
    reason: str,
    sentence: str,
    actor: str,
    now: datetime,
    board: Board | None = None,
) -> bool:
    """Set the goal FLAT with its reason; return False if that was asked for already or it ended.

    `reason` is a short code, `sentence` what the trader reads. The goal is never cleared. A held
    position is closed only when a person asks after it was held, so there asking again counts.
    """
    # Read before the transaction: a Redis that hangs must not hold the database's write lock.
    mids = _mids_of_the_moment(position, board)
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
        for leg_id, mid in mids.items():
            Leg.objects.filter(pk=leg_id).update(decision_exit_mid=mid)
        announce(
            user_id=position.user_id,
            kind="position.exit_requested",
            sentence=f"{position.base}: closing, {sentence} ({actor})",
            position=position,
            now=now,
        )
    position.refresh_from_db()
    return True


def _mids_of_the_moment(position: Position, board: Board | None) -> Mapping[UUID, Decimal]:
    """Return the mids by leg: slippage of the exit is measured against them."""
    legs = list(position.legs.select_related("instrument__exchange"))
    if board is None:
        board = market.board_of([leg.instrument for leg in legs])
    rows = {leg.pk: market.row_of(board, leg.instrument) for leg in legs}
    return {
        leg_id: row.book.mid
        for leg_id, row in rows.items()
        if row is not None and row.book is not None
    }
