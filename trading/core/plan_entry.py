"""How a position is entered: the first leg works, each of its fills is hedged at once.

An addition takes the same way with the orders of its own; whatever ends it early leaves the hedge
that was there before.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from trading.core.elapsed import elapsed
from trading.core.entry_style import EntryStyle
from trading.core.exposure import ZERO, Exposure, exposure
from trading.core.order_refusal import HOPELESS
from trading.core.plan_first_leg import first_leg_step
from trading.core.plan_orders import (
    cancel_expired,
    cancel_working,
    confirmed,
    failures_in_a_row,
    marketable,
    never_opening,
    resume_unsent,
)
from trading.core.slippage import too_far
from trading.core.snapshot import LegView, PositionView
from trading.core.states import Goal, PositionEvent, Purpose
from trading.core.steps import Record, Step, Wait


def entry_step(view: PositionView, now: datetime) -> Step:
    """Hedge what is filled before anything else, then work on the rest of the first leg."""
    is_stopped = view.is_killed or view.goal is Goal.FLAT
    was_closed = any(leg.was_closed_outside for leg in view.legs)
    unwanted = _not_to_be_sent(view, is_stopped or was_closed, now)
    if (step := resume_unsent(view, unwanted)) is not None:
        return step
    if is_stopped and not (view.is_addition and view.goal is Goal.HEDGED):
        return _stop_entry(view, now)
    if is_stopped:
        return _end_early(view, now, "the addition was stopped")
    if was_closed:
        return _end_early(view, now, "a leg was closed by its venue or its owner during the entry")
    overpaid = _overpaid(view)
    step = _give_up_overpaid(view, overpaid, now) if overpaid else None
    over = (Purpose.OPEN,) if view.barred else ()
    step = step or _hedge(view, now) or cancel_expired(view, now, over=over)
    if step is None and not overpaid:
        step = first_leg_step(view, now)
    if step is not None:
        return step
    if any(leg.working for leg in view.legs):
        return Wait(reason="orders are working")
    return _entry_ended(view, overpaid or view.barred)


def _not_to_be_sent(view: PositionView, is_stopped: bool, now: datetime) -> dict[Purpose, str]:
    if is_stopped:
        return never_opening("the entry was stopped")
    cause = view.barred
    if view.is_entry_over(now):
        cause = "the time for the entry passed before it was sent"
    if not cause:
        return {}
    is_naked = _has_filled(view) if view.is_addition else any(leg.net_base for leg in view.legs)
    return {Purpose.OPEN: cause} if is_naked else never_opening(cause)


def _has_filled(view: PositionView) -> bool:
    """Tell whether this entry or addition has filled anything."""
    return any(order.filled for leg in view.legs for order in leg.opening)


def _overpaid(view: PositionView) -> str:
    """Say with both prices how the first leg filled beyond the guard; empty within it."""
    first = view.legs[0]
    return too_far(view, first, first.entry_price) if first.entry_price is not None else ""


def _give_up_overpaid(view: PositionView, overpaid: str, now: datetime) -> Step | None:
    """Unwind what is not hedged yet, and leave the rest of the entry."""
    if exposure([leg.exposure for leg in view.legs]) is Exposure.IMBALANCED and not any(
        leg.working for leg in view.legs[1:]
    ):
        return Record(event=PositionEvent.IMBALANCED, cause=overpaid)
    return cancel_working(view, now) if view.legs[0].working else None


def _hedge(view: PositionView, now: datetime) -> Step | None:
    """Bring every leg to the one that leads, less what is already working there.

    What legs differed by before an addition is not hedged for its own sake: delta care trims it.
    """
    if view.is_addition and not _has_filled(view):
        return None
    leading, following = _leading(view)
    for leg in following:
        wanted = leading * leg.ratio
        if leg.unresolved:
            if wanted > abs(leg.net_base) and _hedge_is_late(view, leg, now):
                return _give_up_hedge(view, leg, now)
            continue
        working = sum((order.remaining for order in leg.working), ZERO)
        under_way = abs(leg.net_base) + leg.kept(working, leg.opening_side)
        gap = leg.to_order(wanted - under_way, leg.opening_side)
        if gap < leg.least_order:
            continue
        failures = failures_in_a_row(leg.opening)
        is_hopeless = any(order.refusal in HOPELESS for order in failures)
        if (
            is_hopeless
            or sum(order.filled == 0 for order in failures) >= view.rules.max_attempts
            or _hedge_is_late(view, leg, now)
        ):
            return _give_up_hedge(view, leg, now)
        return marketable(view, leg, gap, Purpose.HEDGE, escalated=bool(failures), now=now)
    return None


def _leading(view: PositionView) -> tuple[Decimal, tuple[LegView, ...]]:
    """Return the size the others are brought to: the first leg's, or of all at once the largest."""
    if view.rules.entry_style is EntryStyle.BOTH_AT_ONCE:
        return max(leg.exposure.size for leg in view.legs), view.legs
    return view.legs[0].exposure.size, view.legs[1:]


def _hedge_is_late(view: PositionView, leg: LegView, now: datetime) -> bool:
    """Count from the first order since the leg was last hedged whole."""
    open_ended = [*failures_in_a_row(leg.opening), *leg.working]
    started = min((order.created_at for order in open_ended), default=now)
    return elapsed(started, now) > view.rules.hedge_deadline


def _give_up_hedge(view: PositionView, leg: LegView, now: datetime) -> Step:
    """Cancel what still works before the imbalance is recorded; late fills are counted first."""
    failures = len(failures_in_a_row(leg.opening))
    cause = f"the {leg.name} could not be filled, {failures} orders failed"
    return cancel_working(view, now) or Record(event=PositionEvent.IMBALANCED, cause=cause)


def _stop_entry(view: PositionView, now: datetime) -> Step:
    """End an entry on request: cancel, then flatten what is there."""
    if (step := cancel_working(view, now)) is not None:
        return step
    if _never_exposed(view) and all(leg.settled for leg in view.legs):
        return confirmed(view, PositionEvent.NEVER_EXPOSED, "stopped before anything was filled")
    return Record(event=PositionEvent.EXIT_SUBMITTED, cause="the entry was stopped")


def _end_early(view: PositionView, now: datetime, cause: str) -> Step:
    """Open nothing more: what is hedged by then stays, and the rest is cut back.

    So ends what a venue closed in part, which is not opened again, and an addition that is stopped.
    """
    if (step := cancel_working(view, now)) is not None:
        return step
    if exposure([leg.exposure for leg in view.legs]) is Exposure.IMBALANCED:
        return Record(event=PositionEvent.IMBALANCED, cause=cause)
    return _entry_ended(view, cause if view.is_addition else "")


def _never_exposed(view: PositionView) -> bool:
    return all(leg.net_base == 0 and not leg.was_closed_outside for leg in view.legs)


def _entry_ended(view: PositionView, left_for: str) -> Step:
    """Record what the entry has come to, and what the rest of it was left for."""
    note = f"; the rest was left: {left_for}" if left_for else ""
    if not all(leg.settled for leg in view.legs):
        return Wait(reason="an order is not final at the venue yet")
    match exposure([leg.exposure for leg in view.legs]):
        case Exposure.FLAT if _never_exposed(view):
            return confirmed(view, PositionEvent.NEVER_EXPOSED, f"nothing was filled{note}")
        case Exposure.FLAT:
            return confirmed(view, PositionEvent.FLAT, "nothing but dust is left")
        case Exposure.HEDGED:
            is_unfilled = view.is_addition and not _has_filled(view)
            done = "nothing was filled" if is_unfilled else "all legs are filled and read back"
            return confirmed(view, PositionEvent.HEDGED, f"{done}{note}")
        case Exposure.IMBALANCED:
            return Record(event=PositionEvent.IMBALANCED, cause="the filled part cannot be hedged")
