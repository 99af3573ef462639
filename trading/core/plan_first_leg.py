"""The first orders of an entry, by its style: at the mid, as maker at the touch, or both at once.

Once an order of the first leg has ended, only two ends allow another: a maker order that ended for
its price, on a budget, and one refusal by outdated instrument data, which were read anew since.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from exchanges.domain import BookTop, OrderType, Side, TimeInForce
from trading.core.elapsed import elapsed
from trading.core.entry_style import EntryStyle
from trading.core.money import price_against_us, price_passive
from trading.core.order_refusal import RefusalKind
from trading.core.plan_orders import confirmed, marketable
from trading.core.slippage import too_far
from trading.core.snapshot import LegView, OrderView, PositionView
from trading.core.states import OrderState, PositionEvent, Purpose
from trading.core.steps import Cancel, Place, PlaceAll, Record, Step, Wait


def first_leg_step(view: PositionView, now: datetime) -> Step | None:
    """Place, price anew or wait for the first leg; None when nothing more is sent on it."""
    first = view.legs[0]
    if first.working:
        return _reprice(view, first, now)
    if not any(leg.opening for leg in view.legs):
        return _begin(view, first, now)
    quantity = _wanted(view, first)
    last = first.opening[-1]
    is_over = bool(view.barred) or view.is_entry_over(now)
    if is_over or quantity < first.least_order or not last.is_final_at_venue:
        return None
    if not _may_try_again(view, first, last):
        return None
    book = first.book
    # The price that was refused is not sent again: the book must be younger than that order.
    if book is None or book.observed_at < last.created_at:
        return Wait(reason="no book of the first leg since its last order")
    return _unless_too_far(view, _first_order(view, first, book, quantity))


def _begin(view: PositionView, first: LegView, now: datetime) -> Step:
    if view.barred:
        return _never_begun(view, view.barred)
    if view.is_entry_over(now):
        return _never_begun(view, "the time for the entry passed")
    if view.is_addition and any(_wanted(view, leg) < leg.least_order for leg in view.legs):
        return _never_begun(view, "what one leg lacks of it is less than its venue takes")
    working = view.legs if view.rules.entry_style is EntryStyle.BOTH_AT_ONCE else (first,)
    if first.book is None or any(leg.book is None for leg in working):
        return Wait(reason="no fresh book for the first leg")
    if view.rules.entry_style is EntryStyle.BOTH_AT_ONCE:
        places = tuple(_crossing(view, leg, now) for leg in working)
    else:
        places = (_first_order(view, first, first.book, _wanted(view, first)),)
    for leg, place in zip(working, places, strict=True):
        if place.price is not None and (cause := too_far(view, leg, place.price)):
            return _never_begun(view, cause)
    return PlaceAll(orders=places) if len(places) > 1 else places[0]


def _never_begun(view: PositionView, cause: str) -> Step:
    """Leave what was not begun; an addition leaves the hedge as it was."""
    if view.is_addition:
        return confirmed(view, PositionEvent.HEDGED, f"the addition was not begun: {cause}")
    return Record(event=PositionEvent.NEVER_EXPOSED, cause=cause)


def _crossing(view: PositionView, leg: LegView, now: datetime) -> Place:
    purpose = Purpose.OPEN if leg.index == view.legs[0].index else Purpose.HEDGE
    return marketable(view, leg, _wanted(view, leg), purpose, escalated=False, now=now)


def _wanted(view: PositionView, leg: LegView) -> Decimal:
    """Return what is still to be ordered of what the leg is meant to hold."""
    missing = view.target_base_quantity * leg.ratio - abs(leg.net_base)
    return leg.to_order(missing, leg.opening_side)


def _first_order(
    view: PositionView, first: LegView, book: BookTop, base_quantity: Decimal
) -> Place:
    is_maker = view.rules.entry_style is EntryStyle.MAKER
    return Place(
        leg_index=first.index,
        purpose=Purpose.OPEN,
        side=first.opening_side,
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.POST_ONLY if is_maker else TimeInForce.GTC,
        base_quantity=base_quantity,
        price=_touch(first, book) if is_maker else _mid(first, book),
        reduce_only=False,
        cancel_after=view.entry_deadline,
    )


def _mid(leg: LegView, book: BookTop) -> Decimal:
    return price_against_us(book.mid, leg.instrument.price_tick, leg.opening_side)


def _touch(leg: LegView, book: BookTop) -> Decimal:
    """Return our own side of the book: a maker joins it."""
    side = leg.opening_side
    best = book.bid if side is Side.BUY else book.ask
    return price_passive(best, leg.instrument.price_tick, side)


def _unless_too_far(view: PositionView, place: Place) -> Step | None:
    """Leave the rest of the entry where its price has run away."""
    leg = view.legs[place.leg_index]
    if place.price is not None and too_far(view, leg, place.price):
        return None
    return place


def _may_try_again(view: PositionView, first: LegView, last: OrderView) -> bool:
    if view.rules.entry_style is EntryStyle.BOTH_AT_ONCE:
        return False
    if last.refusal is RefusalKind.INVALID:
        return sum(order.refusal is RefusalKind.INVALID for order in first.opening) == 1
    ended_for_its_price = (
        last.time_in_force is TimeInForce.POST_ONLY
        and last.refusal in (RefusalKind.NONE, RefusalKind.WOULD_TAKE)
        and last.state in (OrderState.CANCELED, OrderState.EXPIRED, OrderState.REJECTED)
    )
    return ended_for_its_price and _has_budget(view, first)


def _has_budget(view: PositionView, first: LegView) -> bool:
    return len(first.opening) <= view.rules.maker_reprice_budget


def _reprice(view: PositionView, first: LegView, now: datetime) -> Step | None:
    """Cancel a maker order that the touch has left behind, at most once a pause."""
    order, book = first.working[-1], first.book
    if order.time_in_force is not TimeInForce.POST_ONLY or order.price is None or book is None:
        return None
    price, side = _touch(first, book), first.opening_side
    is_left_behind = side.sign * (price - order.price) > 0
    is_early = elapsed(order.created_at, now) < view.rules.retry_delay
    if not is_left_behind or is_early or not _has_budget(view, first):
        return None
    if first.unresolved or order.cancel_requested_at is not None or too_far(view, first, price):
        return None
    return Cancel(order_id=order.id)
