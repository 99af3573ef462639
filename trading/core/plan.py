"""The next step of a position, decided from a snapshot of facts: no clock, no database, no venue.

`next_step` is level-triggered: it looks at what is, never at what was meant to happen, so running,
retry, restart and recovery are the same call. Rules it keeps: nothing new is placed on a leg whose
last order is unresolved; a hedge is never larger than what the first leg really filled; reducing
orders never increase a leg; a state ends only when every order is final by a read of the venue.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from exchanges.domain import OrderType, Side, TimeInForce
from trading.core.exposure import ZERO, Exposure, exposure, net_base, tolerance
from trading.core.money import ceil_to_lot, floor_to_lot, plain, price_against_us
from trading.core.snapshot import LegView, OrderView, PositionView
from trading.core.states import (
    UNRESOLVED_ORDER_STATES,
    Goal,
    PositionEvent,
    PositionState,
    Purpose,
)
from trading.core.steps import (
    Cancel,
    Drop,
    Place,
    PlaceAll,
    Prepare,
    ReadBack,
    Record,
    Send,
    Step,
    Wait,
)


def next_step(view: PositionView, now: datetime) -> Step:
    """Return the one thing to do now; `Wait` when only a fact from outside can change anything."""
    match view.state:
        case PositionState.PLANNED:
            return _begin(view)
        case PositionState.ENTERING:
            return _enter(view, now)
        case PositionState.OPEN:
            return _hold_open(view)
        case PositionState.EXITING:
            return _exit(view, now)
        case PositionState.UNWINDING:
            return _unwind(view, now)
        case PositionState.HELD:
            return _held(view)
        case PositionState.CLOSED | PositionState.ABANDONED:
            return _after_the_end(view)


def _begin(view: PositionView) -> Step:
    if view.is_killed:
        return Record(event=PositionEvent.DROPPED, cause="the kill switch is pressed")
    if view.goal is Goal.FLAT:
        return Record(event=PositionEvent.DROPPED, cause="closed before the first order")
    if not all(leg.is_prepared for leg in view.legs):
        return Prepare()
    return Record(event=PositionEvent.ENTRY_SUBMITTED, cause="gates passed, venues prepared")


def _enter(view: PositionView, now: datetime) -> Step:
    first = view.legs[0]
    stop = view.is_killed or view.goal is Goal.FLAT
    if (step := _resume_unsent(view, drop_because="entry was stopped" if stop else "")) is not None:
        return step
    if stop:
        return _stop_entry(view)
    if (step := _cancel_expired(view, now)) is not None:
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
    side = _opening_side(first)
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
        if gap < _smallest(leg):
            continue
        failures = [order for order in leg.orders if order.failed]
        if _hedge_has_failed(view, leg, failures, now):
            return _give_up_hedge(view)
        return _marketable(view, leg, gap, Purpose.HEDGE, escalated=bool(failures), now=now)
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
    return _cancel_working(view) or Record(
        event=PositionEvent.IMBALANCED, cause="the second leg could not be filled"
    )


def _stop_entry(view: PositionView) -> Step:
    """End an entry on request: cancel, then flatten what is there."""
    if (step := _cancel_working(view)) is not None:
        return step
    if all(leg.settled and leg.net_base == 0 for leg in view.legs):
        return _confirmed(view, PositionEvent.NEVER_EXPOSED, "stopped before anything was filled")
    return Record(event=PositionEvent.EXIT_SUBMITTED, cause="the entry was stopped")


def _cancel_working(view: PositionView) -> Step | None:
    """Cancel resting orders and wait for them; an unresolved one must not delay the other leg."""
    resting = [
        o for leg in view.legs for o in leg.working if o.state not in UNRESOLVED_ORDER_STATES
    ]
    for order in resting:
        if order.cancel_requested_at is None:
            return Cancel(order_id=order.id)
    return Wait(reason="orders of the entry are being cancelled") if resting else None


def _entry_ended(view: PositionView) -> Step:
    if not all(leg.settled for leg in view.legs):
        return Wait(reason="an order is not final at the venue yet")
    match exposure([leg.exposure for leg in view.legs]):
        case Exposure.FLAT if all(leg.net_base == 0 for leg in view.legs):
            return _confirmed(view, PositionEvent.NEVER_EXPOSED, "nothing was filled")
        case Exposure.FLAT:
            return _confirmed(view, PositionEvent.FLAT, "only dust was filled")
        case Exposure.HEDGED:
            return _confirmed(view, PositionEvent.HEDGED, "both legs are filled and read back")
        case Exposure.IMBALANCED:
            return Record(event=PositionEvent.IMBALANCED, cause="the filled part cannot be hedged")


def _hold_open(view: PositionView) -> Step:
    legs = [leg.exposure for leg in view.legs]
    match exposure(legs):
        case Exposure.FLAT:
            return _confirmed(view, PositionEvent.FLAT, "both legs are gone")
        case Exposure.IMBALANCED:
            net, most = plain(net_base(legs)), plain(tolerance(legs))
            return Record(
                event=PositionEvent.IMBALANCED, cause=f"net {net} is beyond the tolerance of {most}"
            )
        case Exposure.HEDGED if view.goal is Goal.FLAT:
            return Record(event=PositionEvent.EXIT_SUBMITTED, cause="the position is to be flat")
        case Exposure.HEDGED:
            return Wait(reason="hedged")


def _exit(view: PositionView, now: datetime) -> Step:
    if (step := _resume_unsent(view, drop_because="")) is not None:
        return step
    if (step := _cancel_expired(view, now)) is not None:
        return step
    targets = {leg.index: ZERO for leg in view.legs}
    if (step := _reduce(view, targets, now)) is not None:
        return step
    return _confirmed(view, PositionEvent.FLAT, "both legs are closed and read back")


def _unwind(view: PositionView, now: datetime) -> Step:
    if (step := _resume_unsent(view, drop_because="the hedge failed")) is not None:
        return step
    if (step := _cancel_expired(view, now)) is not None:
        return step
    smaller = min(abs(leg.net_base) for leg in view.legs)
    keeps = view.goal is Goal.HEDGED and not view.is_killed
    if not keeps or any(smaller < _smallest(leg) for leg in view.legs):
        smaller = ZERO
    if (step := _reduce(view, {leg.index: smaller for leg in view.legs}, now)) is not None:
        return step
    if smaller > 0:
        return _confirmed(view, PositionEvent.HEDGED, "cut to the smaller leg")
    return _confirmed(view, PositionEvent.FLAT, "everything was closed")


def _held(view: PositionView) -> Step:
    if view.goal is Goal.FLAT and view.exit_asked_since_hold:
        return Record(event=PositionEvent.EXIT_SUBMITTED, cause="a person asked to close it")
    return Wait(reason="held until a person decides")


def _after_the_end(view: PositionView) -> Step:
    if exposure([leg.exposure for leg in view.legs]) is Exposure.FLAT:
        return Wait(reason="ended")
    return Record(event=PositionEvent.IMBALANCED, cause="something filled after the end")


def _reduce(view: PositionView, targets: dict[int, Decimal], now: datetime) -> Step | None:
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
        failures = [o for o in leg.orders if o.purpose is Purpose.REDUCE and o.failed]
        if len(failures) >= view.rules.max_attempts and view.state is PositionState.UNWINDING:
            return Record(
                event=PositionEvent.HOLD,
                cause=f"{leg.instrument.symbol} could not be closed after {len(failures)} orders",
            )
        if _retry_is_early(view, failures, now):
            waiting = waiting or "waiting before the next closing order"
            continue
        escalated = bool(failures) or view.state is PositionState.UNWINDING or leg.book is None
        places.append(_marketable(view, leg, excess, Purpose.REDUCE, escalated=escalated, now=now))
    if places:
        return PlaceAll(orders=tuple(places))
    return Wait(reason=waiting) if waiting else None


def _retry_is_early(view: PositionView, failures: list[OrderView], now: datetime) -> bool:
    """Double the delay with each failure, to at most half a minute."""
    if not failures:
        return False
    delay = min(view.rules.retry_delay * (1 << (len(failures) - 1)), timedelta(seconds=30))
    return now - max(order.created_at for order in failures) < delay


def _marketable(
    view: PositionView,
    leg: LegView,
    base_quantity: Decimal,
    purpose: Purpose,
    *,
    escalated: bool,
    now: datetime,
) -> Place:
    """Return a limit through the touch by the buffer, or a market order once that has failed."""
    opening = _opening_side(leg)
    side = opening if purpose is Purpose.HEDGE else opening.opposite
    at_market = escalated or leg.book is None
    price = None
    if not at_market and leg.book is not None:
        touch = leg.book.ask if side is Side.BUY else leg.book.bid
        limit = touch * (1 + side.sign * view.rules.market_buffer)
        price = price_against_us(limit, leg.instrument.price_tick, side)
    return Place(
        leg_index=leg.index,
        purpose=purpose,
        side=side,
        order_type=OrderType.MARKET if at_market else OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        base_quantity=base_quantity,
        price=price,
        reduce_only=purpose is Purpose.REDUCE,
        cancel_after=now + view.rules.hedge_escalation,
    )


def _cancel_expired(view: PositionView, now: datetime) -> Step | None:
    for leg in view.legs:
        for order in leg.working:
            is_due = order.cancel_after is not None and now >= order.cancel_after
            if is_due and order.cancel_requested_at is None and not leg.unresolved:
                return Cancel(order_id=order.id)
    return None


def _resume_unsent(view: PositionView, *, drop_because: str) -> Step | None:
    """Deal first with an intent that was written but never sent, as after a crash."""
    for leg in view.legs:
        if (order := leg.planned) is not None:
            opens = order.purpose is not Purpose.REDUCE
            if opens and drop_because:
                return Drop(order_id=order.id, cause=drop_because)
            return Send(order_id=order.id)
    return None


def _confirmed(view: PositionView, event: PositionEvent, cause: str) -> Step:
    """Record an end only after both venues said the same."""
    return Record(event=event, cause=cause) if view.is_confirmed else ReadBack()


def _opening_side(leg: LegView) -> Side:
    return Side.BUY if leg.sign > 0 else Side.SELL


def _smallest(leg: LegView) -> Decimal:
    """Return the least base quantity the venue takes, by its lot, minimum and minimum notional."""
    instrument = leg.instrument
    least = max(instrument.min_base_quantity, instrument.lot)
    if leg.book is None or leg.book.bid <= 0:
        return least
    by_notional = instrument.min_notional / leg.book.bid
    return max(least, ceil_to_lot(by_notional, instrument.lot))
