"""A day's loss that halts entries until the day ends or somebody lifts it."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from exchanges.decimals import rate_field
from exchanges.models import MODES
from exchanges.modes import Mode


class DailyStop(models.Model):
    """That a user's loss reached the daily stop; in force for its day while `lifted_at` is null.

    One mode's loss halts no other mode. Losses are parts of the day's capital, transfers aside.
    """

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="daily_stops"
    )
    mode = models.CharField(max_length=16, choices=MODES, default=Mode.REHEARSAL)
    day = models.DateField(help_text="In UTC.")
    reached_at = models.DateTimeField()
    lost = rate_field(help_text="When it was reached.")
    most = rate_field(help_text="What was configured then.")
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.CharField(max_length=150, blank=True)
    lifted_lost = rate_field(default=0, help_text="Accepted by whoever lifted it.")

    class Meta:
        ordering: ClassVar = ["-reached_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "mode", "day"],
                condition=Q(lifted_at=None),
                name="one_daily_stop_in_force",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.day}"
