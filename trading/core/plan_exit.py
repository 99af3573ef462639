"""How legs are brought down: closing both, or cutting the larger to the smaller."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from trading.core.elapsed import elapsed
from trading.core.entry_style import CloseOrder
from trading.core.exposure import ZERO, Exposure, exposure
from trading.core.hold_sentence import cannot_close, dust, wrong_way_round
from trading.core.order_refusal import RefusalKind
from trading.core.plan_care import kept_quantity
from trading.core.plan_orders import (
    OF_ENTRY,
    cancel_expired,
    confirmed,
    failures_in_a_row,
    marketable,
    never_opening,
    resume_unsent,
)
from trading.core.snapshot import LegView, OrderView, PositionView
from trading.core.states import Goal, PositionEvent, PositionState, Purpose
from trading.core.steps import Place, PlaceAll, Reach, ReadBack, Record, Step, Wait

LONGEST_PAUSE = timedelta(seconds=30)
LONGEST_NAKED_PAUSE = timedelta(seconds=4)


def exit_step(view: PositionView, now: datetime) -> Step:
    """Close all legs; none alone while the other's venue is out of reach, unless forced to."""
    if (step := _settle_orders(view, "the position is being closed", now)) is not None:
        return step
    if _must_ask_whether_reachable(view):
        return Reach()
    if (step := _reduce_legs(view, _closing_targets(view), now)) is not None:
        return step
    if any(_is_away(leg) for leg in view.legs):
        return Wait(reason="a venue does not answer or trade: the other leg is not closed alone")
    cause = f"all legs are closed and read back{dust(view)}"
    return confirmed(view, PositionEvent.FLAT, cause)


def unwind_step(view: PositionView, now: datetime) -> Step:
    """Cut every leg to the smallest size, or to nothing where the venues take no order of it."""
    if (step := _settle_orders(view, "the hedge failed", now)) is not None:
        return step
    smaller = kept_quantity(view)
    # A kill that closes sets the goal; one that only stops entries leaves positions as they are.
    keeps = view.goal is Goal.HEDGED
    if not keeps or any(smaller * leg.ratio < leg.least_order for leg in view.legs):
        smaller = ZERO
    targets = {leg.index: smaller * leg.ratio for leg in view.legs}
    if (step := _reduce_legs(view, targets, now)) is not None:
        return step
    if smaller > 0:
        return confirmed(view, PositionEvent.HEDGED, "cut to the smaller leg")
    return confirmed(view, PositionEvent.FLAT, f"everything was closed{dust(view)}")


def _settle_orders(view: PositionView, cause: str, now: datetime) -> Step | None:
    return resume_unsent(view, never_opening(cause)) or cancel_expired(view, now, over=OF_ENTRY)


def _is_away(leg: LegView) -> bool:
    return leg.is_reachable is False and abs(leg.net_base) >= leg.instrument.lot


def _must_ask_whether_reachable(view: PositionView) -> bool:
    """Ask before the first closing order of a visit: one leg must not go without the other."""
    held = [leg for leg in view.legs if abs(leg.net_base) >= leg.instrument.lot]
    return len(held) > 1 and any(leg.is_reachable is None for leg in held)


def _closing_targets(view: PositionView) -> dict[int, Decimal]:
    """Return zero for each leg, or what keeps it hedged against one that is not gone yet.

    That is one at a venue out of reach, or one that goes first, as one does whose venue takes
    limits only and may match none of them.
    """
    if view.force_one_sided:
        return {leg.index: ZERO for leg in view.legs}
    leading = [leg for leg in view.legs if _is_away(leg)]
    leading = leading or [
        leg for leg in view.legs if leg.instrument.limits_only and leg.cut_to(ZERO) > 0
    ]
    if not leading and not view.is_killed:
        leading = _first_to_go(view)
    kept = max((leg.exposure.size for leg in leading), default=ZERO)
    own = {leg.index: abs(leg.net_base) if _is_away(leg) else ZERO for leg in leading}
    return {leg.index: own.get(leg.index, kept * leg.ratio) for leg in view.legs}


def _first_to_go(view: PositionView) -> list[LegView]:
    """Return the legs that are closed before the others; none where all go together."""
    order = view.rules.close_order
    if order is CloseOrder.SIMULTANEOUS:
        return []
    first = [leg for leg in view.legs if leg.is_spot is (order is CloseOrder.SPOT_FIRST)]
    return [leg for leg in first if leg.cut_to(ZERO) > 0]


def _reduce_legs(view: PositionView, targets: dict[int, Decimal], now: datetime) -> Step | None:
    """Close each leg down to its target; None when nothing is left to do or to wait for."""
    places: list[Place] = []
    waiting = ""
    for leg in view.legs:
        match _reduce_leg(view, leg, targets[leg.index], now):
            case Place() as place:
                places.append(place)
            case Wait(reason=reason):
                waiting = waiting or reason
            case Record() | ReadBack() as first:
                return first
    if places:
        return PlaceAll(orders=tuple(places))
    return Wait(reason=waiting) if waiting else None


def _reduce_leg(
    view: PositionView, leg: LegView, target: Decimal, now: datetime
) -> Place | Wait | Record | ReadBack | None:
    if leg.working:
        return Wait(reason="closing orders are working")
    if leg.sign * leg.net_base <= -leg.least_cut:
        return Record(event=PositionEvent.HOLD, cause=wrong_way_round(view, leg))
    excess = leg.cut_to(target)
    if excess <= 0:
        return None if leg.settled else Wait(reason="an order is not final at the venue yet")
    is_closing = view.state is PositionState.EXITING
    if is_closing and leg.is_reachable is False:
        return Wait(reason=f"{leg.instrument.venue} does not answer or trade")
    failures = _failures(view, leg)
    if _is_hopeless(view, failures):
        return Record(event=PositionEvent.HOLD, cause=cannot_close(view, leg, len(failures)))
    is_gone = bool(failures) and failures[0].refusal is RefusalKind.NOTHING_TO_REDUCE
    if is_gone and not view.is_confirmed:
        return ReadBack()
    if _retry_is_early(view, failures, now):
        return Wait(reason="waiting before the next closing order")
    # What care asked for leaves a hedge on both sides: it may try a limit first.
    is_urgent = not is_closing and view.reduce_to is None
    return marketable(
        view,
        leg,
        excess,
        Purpose.REDUCE,
        escalated=bool(failures) or is_urgent,
        now=now,
    )


def _failures(view: PositionView, leg: LegView) -> list[OrderView]:
    """Return the closing orders of this state that failed since one last filled, newest first."""
    since = view.state_since
    return failures_in_a_row(
        order
        for order in leg.orders
        if order.purpose is Purpose.REDUCE and (since is None or order.created_at >= since)
    )


def _is_hopeless(view: PositionView, failures: list[OrderView]) -> bool:
    """Tell whether a person must look: unwinding gives up sooner, a leg is naked meanwhile.

    What a venue was not there for, or filled in part, is tried longer.
    """
    if len(failures) >= view.rules.max_close_attempts:
        return True
    refused = [
        order
        for order in failures
        if order.filled == 0 and order.refusal is not RefusalKind.UNAVAILABLE
    ]
    return view.state is PositionState.UNWINDING and len(refused) >= view.rules.max_attempts


def _retry_is_early(view: PositionView, failures: list[OrderView], now: datetime) -> bool:
    """Double the delay with each failure, to a longest pause that is short while a leg is naked."""
    if not failures:
        return False
    is_naked = exposure([leg.exposure for leg in view.legs]) is Exposure.IMBALANCED
    longest = LONGEST_NAKED_PAUSE if is_naked else LONGEST_PAUSE
    delay = min(view.rules.retry_delay * (1 << (len(failures) - 1)), longest)
    return elapsed(failures[0].created_at, now) < delay
