"""Carry one position forward: read, decide, do one step, until only the outside can help.

Level-triggered and safe to call from anywhere, any number of times: a doorbell, the account stream
and the sweep all call it, and so does the start after a crash.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime
from typing import assert_never
from uuid import UUID

from django.utils import timezone

from exchanges.domain import ClientOrderId, Symbol
from exchanges.errors import OrderNotFound, VenueError
from trading.core.money import plain
from trading.core.plan import next_step
from trading.core.states import OrderState, PositionEvent, PositionState, Purpose
from trading.core.steps import (
    Cancel,
    Drop,
    Place,
    PlaceAll,
    Prepare,
    Reach,
    ReadBack,
    Record,
    Send,
    Step,
    Wait,
)
from trading.models import Order, Position
from trading.services import lease
from trading.services.contact import reach
from trading.services.intents import drop_intent
from trading.services.lookup import (
    book_missing_fills,
    is_due,
    lacks_fills,
    look_up,
)
from trading.services.place_orders import place_orders, send
from trading.services.prepare import prepare_legs
from trading.services.read_back import ReadBackResult, read_back
from trading.services.submit import Clock
from trading.services.unhedged import tell_if_unhedged
from trading.services.venues import READ_SECONDS, REAL, Venues
from trading.services.view import Load, Loaded, carry_on, load, load_new
from trading.services.visit import Visit

logger = logging.getLogger(__name__)

MAX_STEPS = 32
LEASED = "another worker drives it"
SENDS = (Place, PlaceAll, Send)
INTENTS = frozenset({PositionEvent.ENTRY_SUBMITTED, PositionEvent.EXIT_SUBMITTED})


def drive(position_id: UUID, *, venues: Venues = REAL, clock: Clock = timezone.now) -> str:
    """Take the position's lease and carry it as far as it goes now; return why it stopped."""
    position = lease.take(position_id, owner=lease.owner_name(), now=clock())
    if position is None:
        return LEASED
    return _drive(Visit(position, venues, clock), load)


def drive_planned(position: Position, *, venues: Venues = REAL, clock: Clock = timezone.now) -> str:
    """Drive a position that this process has just planned, reading only what it does not know."""
    if not lease.take_new(position, owner=lease.owner_name(), now=clock()):
        return drive(position.pk, venues=venues, clock=clock)
    return _drive(Visit(position, venues, clock), load_new)


def _drive(visit: Visit, first: Load) -> str:
    position, clock = visit.position, visit.clock
    started = clock()
    try:
        stopped = _steps(visit, first(position, contact=visit.contact, now=visit.now()))
    except lease.LeaseLost:
        stopped = "the lease was taken over"
    finally:
        lease.give_back(position)
    logger.info(
        "position driven",
        extra={
            "position": str(position.pk),
            "state": str(position.state),
            "stopped": stopped,
            "took_ms": round((clock() - started).total_seconds() * 1000),
        },
    )
    return stopped


def _steps(visit: Visit, loaded: Loaded) -> str:
    fills_asked = False
    for _ in range(MAX_STEPS):
        step, loaded = _decide(visit, loaded)
        # Sending comes first; fills are booked before anything is confirmed, ended or left.
        if not (fills_asked or isinstance(step, SENDS)) and lacks_fills(loaded.orders.values()):
            book_missing_fills(loaded.orders.values(), venues=visit.venues, now=visit.now())
            loaded, fills_asked = _reload(visit), True
            continue
        if isinstance(step, Wait):
            _tell_if_one_sided(visit, loaded)
            is_untold = tell_if_unhedged(visit, loaded)
            if step.is_rest and not (is_untold or lacks_fills(loaded.orders.values())):
                _note_rest(visit.position)
            return step.reason
        if _must_be_booked(step) and lacks_fills(loaded.orders.values()):
            return _wait_for_books(visit)
        if stopped := _carry_out(step, visit, loaded):
            if isinstance(step, ReadBack):
                tell_if_unhedged(visit, loaded)
            return stopped
        if not lease.extend(visit.position, now=visit.now()):
            return "the lease was taken over"
        fills_asked = fills_asked and not isinstance(step, SENDS)
        loaded = _after(step, visit, loaded)
    return "enough for one visit"


def _decide(visit: Visit, loaded: Loaded) -> tuple[Step, Loaded]:
    """Return the next step; a hedge of fills that are known waits for no look-up elsewhere."""
    step = next_step(loaded.view, visit.now())
    if _is_plain_hedge(step, loaded, visit.now()):
        return step, loaded
    orders = loaded.orders.values()
    if look_up(orders, venues=visit.venues, contact=visit.contact, now=visit.now()):
        loaded = _reload(visit)
    return next_step(loaded.view, visit.now()), loaded


def _is_plain_hedge(step: Step, loaded: Loaded, now: datetime) -> bool:
    """A filled quantity never falls, so what it calls for stands if its own leg is known."""
    if not isinstance(step, Place) or step.purpose is not Purpose.HEDGE:
        return False
    own = [o for o in loaded.orders.values() if o.leg.index == step.leg_index]
    return not any(is_due(order, now) for order in own)


def _must_be_booked(step: Step) -> bool:
    """A position that ends is not looked at again: its books must be complete by then."""
    return isinstance(step, Record) and step.event in (PositionEvent.HEDGED, PositionEvent.FLAT)


def _wait_for_books(visit: Visit) -> str:
    sentence = "the venue does not list all fills of our orders yet"
    visit.warn("fills.missing", sentence)
    return f"{visit.position.base}: {sentence}"


def _note_rest(position: Position) -> None:
    """Keep which exposure left nothing to do: the sweep comes again once it has changed."""
    seen = position.exposure_version
    if position.judged_version < seen:
        rows = Position.objects.filter(pk=position.pk, judged_version__lt=seen)
        rows.update(judged_version=seen)


def _tell_if_one_sided(visit: Visit, loaded: Loaded) -> None:
    """An exit that one venue stops keeps the other leg as its hedge, and a person hears."""
    stuck = visit.contact.why_stuck(loaded.legs.values())
    if stuck and loaded.view.state is PositionState.EXITING:
        visit.cry(
            "exit.unreachable",
            f"{stuck}, so the exit waits and nothing is opened again; the other leg "
            "is closed alone only if you force it",
        )


def _load(visit: Visit) -> Loaded:
    return load(visit.position, contact=visit.contact, now=visit.now())


def _reload(visit: Visit) -> Loaded:
    lease.reread(visit.position)
    return _load(visit)


def _after(step: Step, visit: Visit, loaded: Loaded) -> Loaded:
    """Return what is true now.

    A recorded intent has changed nothing but the state, and our own orders have changed nothing
    else if the exposure is the one that they leave.
    """
    if isinstance(step, Record) and step.event in INTENTS:
        state = PositionState(visit.position.state)
        view = replace(loaded.view, state=state, state_since=visit.position.state_since)
        return replace(loaded, view=view)
    ours = visit.position.exposure_version
    lease.reread(visit.position)
    unsent = any(order.state == OrderState.PLANNED for order in loaded.orders.values())
    if isinstance(step, SENDS) and visit.position.exposure_version == ours and not unsent:
        return carry_on(loaded, visit.position, now=visit.now())
    return _load(visit)


def _carry_out(step: Step, visit: Visit, loaded: Loaded) -> str:
    """Do one step; return why to stop for now, or nothing to go on."""
    match step:
        case Place():
            return place_orders(visit, loaded, [step])
        case PlaceAll(orders=orders):
            return place_orders(visit, loaded, orders)
        case Send(order_id=order_id):
            send(visit, [loaded.orders[order_id]])
            return ""
        case Cancel(order_id=order_id):
            _cancel(visit, loaded.orders[order_id])
            return ""
        case Drop(order_id=order_id, cause=cause):
            drop_intent(loaded.orders[order_id], cause=cause, now=visit.now())
            return ""
        case Prepare():
            return _prepare(visit, loaded)
        case Reach():
            reach(
                loaded.legs.values(),
                venues=visit.venues,
                contact=visit.contact,
                now=visit.now(),
            )
            return ""
        case ReadBack():
            return _read_back(visit)
        case Record(event=event, cause=cause):
            return visit.record(event, cause=cause)
        case Wait(reason=reason):
            return reason
    assert_never(step)


def _cancel(visit: Visit, order: Order) -> None:
    """Ask the venue to cancel; whether it did is for the look-up to say.

    Unanswered, the order is taken to be alive, and is asked to be cancelled again after a while.
    """
    if order.cancel_requested_at is not None:
        visit.cry(
            "order.stuck",
            f"an order at {order.leg.instrument.exchange.name} ({order.side} "
            f"{plain(order.base_quantity)}) neither fills nor cancels since "
            f"{order.cancel_requested_at:%H:%M:%S} UTC; trying on, look at it there",
        )
    rows = Order.objects.filter(pk=order.pk)
    rows.update(cancel_requested_at=visit.now())
    if visit.contact.is_away(order.leg.account_id):
        return
    trading = visit.venues.trading(order.leg.account)
    symbol = Symbol(order.leg.instrument.symbol)
    call = trading.cancel(ClientOrderId(order.client_order_id), symbol)
    try:
        visit.venues.call(call, READ_SECONDS)
    except OrderNotFound:
        pass  # filled or gone already: the look-up will tell
    except VenueError:
        # It may have come through all the same: the next visit looks before anything is repeated.
        visit.contact.note(order.leg.account_id, answered=False)
    rows.update(looked_up_at=None)


def _prepare(visit: Visit, loaded: Loaded) -> str:
    refusal = prepare_legs(list(loaded.legs.values()), venues=visit.venues, now=visit.now())
    return "" if refusal is None else visit.record(PositionEvent.DROPPED, cause=refusal.sentence)


def _read_back(visit: Visit) -> str:
    """Confirm what is held, or look again; what nothing explains is held by reconciliation."""
    result, words = read_back(visit.position, venues=visit.venues, now=visit.now())
    if result is ReadBackResult.UNREACHABLE:
        visit.warn("venue.unreachable", words)
    return words
