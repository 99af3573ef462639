"""An intent to trade and its life; the one row that licenses the one send."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import ClassVar, Self

from django.db import models

from exchanges import domain
from exchanges.decimals import price_field, quantity_field
from exchanges.domain import InstrumentKind, OrderType, Side, TimeInForce
from trading.core.money import plain
from trading.core.order_refusal import RefusalKind
from trading.core.states import (
    PENDING_ORDER_STATES,
    WORKING_ORDER_STATES,
    OrderState,
    Purpose,
)
from trading.models.position import Leg, Position


class OrderQuerySet(models.QuerySet["Order"]):
    def for_user(self, user: models.Model) -> Self:
        return self.filter(position__user=user)

    def working(self) -> Self:
        return self.filter(state__in=WORKING_ORDER_STATES)

    def pending(self) -> Self:
        return self.filter(state__in=PENDING_ORDER_STATES)

    def opened(self) -> Self:
        """Return the opening orders that were sent, whatever came of them."""
        unsent = (OrderState.PLANNED, OrderState.DROPPED)
        return self.filter(purpose=Purpose.OPEN).exclude(state__in=unsent)


class Order(models.Model):
    """One intent: committed before it is sent, sent at most once, resolved only on evidence.

    `filled_base_quantity` never falls; `is_final_at_venue` says that a read of the venue, not our
    own opinion, called the order final.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    position = models.ForeignKey(Position, on_delete=models.PROTECT, related_name="orders")
    leg = models.ForeignKey(Leg, on_delete=models.PROTECT, related_name="orders")
    purpose = models.CharField(max_length=8, choices=[(p.value, p.value) for p in Purpose])
    sequence = models.PositiveIntegerField()
    addition = models.PositiveSmallIntegerField(
        default=0, help_text="The addition it belongs to; 0: the entry."
    )
    decision_mid = price_field(
        null=True,
        blank=True,
        help_text="The mid that its addition was decided on; empty: the leg's own.",
    )
    client_order_id = models.CharField(max_length=36, unique=True)
    venue_order_id = models.CharField(max_length=64, blank=True)
    side = models.CharField(max_length=4, choices=[(s.value, s.value) for s in Side])
    order_type = models.CharField(max_length=8, choices=[(t.value, t.value) for t in OrderType])
    time_in_force = models.CharField(
        max_length=16, choices=[(t.value, t.value) for t in TimeInForce]
    )
    base_quantity = quantity_field()
    price = price_field(null=True, blank=True)
    reduce_only = models.BooleanField(default=False)
    state = models.CharField(
        max_length=16,
        choices=[(s.value, s.value) for s in OrderState],
        default=OrderState.PLANNED,
    )
    filled_base_quantity = quantity_field(default=Decimal(0))
    is_final_at_venue = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    cancel_after = models.DateTimeField(
        null=True, blank=True, help_text="A working order is cancelled from then on."
    )
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    looked_up_at = models.DateTimeField(null=True, blank=True)
    refusal_code = models.CharField(max_length=32, blank=True)
    refusal = models.CharField(max_length=300, blank=True)
    refusal_kind = models.CharField(
        max_length=20, blank=True, choices=[(k.value, k.value) for k in RefusalKind if k]
    )
    average_price = price_field(
        null=True, blank=True, help_text="What the venue says it filled at so far."
    )

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["created_at", "sequence"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["position", "leg", "purpose", "sequence"], name="order_sequence"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=sorted(OrderState)), name="order_state_known"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["state"])]

    def __str__(self) -> str:
        return (
            f"{self.purpose} {self.side} {plain(self.base_quantity)} {self.leg.instrument.symbol}"
        )

    @property
    def is_pending(self) -> bool:
        return self.state in PENDING_ORDER_STATES

    @property
    def signed_filled(self) -> Decimal:
        """Return the base quantity added to the leg so far: > 0 bought, < 0 sold."""
        filled: Decimal = self.filled_base_quantity
        return Side(self.side).sign * filled

    def request(self) -> domain.OrderRequest:
        """Return what is sent to the venue."""
        return domain.OrderRequest(
            client_order_id=domain.ClientOrderId(self.client_order_id),
            symbol=domain.Symbol(self.leg.instrument.symbol),
            side=Side(self.side),
            order_type=OrderType(self.order_type),
            base_quantity=self.base_quantity,
            price=self.price,
            time_in_force=TimeInForce(self.time_in_force),
            reduce_only=self.reduce_only,
            may_borrow=self.is_loan,
        )

    @property
    def is_loan(self) -> bool:
        """Tell whether it sells spot that nobody holds: the venue lends it."""
        sells_spot = self.leg.instrument.kind == InstrumentKind.SPOT and self.side == Side.SELL
        return sells_spot and self.leg.sign < 0
