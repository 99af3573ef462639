"""The orders and cancels that entering, closing and unwinding have in common."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from itertools import takewhile

from exchanges.domain import OrderType, Side, TimeInForce
from trading.core.elapsed import elapsed, is_over
from trading.core.money import floor_to_lot, price_against_us
from trading.core.snapshot import LegView, OrderView, PositionView
from trading.core.states import UNRESOLVED_ORDER_STATES, PositionEvent, Purpose
from trading.core.steps import Cancel, Drop, Place, ReadBack, Record, Send, Step, Wait

# What an entry sends; it is over with it.
OF_ENTRY = (Purpose.OPEN, Purpose.HEDGE)


def marketable(
    view: PositionView,
    leg: LegView,
    base_quantity: Decimal,
    purpose: Purpose,
    *,
    escalated: bool,
    now: datetime,
) -> Place:
    """Return a limit through the touch by the buffer, or a market order once that has failed.

    What is more than one order may be is sent in parts: the rest follows once this one is known.
    """
    side = leg.opening_side.opposite if purpose is Purpose.REDUCE else leg.opening_side
    at_market = escalated or leg.book is None
    price = None
    if not at_market and leg.book is not None:
        touch = leg.book.ask if side is Side.BUY else leg.book.bid
        limit = touch * (1 + side.sign * _buffer(view, leg))
        price = price_against_us(limit, leg.instrument.price_tick, side)
    return Place(
        leg_index=leg.index,
        purpose=purpose,
        side=side,
        order_type=OrderType.MARKET if at_market else OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        base_quantity=_one_order(leg, base_quantity),
        price=price,
        reduce_only=purpose is Purpose.REDUCE,
        cancel_after=now + view.rules.hedge_escalation,
    )


def _one_order(leg: LegView, base_quantity: Decimal) -> Decimal:
    """Return what of it the venue takes at once; never so much that the rest would be too small."""
    most = leg.instrument.max_base_quantity
    if most is None or base_quantity <= most:
        return base_quantity
    return floor_to_lot(min(most, base_quantity / 2), leg.instrument.lot)


def _buffer(view: PositionView, leg: LegView) -> Decimal:
    rules = view.rules
    if leg.is_spot and rules.spot_market_buffer is not None:
        return rules.spot_market_buffer
    return rules.market_buffer


def cancel_expired(
    view: PositionView, now: datetime, *, over: Collection[Purpose] = ()
) -> Step | None:
    """Cancel what has worked long enough, again where the venue did not obey.

    Orders of the purposes that are `over` are due whatever their time.
    """
    for leg in view.legs:
        for order in leg.working:
            is_due = order.purpose in over or _is_late(order, now)
            if is_due and not leg.unresolved and _may_cancel(view, order, now):
                return Cancel(order_id=order.id)
    return None


def _is_late(order: OrderView, now: datetime) -> bool:
    until = order.cancel_after
    return until is not None and is_over(until, since=order.created_at, now=now)


def _may_cancel(view: PositionView, order: OrderView, now: datetime) -> bool:
    asked = order.cancel_requested_at
    return asked is None or elapsed(asked, now) >= view.rules.cancel_again


def cancel_working(view: PositionView, now: datetime) -> Step | None:
    """Cancel resting orders once and wait for them a moment; None when nobody is waited for.

    An unresolved order, or a venue that does not cancel, must not delay the other leg.
    """
    resting = [
        o for leg in view.legs for o in leg.working if o.state not in UNRESOLVED_ORDER_STATES
    ]
    for order in resting:
        if order.cancel_requested_at is None:
            return Cancel(order_id=order.id)
    if any(not _may_cancel(view, order, now) for order in resting):
        return Wait(reason="orders of the entry are being cancelled")
    return None


def resume_unsent(view: PositionView, drop_because: Mapping[Purpose, str]) -> Step | None:
    """Deal first with an intent that was written but never sent, as after a crash."""
    for leg in view.legs:
        if (order := leg.planned) is not None:
            if cause := drop_because.get(order.purpose):
                return Drop(order_id=order.id, cause=cause)
            return Send(order_id=order.id)
    return None


def never_opening(cause: str) -> dict[Purpose, str]:
    """Return what to drop where nothing may be opened or hedged any more."""
    return dict.fromkeys(OF_ENTRY, cause)


def failures_in_a_row(orders: Iterable[OrderView]) -> list[OrderView]:
    """Return the orders that failed since one last filled whole, newest first: the rest is past."""
    sent = [order for order in orders if not order.is_working]
    return list(takewhile(lambda order: order.failed, reversed(sent)))


def confirmed(view: PositionView, event: PositionEvent, cause: str) -> Step:
    """Record an end only after both venues said the same."""
    return Record(event=event, cause=cause) if view.is_confirmed else ReadBack()
