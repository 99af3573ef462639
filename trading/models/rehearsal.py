"""What was rehearsed before money is real."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models


class RehearsedHour(models.Model):
    """An hour in which a user's engine ran in rehearsal with one configuration."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="rehearsed_hours"
    )
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of the configuration.")
    hour_at = models.DateTimeField(help_text="The full hour at which it began.")

    class Meta:
        ordering: ClassVar = ["-hour_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "fingerprint", "hour_at"], name="rehearsed_hour_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.hour_at:%Y-%m-%d %H:00} {self.fingerprint[:8]}"
