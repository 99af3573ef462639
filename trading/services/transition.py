"""The only writer of state columns: compare-and-set, journal and outbox in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from exchanges.models import VenueHealth
from trading.core.states import (
    OrderEvent,
    OrderState,
    PositionEvent,
    PositionState,
    Purpose,
    next_order_state,
    next_position_state,
)
from trading.events import announce
from trading.models import KillSwitch, Leg, Order, Position, StateChange
from trading.models.journal import Event

CRITICAL_EVENTS = frozenset({PositionEvent.IMBALANCED, PositionEvent.HOLD})


def apply_to_position(
    position: Position,
    event: PositionEvent,
    *,
    cause: str,
    now: datetime,
    within: Callable[[], None] | None = None,
    **columns: Any,
) -> bool:
    """Move a position along its table and journal it; `columns` and `within` change with the state.

    Return False, writing nothing, when another worker moved it first. Raise UnlistedTransition for
    a pair without a row.
    """
    before = PositionState(position.state)
    after = next_position_state(before, event)
    with transaction.atomic():
        updated = Position.objects.filter(
            pk=position.pk, state=before, lease_epoch=position.lease_epoch
        ).update(state=after, state_since=now, **columns)
        if updated != 1:
            return False
        _journal(position, None, before, event, after, cause, now)
        announce(
            user_id=position.user_id,
            kind=f"position.{after}",
            severity=_severity(event),
            sentence=f"{position.base}: {after}, {cause}",
            position=position,
            now=now,
        )
        if within is not None:
            within()
    position.state, position.state_since = after, now
    for name, value in columns.items():
        setattr(position, name, value)
    return True


def apply_to_order(
    order: Order,
    event: OrderEvent,
    *,
    cause: str,
    now: datetime,
    within: Callable[[], None] | None = None,
    **columns: Any,
) -> bool:
    """Move an order along its table and journal it; `columns` and `within` change with the state.

    Return False, writing nothing, when its state was not ours.
    """
    before = OrderState(order.state)
    after = next_order_state(before, event)
    # A caller's transaction goes back as a whole where this fails.
    with transaction.atomic(savepoint=False):
        updated = Order.objects.filter(pk=order.pk, state=before).update(state=after, **columns)
        if updated != 1:
            return False
        _journal(order.position, order, before, event, after, cause, now)
        if within is not None:
            within()
    order.state = after
    for name, value in columns.items():
        setattr(order, name, value)
    return True


def license_order(order: Order, *, position: Position, now: datetime) -> bool:
    """Tx 1: one statement asks for all that must hold at this instant, and moves the state.

    The state and the lease for every order; no kill switch for what opens or hedges; no halted
    account of any leg and no open breaker at its venue for what opens, unless it is the breaker's
    trial, and for a hedge something that was opened. Return False, writing nothing, when any of
    them says no.
    """
    with transaction.atomic():
        licensed = (
            Order.objects.filter(
                pk=order.pk,
                state=OrderState.PLANNED,
                position__lease_epoch=position.lease_epoch,
            )
            .filter(Q(purpose=Purpose.REDUCE) | ~Exists(_pressed_kill_switches()))
            .filter(_has_its_ground())
            .filter(~Q(purpose=Purpose.OPEN) | ~Exists(_open_breakers()))
            .update(state=OrderState.SENDING, sent_at=now)
        )
        if licensed != 1:
            return False
        moved = (OrderState.PLANNED, OrderEvent.LICENSED, OrderState.SENDING)
        _journal(order.position, order, *moved, "licensed", now)
    order.state, order.sent_at = OrderState.SENDING, now
    return True


def _has_its_ground() -> Q:
    """Return what each purpose asks of its position: a hedge without an opening would be naked."""
    position = OuterRef("position")
    halted = Leg.objects.filter(position=position).exclude(account__halted_at=None)
    # Of the same entry or addition: what was opened before it is hedged already.
    opened = Order.objects.opened().filter(position=position, addition=OuterRef("addition"))
    return (
        Q(purpose=Purpose.REDUCE)
        | (Q(purpose=Purpose.OPEN) & ~Exists(halted))
        | (Q(purpose=Purpose.HEDGE) & Exists(opened))
    )


def _pressed_kill_switches() -> QuerySet[KillSwitch]:
    owner = OuterRef("position__user")
    return KillSwitch.objects.filter(Q(user=None) | Q(user=owner), rearmed_at=None)


def _open_breakers() -> QuerySet[VenueHealth]:
    there = VenueHealth.objects.filter(exchange=OuterRef("leg__account__exchange"))
    trial = Q(state=VenueHealth.State.HALF_OPEN, trial_of=OuterRef("position"))
    return there.exclude(state=VenueHealth.State.CLOSED).exclude(trial)


def _journal(
    position: Position,
    order: Order | None,
    before: str,
    event: str,
    after: str,
    cause: str,
    now: datetime,
) -> None:
    StateChange.objects.create(
        position=position,
        order=order,
        from_state=before,
        event=event,
        to_state=after,
        cause=cause[:300],
        at=now,
    )


def _severity(event: PositionEvent) -> str:
    return Event.Severity.CRITICAL if event in CRITICAL_EVENTS else Event.Severity.INFO
