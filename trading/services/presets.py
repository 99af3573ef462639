"""Configurations under a name: the three everyone has, and a user's own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from arbsite.accounts.models import User
from trading.core.parameters import Parameters
from trading.core.presets import PRESETS
from trading.models import ConfigurationPreset

LONGEST_NAME = 40


class PresetRefused(ValueError):
    """The sentence says why a preset is not kept or not there."""


def preset_names(user: User) -> list[str]:
    """Return the names to choose from, everyone's first."""
    own = ConfigurationPreset.objects.for_user(user).values_list("name", flat=True)
    return [*PRESETS, *own]


def preset_values(user: User, name: str) -> Mapping[str, object]:
    """Return the outer values a preset sets. Raise PresetRefused for an unknown name."""
    if name in PRESETS:
        return PRESETS[name]
    row = ConfigurationPreset.objects.for_user(user).filter(name=name).first()
    if row is None:
        raise PresetRefused(f"You have no preset {name!r}.")
    return Parameters.from_stored(row.values).to_values()


def keep_preset(*, user: User, name: str, parameters: Parameters, now: datetime) -> None:
    """Keep checked parameters under a name; an own preset of that name is replaced."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME:
        raise PresetRefused(f"{name!r}: a name has 1 to {LONGEST_NAME} characters.")
    if name.lower() in (known.lower() for known in PRESETS):
        raise PresetRefused(f"{name!r} is a preset of everyone: choose another name.")
    ConfigurationPreset.objects.update_or_create(
        user=user, name=name, defaults={"values": parameters.to_values(), "saved_at": now}
    )


def drop_preset(*, user: User, name: str) -> None:
    """Forget an own preset. Raise PresetRefused where there is none."""
    dropped, _ = ConfigurationPreset.objects.for_user(user).filter(name=name).delete()
    if not dropped:
        raise PresetRefused(f"You have no preset {name!r}.")
