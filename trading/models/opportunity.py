"""What detection found, taken or passed over, with the reason."""

from __future__ import annotations

import uuid
from typing import ClassVar, Self

from django.conf import settings
from django.db import models

from exchanges.decimals import money_field, rate_field
from exchanges.models import Instrument
from trading.models.position import Position


class OpportunityQuerySet(models.QuerySet["Opportunity"]):
    def for_user(self, user: models.Model) -> Self:
        return self.filter(user=user)


class Opportunity(models.Model):
    """One candidate hedge for one user; written by the scan, marked taken by the entry.

    `net_return` is a fraction of one leg's notional over `hold_hours`; break-even None is never.
    Figures are None where the data behind them cannot be trusted; the reason says why.
    """

    class Status(models.TextChoices):
        CANDIDATE = "candidate"
        TAKEN = "taken"
        PASSED = "passed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="opportunities"
    )
    strategy = models.CharField(max_length=32)
    base = models.CharField(max_length=32)
    legs = models.JSONField(
        default=list, help_text="Every leg in the strategy's order: instrument, side and ratio."
    )
    details = models.JSONField(
        default=dict, blank=True, help_text="Cost in parts, capacity curve, scores; for the screen."
    )
    long_instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="+")
    short_instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="+")
    size_usd = money_field()
    capacity_usd = money_field(null=True, blank=True)
    spread_8h = rate_field(null=True, blank=True)
    cost = rate_field(
        null=True,
        blank=True,
        help_text="Four fees and four slippages, fraction of one leg's notional.",
    )
    net_return = rate_field(null=True, blank=True)
    net_apr = rate_field(null=True, blank=True)
    hold_hours = models.PositiveIntegerField()
    break_even_hours = rate_field(null=True, blank=True)
    break_even_settlements = models.PositiveIntegerField(null=True, blank=True)
    status = models.CharField(max_length=12, choices=Status.choices)
    reason_code = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    position = models.ForeignKey(
        Position, on_delete=models.PROTECT, null=True, blank=True, related_name="opportunities"
    )
    found_at = models.DateTimeField()
    seen_at = models.DateTimeField(help_text="Last scan that confirmed it.")

    objects = OpportunityQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-seen_at"]
        verbose_name_plural = "opportunities"
        indexes: ClassVar = [
            models.Index(fields=["user", "-seen_at"]),
            models.Index(fields=["seen_at"], name="opportunity_age"),
        ]

    def __str__(self) -> str:
        return f"{self.base} L {self.long_instrument} S {self.short_instrument} {self.status}"
