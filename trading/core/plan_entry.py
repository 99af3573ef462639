"""How a position is entered: the first leg works, each of its fills is hedged at once."""

from __future__ import annotations

from datetime import datetime

from exchanges.domain import OrderType, TimeInForce
from trading.core.exposure import ZERO, Exposure, exposure
from trading.core.money import floor_to_lot, price_against_us
from trading.core.plan_orders import (
    cancel_expired,
    cancel_working,
    confirmed,
    marketable,
    opening_side,
    resume_unsent,
    smallest,
)
from trading.core.snapshot import LegView, OrderView, PositionView
from trading.core.states import Goal, PositionEvent, Purpose
from trading.core.steps import Place, Record, Step, Wait


def entry_step(view: PositionView, now: datetime) -> Step:
    first = view.legs[0]
    stop = view.is_killed or view.goal is Goal.FLAT
    if (step := resume_unsent(view, drop_because="entry was stopped" if stop else "")) is not None:
        return step
    if stop:
        return _stop_entry(view)
    if (step := cancel_expired(view, now)) is not None:
        return step
    if (step := _hedge(view, now)) is not None:
        return step
    if not first.orders:
        return _first_order(view, now)
    if first.working or any(leg.working for leg in view.legs):
        return Wait(reason="orders are working")
    return _entry_ended(view)


def _first_order(view: PositionView, now: datetime) -> Step:
    first = view.legs[0]
    if now >= view.entry_deadline:
        return Record(event=PositionEvent.NEVER_EXPOSED, cause="the time for the entry passed")
    if first.book is None:
        return Wait(reason="no fresh book for the first leg")
    side = opening_side(first)
    price = price_against_us(first.book.mid, first.instrument.price_tick, side)
    return Place(
        leg_index=first.index,
        purpose=Purpose.OPEN,
        side=side,
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        base_quantity=view.target_base_quantity,
        price=price,
        reduce_only=False,
        cancel_after=view.entry_deadline,
    )


def _hedge(view: PositionView, now: datetime) -> Step | None:
    """Bring every other leg to what the first one filled, less what is already working there."""
    filled = abs(view.legs[0].net_base)
    for leg in view.legs[1:]:
        if leg.unresolved:
            if filled > abs(leg.net_base) and _hedge_is_late(view, leg, now):
                return _give_up_hedge(view)
            continue
        working = sum((order.remaining for order in leg.working), ZERO)
        gap = floor_to_lot(filled - abs(leg.net_base) - working, leg.instrument.lot)
        if gap < smallest(leg):
            continue
        failures = [order for order in leg.orders if order.failed]
        if _hedge_has_failed(view, leg, failures, now):
            return _give_up_hedge(view)
        return marketable(view, leg, gap, Purpose.HEDGE, escalated=bool(failures), now=now)
    return None


def _hedge_has_failed(
    view: PositionView, leg: LegView, failures: list[OrderView], now: datetime
) -> bool:
    return len(failures) >= view.rules.max_attempts or _hedge_is_late(view, leg, now)


def _hedge_is_late(view: PositionView, leg: LegView, now: datetime) -> bool:
    started = min((order.created_at for order in leg.orders), default=now)
    return now - started > view.rules.hedge_deadline


def _give_up_hedge(view: PositionView) -> Step:
    """Cancel what still works before the imbalance is recorded; late fills are counted first."""
    return cancel_working(view) or Record(
        event=PositionEvent.IMBALANCED, cause="the second leg could not be filled"
    )


def _stop_entry(view: PositionView) -> Step:
    """End an entry on request: cancel, then flatten what is there."""
    if (step := cancel_working(view)) is not None:
        return step
    if all(leg.settled and leg.net_base == 0 for leg in view.legs):
        return confirmed(view, PositionEvent.NEVER_EXPOSED, "stopped before anything was filled")
    return Record(event=PositionEvent.EXIT_SUBMITTED, cause="the entry was stopped")


def _entry_ended(view: PositionView) -> Step:
    if not all(leg.settled for leg in view.legs):
        return Wait(reason="an order is not final at the venue yet")
    match exposure([leg.exposure for leg in view.legs]):
        case Exposure.FLAT if all(leg.net_base == 0 for leg in view.legs):
            return confirmed(view, PositionEvent.NEVER_EXPOSED, "nothing was filled")
        case Exposure.FLAT:
            return confirmed(view, PositionEvent.FLAT, "only dust was filled")
        case Exposure.HEDGED:
            return confirmed(view, PositionEvent.HEDGED, "both legs are filled and read back")
        case Exposure.IMBALANCED:
            return Record(event=PositionEvent.IMBALANCED, cause="the filled part cannot be hedged")
