"""How legs are brought down: closing both, or cutting the larger to the smaller."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import takewhile

from trading.core.exposure import ZERO
from trading.core.money import floor_to_lot
from trading.core.plan_care import kept_quantity
from trading.core.plan_orders import (
    cancel_expired,
    confirmed,
    marketable,
    resume_unsent,
    smallest,
)
from trading.core.snapshot import LegView, OrderView, PositionView
from trading.core.states import Goal, PositionEvent, PositionState, Purpose
from trading.core.steps import Place, PlaceAll, Record, Step, Wait


def exit_step(view: PositionView, now: datetime) -> Step:
    if (step := resume_unsent(view, drop_because="")) is not None:
        return step
    if (step := cancel_expired(view, now)) is not None:
        return step
    targets = {leg.index: ZERO for leg in view.legs}
    if (step := reduce_legs(view, targets, now)) is not None:
        return step
    return confirmed(view, PositionEvent.FLAT, "both legs are closed and read back")


def unwind_step(view: PositionView, now: datetime) -> Step:
    if (step := resume_unsent(view, drop_because="the hedge failed")) is not None:
        return step
    if (step := cancel_expired(view, now)) is not None:
        return step
    smaller = kept_quantity(view)
    keeps = view.goal is Goal.HEDGED and not view.is_killed
    if not keeps or any(smaller < smallest(leg) for leg in view.legs):
        smaller = ZERO
    if (step := reduce_legs(view, {leg.index: smaller for leg in view.legs}, now)) is not None:
        return step
    if smaller > 0:
        return confirmed(view, PositionEvent.HEDGED, "cut to the smaller leg")
    return confirmed(view, PositionEvent.FLAT, "everything was closed")


def reduce_legs(view: PositionView, targets: dict[int, Decimal], now: datetime) -> Step | None:
    """Close each leg down to its target; None when nothing is left to do or to wait for."""
    places: list[Place] = []
    waiting = ""
    for leg in view.legs:
        if leg.working:
            waiting = waiting or "closing orders are working"
            continue
        excess = floor_to_lot(abs(leg.net_base) - targets[leg.index], leg.instrument.lot)
        if excess <= 0:
            waiting = waiting or ("" if leg.settled else "an order is not final at the venue yet")
            continue
        failures = _failures_in_a_row(leg)
        if len(failures) >= view.rules.max_attempts and view.state is PositionState.UNWINDING:
            return Record(
                event=PositionEvent.HOLD,
                cause=f"{leg.instrument.symbol} could not be closed after {len(failures)} orders",
            )
        if _retry_is_early(view, failures, now):
            waiting = waiting or "waiting before the next closing order"
            continue
        # What care asked for leaves a hedge on both sides: it may try a limit first.
        is_urgent = view.state is PositionState.UNWINDING and view.reduce_to is None
        escalated = bool(failures) or is_urgent or leg.book is None
        places.append(marketable(view, leg, excess, Purpose.REDUCE, escalated=escalated, now=now))
    if places:
        return PlaceAll(orders=tuple(places))
    return Wait(reason=waiting) if waiting else None


def _failures_in_a_row(leg: LegView) -> list[OrderView]:
    """Return the reducing orders that failed since one last filled: older ones are history."""
    reducing = [order for order in leg.orders if order.purpose is Purpose.REDUCE]
    return list(takewhile(lambda order: order.failed, reversed(reducing)))


def _retry_is_early(view: PositionView, failures: list[OrderView], now: datetime) -> bool:
    """Double the delay with each failure, to at most half a minute."""
    if not failures:
        return False
    delay = min(view.rules.retry_delay * (1 << (len(failures) - 1)), timedelta(seconds=30))
    return now - max(order.created_at for order in failures) < delay
