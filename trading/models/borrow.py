"""What borrowing costs: a spot leg that was sold without being held owes coins and interest."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from exchanges.decimals import money_field, price_field, quantity_field, rate_field
from exchanges.models import ExchangeAccount
from trading.models.append_only import AppendOnlyModel, AppendOnlyQuerySet
from trading.models.position import Leg, Position


class BorrowInterest(AppendOnlyModel):
    """One charge as the venue booked it, `amount` > 0 paid in `asset`; append-only.

    `price` is what one `asset` was worth in quote currency then; `amount_usd` is what that makes.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    position = models.ForeignKey(Position, on_delete=models.PROTECT, related_name="interest")
    leg = models.ForeignKey(Leg, on_delete=models.PROTECT, related_name="interest")
    account = models.ForeignKey(ExchangeAccount, on_delete=models.PROTECT, related_name="interest")
    venue_interest_id = models.CharField(max_length=96)
    amount = money_field()
    asset = models.CharField(max_length=16)
    borrowed = quantity_field(null=True, blank=True, help_text="What it was charged on.")
    hourly_rate = rate_field(null=True, blank=True)
    price = price_field()
    amount_usd = money_field()
    charged_at = models.DateTimeField()
    booked_at = models.DateTimeField()

    objects = AppendOnlyQuerySet["BorrowInterest"].as_manager()

    class Meta:
        ordering: ClassVar = ["charged_at"]
        verbose_name_plural = "borrow interest"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "venue_interest_id"], name="interest_once"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.asset} at {self.charged_at:%Y-%m-%d %H:%M}"
