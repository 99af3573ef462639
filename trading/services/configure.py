"""Read and save a user's configuration: whole, validated, versioned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from arbsite.accounts.models import User
from trading.core.parameters import Parameters
from trading.events import announce
from trading.models import ConfigurationVersion


class VersionConflict(Exception):
    """Somebody saved in between. `current` is what is in force now."""

    def __init__(self, current: CurrentConfiguration) -> None:
        super().__init__(
            f"version {current.version} was saved in the meantime: compare and save again"
        )
        self.current = current


@dataclass(frozen=True, slots=True)
class CurrentConfiguration:
    """The parameters in force; version 0 are the defaults of someone who never saved."""

    parameters: Parameters
    version: int


def current(user: User) -> CurrentConfiguration:
    """Return the newest version; read afresh each time, so that every process obeys it at once."""
    newest = ConfigurationVersion.objects.filter(user=user).order_by("-version").first()
    if newest is None:
        return CurrentConfiguration(Parameters(), 0)
    return CurrentConfiguration(Parameters.from_stored(newest.values), newest.version)


def save(
    *, user: User, values: Mapping[str, object], expected_version: int, actor: str, now: datetime
) -> ConfigurationVersion:
    """Save `values` over the version that was edited, as the next one.

    Raise ParameterErrors with all errors at once, or VersionConflict; nothing is then written.
    """
    before = current(user)
    if before.version != expected_version:
        raise VersionConflict(before)
    parameters = Parameters.from_values({**before.parameters.to_values(), **values})
    changed = _changes(before.parameters, parameters)
    try:
        with transaction.atomic():
            saved = ConfigurationVersion.objects.create(
                user=user,
                version=before.version + 1,
                values=parameters.to_values(),
                saved_by=actor,
                saved_at=now,
            )
            announce(
                user_id=user.pk,
                kind="configuration.saved",
                sentence=f"Configuration {saved.version} saved by {actor}: {changed}",
                now=now,
            )
    except IntegrityError:
        raise VersionConflict(current(user)) from None
    return saved


def _changes(before: Parameters, after: Parameters) -> str:
    old, new = before.to_values(), after.to_values()
    parts = [
        f"{key} {_written(old[key])} → {_written(new[key])}" for key in new if new[key] != old[key]
    ]
    return ", ".join(parts) or "nothing changed"


def _written(value: str | bool | list[str]) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return " ".join(value) if isinstance(value, list) else value or "off"
