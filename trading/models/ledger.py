"""What really happened to money: fills, funding, and what funding was expected."""

from __future__ import annotations

import uuid
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from exchanges.decimals import money_field, price_field, quantity_field, rate_field
from exchanges.domain import FillCause
from exchanges.models import MODES, ExchangeAccount
from exchanges.modes import Mode
from trading.core.money import plain
from trading.models.append_only import AppendOnlyModel, AppendOnlyQuerySet
from trading.models.order import Order
from trading.models.position import Leg, LegSide, Position


class Trade(AppendOnlyModel):
    """One fill, booked exactly once per venue trade key; append-only.

    Without an order it was made by the venue itself, or by a person and adopted, or stands for what
    is gone without a fill: `cause` says which.
    """

    class Cause(models.TextChoices):
        ORDER = FillCause.ORDER.value
        LIQUIDATION = FillCause.LIQUIDATION.value
        ADL = FillCause.ADL.value, "auto-deleveraging"
        SETTLEMENT = FillCause.SETTLEMENT.value
        MANUAL = "manual", "a person's own trade"
        WRITTEN_OFF = "written_off", "gone without a fill, written off by a person"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    position = models.ForeignKey(Position, on_delete=models.PROTECT, related_name="trades")
    leg = models.ForeignKey(Leg, on_delete=models.PROTECT, related_name="trades")
    order = models.ForeignKey(
        Order, on_delete=models.PROTECT, related_name="trades", null=True, blank=True
    )
    cause = models.CharField(max_length=12, choices=Cause.choices, default=Cause.ORDER)
    account = models.ForeignKey(ExchangeAccount, on_delete=models.PROTECT, related_name="trades")
    venue_trade_id = models.CharField(max_length=64)
    venue_order_id = models.CharField(max_length=64)
    side = models.CharField(max_length=5, choices=LegSide.choices)
    action = models.CharField(max_length=5, choices=[("OPEN", "OPEN"), ("CLOSE", "CLOSE")])
    order_side = models.CharField(max_length=4)
    order_type = models.CharField(max_length=8)
    price = price_field()
    base_quantity = quantity_field()
    size = money_field(help_text="Notional in quote currency.")
    fee = money_field(help_text="> 0 paid, < 0 a rebate, in fee_asset.")
    fee_asset = models.CharField(max_length=16)
    fee_price = price_field(
        null=True,
        blank=True,
        help_text="What one fee_asset was worth in quote currency when it was booked; empty where "
        "the fee needs no price, or none was known.",
    )
    is_maker = models.BooleanField(default=False)
    filled_at = models.DateTimeField()
    booked_at = models.DateTimeField()
    latency_ms = models.PositiveIntegerField(null=True, blank=True)

    objects = AppendOnlyQuerySet["Trade"].as_manager()

    class Meta:
        ordering: ClassVar = ["filled_at", "venue_trade_id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "leg", "venue_order_id", "venue_trade_id", "order_side"],
                name="trade_once",
            ),
            models.CheckConstraint(
                condition=Q(cause=FillCause.ORDER.value, order__isnull=False)
                | (~Q(cause=FillCause.ORDER.value) & Q(order=None)),
                name="trade_has_its_cause",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.side} {plain(self.base_quantity)} @ {plain(self.price)}"


class FundingEvent(AppendOnlyModel):
    """One payment as the venue booked it; `payment` > 0 means received; append-only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    position = models.ForeignKey(Position, on_delete=models.PROTECT, related_name="funding_events")
    leg = models.ForeignKey(Leg, on_delete=models.PROTECT, related_name="funding_events")
    account = models.ForeignKey(ExchangeAccount, on_delete=models.PROTECT, related_name="funding")
    venue_payment_id = models.CharField(max_length=96)
    funding_rate = rate_field(null=True, blank=True)
    payment = money_field()
    asset = models.CharField(max_length=16)
    payment_usd = money_field()
    paid_at = models.DateTimeField()
    booked_at = models.DateTimeField()

    objects = AppendOnlyQuerySet["FundingEvent"].as_manager()

    class Meta:
        ordering: ClassVar = ["paid_at"]
        constraints: ClassVar = [
            # Not per leg: one payment belongs to one of the legs that followed each other.
            models.UniqueConstraint(fields=["account", "venue_payment_id"], name="funding_once"),
        ]

    def __str__(self) -> str:
        return f"{self.payment} {self.asset} at {self.paid_at:%Y-%m-%d %H:%M}"


class ExpectedFunding(models.Model):
    """What a settlement should pay a leg, written when it passes and matched to the payment."""

    class Status(models.TextChoices):
        PENDING = "pending"
        UNCERTAIN = "uncertain", "uncertain: a fill was close to the settlement"
        NOT_COUNTED = "not_counted", "nothing was due after all"
        MISSING = "missing"
        MATCHED = "matched"
        LATE = "late", "paid late"
        WRONG_SIGN = "wrong_sign", "paid with the wrong sign"
        DEVIATING = "deviating", "paid another amount"

    class PriceSource(models.TextChoices):
        VENUE = "venue", "the venue's settlement price"
        MARK = "mark", "the venue's mark right after"
        OTHER_VENUE = "other_venue", "another venue's settlement price of that instant"
        LAST_FILL = "last_fill", "the leg's own last fill: an estimate"

    id = models.BigAutoField(primary_key=True)
    leg = models.ForeignKey(Leg, on_delete=models.PROTECT, related_name="expected_funding")
    settles_at = models.DateTimeField()
    funding_rate = rate_field()
    base_quantity = quantity_field(help_text="Signed: > 0 long.")
    settlement_price = price_field()
    price_source = models.CharField(
        max_length=12, choices=PriceSource.choices, default=PriceSource.VENUE
    )
    payment = money_field()
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.PENDING)
    event = models.OneToOneField(
        FundingEvent, on_delete=models.PROTECT, null=True, blank=True, related_name="expected"
    )
    created_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["settles_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["leg", "settles_at"], name="expected_once"),
        ]

    def __str__(self) -> str:
        return f"{self.payment} expected at {self.settles_at:%Y-%m-%d %H:%M}"


class EquitySnapshotQuerySet(models.QuerySet["EquitySnapshot"]):
    def for_user(self, user: models.Model) -> Self:
        return self.filter(user=user)


class EquitySnapshot(models.Model):
    """Equity over all accounts of a user in one mode at one minute, as the venues said it."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="equity"
    )
    mode = models.CharField(max_length=16, choices=MODES, default=Mode.REHEARSAL)
    at = models.DateTimeField()
    read_at = models.DateTimeField(
        null=True, blank=True, help_text="When the venues were asked; `at` is the minute of it."
    )
    equity_usd = money_field()
    free_usd = money_field()

    objects = EquitySnapshotQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "mode", "at"], name="equity_once_a_mode"),
        ]

    def __str__(self) -> str:
        return f"{self.equity_usd} USD at {self.at:%Y-%m-%d %H:%M}"
