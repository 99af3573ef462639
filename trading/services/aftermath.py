"""What a change of a position's state brings with it, in the same transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from trading.core.parameters import Parameters
from trading.core.states import PositionEvent
from trading.doorbell import ring_switch
from trading.models import Position, Trade
from trading.services import limits
from trading.services.cool_downs import BETWEEN_ENTRIES, cool_down
from trading.services.failed_entries import book_failed_attempt, tell_of_cut
from trading.services.settle_addition import settle_addition

VENUE_REASONS = {
    Trade.Cause.LIQUIDATION: "liquidated",
    Trade.Cause.ADL: "auto_deleveraged",
    Trade.Cause.SETTLEMENT: "settled",
}
ENDS = frozenset({PositionEvent.FLAT, PositionEvent.NEVER_EXPOSED, PositionEvent.DROPPED})


def columns_of(
    position: Position, event: PositionEvent, cause: str, now: datetime
) -> dict[str, Any]:
    """Return the columns that change together with the state."""
    if event is PositionEvent.HEDGED:
        reduced = {} if position.reduce_to is None else {"reduce_to": None}
        return reduced if position.entry_timestamp else {"entry_timestamp": now, **reduced}
    if event is PositionEvent.HOLD:
        return {"held_reason": cause[:300], "held_at": now}
    if event in ENDS:
        columns: dict[str, Any] = {"close_timestamp": now, "add_quantity": None}
        if reason := _closed_by_venue(position):
            columns["close_reason"] = reason
        elif not position.close_reason:
            columns["close_reason"] = _default_reason(position, event)
            columns["close_sentence"] = cause[:300]
        return columns
    return {}


def follow(position: Position, event: PositionEvent, cause: str, now: datetime) -> None:
    """Write what follows from the event: released limits, failed attempts and cool-downs."""
    if event is PositionEvent.IMBALANCED and position.entry_timestamp is None:
        _cool_down_after_failure(position, cause, now)
    if event is PositionEvent.HEDGED and position.entry_timestamp is None:
        tell_of_cut(position, now)
    if event is PositionEvent.HEDGED and position.add_quantity is not None:
        settle_addition(position, cause, now)
    if event not in ENDS:
        return
    limits.release(position)
    if position.entry_timestamp is None and event is PositionEvent.FLAT:
        book_failed_attempt(position, now)
    cool_down(
        position,
        Parameters.from_stored(position.parameters).next_arbitrage_opening_delay,
        BETWEEN_ENTRIES,
        now=now,
    )
    if position.switch_to is not None:
        transaction.on_commit(lambda: ring_switch(position.pk))


def _closed_by_venue(position: Position) -> str:
    """Return how the venue ended it, empty where an exit was asked for before, or nothing was."""
    closings = Trade.objects.filter(position=position, cause__in=VENUE_REASONS)
    if position.exit_requested_at is not None:
        closings = closings.filter(filled_at__gte=position.exit_requested_at)
    last = closings.order_by("filled_at").last()
    return VENUE_REASONS[Trade.Cause(last.cause)] if last is not None else ""


def _default_reason(position: Position, event: PositionEvent) -> str:
    if event is PositionEvent.FLAT:
        failed = position.entry_timestamp is None
        return "entry_failed" if failed else "closed_outside"
    return "not_filled" if event is PositionEvent.NEVER_EXPOSED else "dropped"


def _cool_down_after_failure(position: Position, cause: str, now: datetime) -> None:
    pause = Parameters.from_stored(position.parameters).failed_entry_cooldown
    cool_down(position, pause, f"an entry failed: {cause}", now=now)
