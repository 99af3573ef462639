"""Write what will be sent before it is sent."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from exchanges.client_order_ids import client_order_id, in_venue_form
from trading.core.elapsed import elapsed
from trading.core.states import OrderEvent, Purpose
from trading.core.steps import Place
from trading.models import Leg, Order, Position
from trading.services.lease import LeaseLost
from trading.services.transition import apply_to_order


class TooManyOrders(Exception):
    """The position reached its cap of orders per minute: wait, a loop may be running wild."""


def write_intent(position: Position, leg: Leg, place: Place, *, cap: int, now: datetime) -> Order:
    """Commit one intent and return it. Raise TooManyOrders beyond `cap` orders in a minute.

    What opens or hedges has one cap, what reduces another of the same size: a close is never kept
    waiting by the entry before it, and cannot run wild either. Raise LeaseLost when another worker
    has taken the position over.

    The sequence is counted inside the transaction and unique in the database, so that two workers
    can never write the same intent twice.
    """
    with transaction.atomic():
        written = list(
            Order.objects.filter(position=position).values_list("leg_id", "purpose", "created_at")
        )
        reduces = place.purpose is Purpose.REDUCE
        recent = sum(
            (purpose == Purpose.REDUCE) is reduces
            and elapsed(created_at, now) < timedelta(minutes=1)
            for _, purpose, created_at in written
        )
        if recent >= cap:
            kind = "closing" if reduces else "opening"
            raise TooManyOrders(f"{recent} {kind} orders in the last minute, the cap is {cap}")
        # A worker that was paused beyond its lease must not leave what its successor would send.
        held = Position.objects.filter(pk=position.pk, lease_epoch=position.lease_epoch)
        if held.update(exposure_version=F("exposure_version") + 1) != 1:
            raise LeaseLost
        alike = [(leg_id, purpose) for leg_id, purpose, _ in written]
        sequence = alike.count((leg.pk, place.purpose)) + 1
        order = Order.objects.create(
            position=position,
            leg=leg,
            purpose=place.purpose,
            sequence=sequence,
            addition=position.add_steps,
            decision_mid=leg.decision_add_mid if position.add_quantity is not None else None,
            client_order_id=in_venue_form(
                client_order_id(
                    position.pk, leg_index=leg.index, purpose=place.purpose, sequence=sequence
                ),
                leg.instrument.exchange.code,
            ),
            side=place.side,
            order_type=place.order_type,
            time_in_force=place.time_in_force,
            base_quantity=place.base_quantity,
            price=place.price,
            reduce_only=place.reduce_only,
            cancel_after=place.cancel_after,
            created_at=now,
        )
    position.exposure_version += 1
    return order


def drop_intent(order: Order, *, cause: str, now: datetime) -> bool:
    """End an intent that was never sent."""
    return apply_to_order(order, OrderEvent.DROPPED, cause=cause, now=now, is_final_at_venue=True)
