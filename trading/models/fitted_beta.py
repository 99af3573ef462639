"""What part of its average the carry of a pair has kept, fitted to the pair's own history."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from exchanges.decimals import rate_field
from exchanges.models import Instrument


class FittedBeta(models.Model):
    """The part of the average settled spread that the next `days` kept; written by `refit_betas`.

    It is the same whichever side is long. Without `other` nothing but the perpetual settles, as
    against spot. A fit replaces the one before; the audit log keeps both.
    """

    id = models.BigAutoField(primary_key=True)
    perpetual = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="+")
    other = models.ForeignKey(
        Instrument, on_delete=models.CASCADE, related_name="+", null=True, blank=True
    )
    half_life = models.DurationField(help_text="Of the average.")
    days = models.PositiveSmallIntegerField()
    beta = rate_field(help_text="0 … 1.")
    windows = models.PositiveIntegerField(help_text="Of the past that it was fitted to.")
    settlements = models.PositiveIntegerField(
        null=True, help_text="That these windows lie in; unknown of fits older than this column."
    )
    fitted_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["perpetual", "other", "days"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["perpetual", "other", "half_life", "days"], name="beta_of_pair_once"
            ),
            models.UniqueConstraint(
                fields=["perpetual", "half_life", "days"],
                condition=Q(other=None),
                name="beta_of_one_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.beta} over {self.days} days"
