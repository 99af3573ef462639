"""What a paper account borrowed, what that cost, and the margin it moved behind positions."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from exchanges.decimals import money_field, price_field, quantity_field, rate_field
from exchanges.domain import Symbol
from exchanges.paper.rows import PaperAccount


class PaperLoan(models.Model):
    """A coin that a paper account sold without holding it; how much is its balance below 0.

    Charges after `charged_until` are not booked yet. Rate, None before any is known, and price are
    the last ones seen; it was sold on the market `symbol`. The row ends once all is paid back.
    """

    id = models.BigAutoField(primary_key=True)
    paper = models.ForeignKey(PaperAccount, on_delete=models.CASCADE, related_name="loans")
    asset = models.CharField(max_length=16)
    symbol = models.CharField(max_length=64)
    charged_until = models.DateTimeField()
    hourly_rate = rate_field(null=True)
    rated_at = models.DateTimeField()
    price = price_field()

    class Meta:
        ordering: ClassVar = ["asset"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["paper", "asset"], name="paper_loan_once"),
        ]

    def __str__(self) -> str:
        return f"loan of {self.asset}"

    @property
    def market(self) -> Symbol:
        return Symbol(self.symbol)


class PaperInterest(models.Model):
    """One hour's charge on a loan, > 0 paid in the coin itself."""

    id = models.BigAutoField(primary_key=True)
    paper = models.ForeignKey(PaperAccount, on_delete=models.CASCADE, related_name="interest")
    asset = models.CharField(max_length=16)
    charged_at = models.DateTimeField()
    borrowed = quantity_field()
    hourly_rate = rate_field()
    amount = money_field()

    class Meta:
        verbose_name_plural = "paper interest"
        ordering: ClassVar = ["charged_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["paper", "asset", "charged_at"], name="paper_interest_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount.normalize():f} {self.asset} at {self.charged_at:%Y-%m-%d %H:%M}"

    @property
    def venue_interest_id(self) -> str:
        return f"{self.asset}@{int(self.charged_at.timestamp())}"


class PaperTopUp(models.Model):
    """Margin that was moved from what is free behind one isolated contract."""

    id = models.BigAutoField(primary_key=True)
    paper = models.ForeignKey(PaperAccount, on_delete=models.CASCADE, related_name="top_ups")
    symbol = models.CharField(max_length=64)
    amount = money_field()
    asset = models.CharField(max_length=16)
    margin_after = money_field()
    added_at = models.DateTimeField()

    class Meta:
        verbose_name = "paper top-up"
        ordering: ClassVar = ["added_at"]

    def __str__(self) -> str:
        return f"{self.amount.normalize():f} {self.asset} behind {self.symbol}"
