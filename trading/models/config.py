"""A user's configuration, one row per version; the newest is in force."""

from __future__ import annotations

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from trading.models.append_only import AppendOnlyModel, AppendOnlyQuerySet


class ConfigurationVersionQuerySet(AppendOnlyQuerySet["ConfigurationVersion"]):
    def for_user(self, user: models.Model) -> Self:
        return self.filter(user=user)


class ConfigurationVersion(AppendOnlyModel):
    """All parameters of one user as validated together; rows are never changed."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="configurations"
    )
    version = models.PositiveIntegerField()
    values = models.JSONField(help_text="Field → value as `Parameters.to_values` writes it.")
    note = models.CharField(max_length=200, blank=True, help_text="Where the values came from.")
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


class ConfigurationPresetQuerySet(models.QuerySet["ConfigurationPreset"]):
    def for_user(self, user: models.Model) -> Self:
        return self.filter(user=user)


class ConfigurationPreset(models.Model):
    """Values a user keeps under a name, to load them into the form later."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="configuration_presets"
    )
    name = models.CharField(max_length=40)
    values = models.JSONField(help_text="Field → value as `Parameters.to_values` writes it.")
    saved_at = models.DateTimeField()

    objects = ConfigurationPresetQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "name"], name="configuration_preset_name"),
        ]

    def __str__(self) -> str:
        return self.name


class StaffLimit(models.Model):
    """The range of one field that staff leaves to a user, or to everyone when none is named."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="staff_limits",
        null=True,
        blank=True,
    )
    field = models.CharField(max_length=60)
    least = models.DecimalField(max_digits=24, decimal_places=10, null=True, blank=True)
    most = models.DecimalField(max_digits=24, decimal_places=10, null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["field"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "field"], name="staff_limit_of_user"),
            models.UniqueConstraint(
                fields=["field"], condition=Q(user=None), name="staff_limit_of_all"
            ),
            models.CheckConstraint(
                condition=Q(least__isnull=False) | Q(most__isnull=False), name="staff_limit_bounds"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.field} of {self.user or 'everyone'}"
