"""The people who sign in."""

from __future__ import annotations

import uuid
import zoneinfo

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models


def validate_time_zone(name: str) -> None:
    """Refuse a name that is no IANA time zone."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(f"{name!r} is not a time zone; use a name such as Europe/Berlin.")


class User(AbstractUser):
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
