"""A user's configuration, one row per version; the newest is in force."""

from __future__ import annotations

from typing import ClassVar, Self

from django.conf import settings
from django.db import models


class ConfigurationVersionQuerySet(models.QuerySet["ConfigurationVersion"]):
    def for_user(self, user: models.Model) -> Self:
        return self.filter(user=user)


class ConfigurationVersion(models.Model):
    """All parameters of one user as validated together; rows are never changed."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="configurations"
    )
    version = models.PositiveIntegerField()
    values = models.JSONField(help_text="Field → value as `Parameters.to_values` writes it.")
    saved_by = models.CharField(max_length=150)
    saved_at = models.DateTimeField()

    objects = ConfigurationVersionQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-version"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "version"], name="configuration_version"),
        ]

    def __str__(self) -> str:
        return f"version {self.version} of {self.user}"
