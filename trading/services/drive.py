"""Carry one position forward: read, decide, do one step, until only the outside can help.

Level-triggered and safe to call from anywhere, any number of times: a doorbell, the account stream
and the sweep all call it, and so does the start after a crash.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from exchanges.domain import ClientOrderId, Symbol
from exchanges.errors import OrderNotFound, VenueError
from trading.core.plan import next_step
from trading.core.states import PositionEvent, PositionState, Purpose
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
from trading.events import announce_once
from trading.models import Order, Position
from trading.services import aftermath, lease
from trading.services.halt import halt_account
from trading.services.intents import TooManyOrders, drop_intent, write_intent
from trading.services.lookup import book_missing_fills, lacks_fills, look_up
from trading.services.prepare import prepare_legs
from trading.services.read_back import ReadBackResult, read_back
from trading.services.submit import Clock, submit
from trading.services.transition import apply_to_position
from trading.services.venues import READ_SECONDS, REAL, Venues
from trading.services.view import Loaded, load

logger = logging.getLogger(__name__)

MAX_STEPS = 32
FAILED_CLOSES = 3
SENDS = (Place, PlaceAll, Send)
INTENTS = frozenset({PositionEvent.ENTRY_SUBMITTED, PositionEvent.EXIT_SUBMITTED})
# A position read may lag behind a fill; a difference that lasts longer is not lag.
READ_LAG = timedelta(seconds=10)


def drive(position_id: UUID, *, venues: Venues = REAL, clock: Clock = timezone.now) -> str:
    """Take the position's lease and carry it as far as it goes now; return why it stopped."""
    position = lease.take(position_id, owner=lease.owner_name(), now=clock())
    if position is None:
        return "another worker drives it"
    started = clock()
    try:
        stopped = _steps(position, venues, clock)
    except lease.LeaseLost:
        stopped = "the lease was taken over"
    finally:
        lease.give_back(position)
    logger.info(
        "position driven",
        extra={
            "position": str(position_id),
            "state": str(position.state),
            "stopped": stopped,
            "took_ms": round((clock() - started).total_seconds() * 1000),
        },
    )
    return stopped


def _steps(position: Position, venues: Venues, clock: Clock) -> str:
    loaded, fills_asked = load(position, now=clock()), False
    for _ in range(MAX_STEPS):
        if look_up(loaded.orders.values(), venues=venues, now=clock()):
            loaded = _reload(position, clock)
        step = next_step(loaded.view, clock())
        # Sending comes first; fills are booked before anything is confirmed, ended or left.
        if not (fills_asked or isinstance(step, SENDS)) and lacks_fills(loaded.orders.values()):
            book_missing_fills(loaded.orders.values(), venues=venues, now=clock())
            loaded, fills_asked = _reload(position, clock), True
            continue
        if isinstance(step, Wait):
            return step.reason
        if _must_be_booked(step) and lacks_fills(loaded.orders.values()):
            return _wait_for_books(position, clock())
        if stopped := _carry_out(step, position, loaded, venues, clock):
            return stopped
        if not lease.extend(position, now=clock()):
            return "the lease was taken over"
        fills_asked = fills_asked and not isinstance(step, SENDS)
        loaded = _after(step, position, loaded, clock)
    return "enough for one visit"


def _must_be_booked(step: Step) -> bool:
    """A position that ends is not looked at again: its books must be complete by then."""
    return isinstance(step, Record) and step.event in (PositionEvent.HEDGED, PositionEvent.FLAT)


def _wait_for_books(position: Position, now: datetime) -> str:
    sentence = f"{position.base}: the venue does not list all fills of our orders yet"
    _warn(position, "fills.missing", sentence, now)
    return sentence


def _after(step: Step, position: Position, loaded: Loaded, clock: Clock) -> Loaded:
    """Return what is true now; a recorded intent has changed nothing but the state."""
    if isinstance(step, Record) and step.event in INTENTS:
        state = PositionState(position.state)
        return replace(loaded, view=replace(loaded.view, state=state))
    return _reload(position, clock)


def _reload(position: Position, clock: Clock) -> Loaded:
    lease.reread(position)
    return load(position, now=clock())


def _carry_out(step: Step, position: Position, loaded: Loaded, venues: Venues, clock: Clock) -> str:
    """Do one step; return why to stop for now, or nothing to go on."""
    match step:
        case Place():
            return _place([step], position, loaded, venues, clock)
        case PlaceAll(orders=orders):
            return _place(list(orders), position, loaded, venues, clock)
        case Send(order_id=order_id):
            submit([loaded.orders[order_id]], position=position, venues=venues, clock=clock)
            return ""
        case Cancel(order_id=order_id):
            return _cancel(loaded.orders[order_id], venues, clock())
        case Drop(order_id=order_id, cause=cause):
            drop_intent(loaded.orders[order_id], cause=cause, now=clock())
            return ""
        case Prepare():
            return _prepare(position, loaded, venues, clock())
        case ReadBack():
            return _read_back(position, venues, clock())
        case Record(event=event, cause=cause):
            return record(position, event, cause=cause, now=clock())
        case Wait(reason=reason):
            return reason
    assert_never(step)


def record(position: Position, event: PositionEvent, *, cause: str, now: datetime) -> str:
    """Apply an event with its columns and what follows from it; return why to stop, if lost."""
    if event is PositionEvent.IMBALANCED and position.state in (
        PositionState.CLOSED,
        PositionState.ABANDONED,
    ):
        cause = f"CRITICAL after the end: {cause}"
    moved = apply_to_position(
        position,
        event,
        cause=cause,
        now=now,
        within=lambda: aftermath.follow(position, event, cause, now),
        **aftermath.columns_of(position, event, cause, now),
    )
    return "" if moved else "another worker moved it first"


def _place(
    places: list[Place], position: Position, loaded: Loaded, venues: Venues, clock: Clock
) -> str:
    cap = loaded.parameters.max_orders_per_position_minute
    orders: list[Order] = []
    try:
        for place in places:
            leg = loaded.legs[place.leg_index]
            orders.append(write_intent(position, leg, place, cap=cap, now=clock()))
    except TooManyOrders as refusal:
        _warn(position, "orders.capped", str(refusal), clock(), critical=True)
        return str(refusal)
    submit(orders, position=position, venues=venues, clock=clock)
    _tell_of_failing_close(position, loaded, places, clock())
    return ""


def _tell_of_failing_close(
    position: Position, loaded: Loaded, places: list[Place], now: datetime
) -> None:
    """An exit that keeps failing goes on, and a person hears of it."""
    for place in places:
        leg = loaded.view.legs[place.leg_index]
        failed = [order for order in leg.orders if order.purpose is Purpose.REDUCE and order.failed]
        if place.purpose is Purpose.REDUCE and len(failed) >= FAILED_CLOSES:
            sentence = (
                f"{position.base}: {len(failed)} closing orders failed on "
                f"{leg.instrument.symbol} at {leg.instrument.venue}; trying on"
            )
            _warn(position, "exit.failing", sentence, now, critical=True)


def _cancel(order: Order, venues: Venues, now: datetime) -> str:
    """Ask the venue to cancel; whether it did is for the look-up to say."""
    Order.objects.filter(pk=order.pk).update(cancel_requested_at=now)
    trading = venues.trading(order.leg.account)
    symbol = Symbol(order.leg.instrument.symbol)
    try:
        venues.call(trading.cancel(ClientOrderId(order.client_order_id), symbol), READ_SECONDS)
    except OrderNotFound:
        pass  # filled or gone already: the look-up will tell
    except VenueError as error:
        # The order is taken to be alive; the next visit asks again.
        Order.objects.filter(pk=order.pk).update(cancel_requested_at=None)
        return f"the cancel was not answered: {error}"
    Order.objects.filter(pk=order.pk).update(looked_up_at=None)
    return ""


def _prepare(position: Position, loaded: Loaded, venues: Venues, now: datetime) -> str:
    refusal = prepare_legs(list(loaded.legs.values()), venues=venues)
    if refusal is None:
        return ""
    return record(position, PositionEvent.DROPPED, cause=refusal.sentence, now=now)


def _read_back(position: Position, venues: Venues, now: datetime) -> str:
    result, words = read_back(position, venues=venues, now=now)
    match result:
        case ReadBackResult.CONFIRMED:
            return ""
        case ReadBackResult.UNREACHABLE:
            _warn(position, "venue.unreachable", f"{position.base}: {words}", now)
            return words
        case ReadBackResult.MISMATCH if _may_be_lag(position, now):
            return f"waiting for the venue: {words}"
        case ReadBackResult.MISMATCH:
            return _hold(position, words, now)


def _may_be_lag(position: Position, now: datetime) -> bool:
    latest = position.orders.order_by(F("answered_at").desc(nulls_last=True)).first()
    moments = [m for m in (latest.answered_at, latest.looked_up_at) if m] if latest else []
    since = max([latest.created_at, *moments[:1]]) if latest else position.created_at
    return now - since < READ_LAG


def _hold(position: Position, words: str, now: datetime) -> str:
    """Never repair a foreign quantity: stop the account and ask a person."""
    for leg in position.legs.select_related("account__exchange"):
        halt_account(leg.account, reason=words, now=now)
    if position.state == PositionState.HELD:
        return words
    record(position, PositionEvent.HOLD, cause=words, now=now)
    return words


def _warn(
    position: Position, kind: str, sentence: str, now: datetime, *, critical: bool = False
) -> None:
    announce_once(
        user_id=position.user_id,
        kind=kind,
        severity="critical" if critical else "warning",
        sentence=sentence,
        position=position,
        within=timedelta(minutes=5),
        now=now,
    )
