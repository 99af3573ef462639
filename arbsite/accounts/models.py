"""The people who sign in."""

from __future__ import annotations

import uuid
import zoneinfo
from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models
from knox.models import AbstractAuthToken


def validate_time_zone(name: str) -> None:
    """Refuse a name that is no IANA time zone."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(f"{name!r} is not a time zone; use a name such as Europe/Berlin.")


class User(AbstractUser):  # type: ignore[django-manager-missing]  # of its tokens
    """One person with a login; owns accounts at venues, positions and configuration."""

    class Theme(models.TextChoices):
        SYSTEM = "system", "As the device"
        DARK = "dark", "Dark"
        LIGHT = "light", "Light"

    class ProfitColours(models.TextChoices):
        GREEN_RED = "green_red", "Green gains, red losses"
        RED_GREEN = "red_green", "Red gains, green losses"
        BLUE_ORANGE = "blue_orange", "Blue gains, orange losses"
        NEUTRAL = "neutral", "No colour, signs only"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    theme = models.CharField(max_length=8, choices=Theme, default=Theme.SYSTEM)
    profit_colours = models.CharField(
        max_length=12, choices=ProfitColours, default=ProfitColours.GREEN_RED
    )


class AuditEntry(models.Model):
    """One change a person made, as `arbsite.accounts.audit` sealed it; never changed."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    actor = models.CharField(max_length=150)
    action = models.CharField(max_length=60)
    subject = models.CharField(max_length=150)
    details = models.JSONField(default=dict)
    previous = models.CharField(max_length=64, unique=True, help_text="Digest of the entry before.")
    digest = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.action} by {self.actor}"


class AuditHead(models.Model):
    """The digest of the newest entry: the one row that writers of entries lock."""

    ONLY = 1
    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY)
    digest = models.CharField(max_length=64)

    def __str__(self) -> str:
        return self.digest


class ApiToken(AbstractAuthToken):  # type: ignore[misc]  # the package has no types
    """One key to the REST interface and its socket: its digest only, a scope, an end.

    A scope includes those before it. `name` is what its user calls it.
    """

    class Scope(models.TextChoices):
        READ = "read", "Read everything of mine"
        TRADE = "trade", "Read; open, close, pause, stop"
        ADMIN = "admin", "Trade; configure, re-arm, decide differences"

    id = models.UUIDField(default=uuid.uuid4, editable=False, unique=True)
    name = models.CharField(max_length=60)
    scope = models.CharField(max_length=8, choices=Scope, default=Scope.READ)

    objects: ClassVar[models.Manager[ApiToken]] = models.Manager()

    class Meta:
        ordering: ClassVar = ["-created"]

    def __str__(self) -> str:
        return f"{self.name} ({self.scope})"

    def may(self, wanted: str) -> bool:
        """Tell whether the scope includes `wanted`."""
        return self.Scope.values.index(self.scope) >= self.Scope.values.index(wanted)
