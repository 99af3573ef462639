"""Read and save a user's configuration: whole, validated, versioned, audited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from arbsite.accounts import audit
from arbsite.accounts.models import User
from trading.core.parameter_changes import changes
from trading.core.parameters import ParameterErrors, Parameters
from trading.core.staff_range import beyond, tightened
from trading.core.unit_doubts import unit_doubts
from trading.events import announce
from trading.models import ConfigurationVersion
from trading.services.listed import refuse_unlisted
from trading.services.money_mode import mode_of
from trading.services.staff_limits import ranges_for

REVERTIBLE = 10
# In the sentence of a save; the audit has them all.
MOST_TOLD = 4


class VersionConflict(Exception):
    """Somebody saved in between. `current` is what is in force now."""

    def __init__(self, current: CurrentConfiguration) -> None:
        super().__init__(
            f"version {current.version} was saved in the meantime: compare and save again"
        )
        self.current = current


class UnitDoubts(Exception):
    """Values look a hundred times off. `questions`: one per outer key; each may be confirmed."""

    def __init__(self, questions: dict[str, str]) -> None:
        super().__init__(" ".join(questions.values()))
        self.questions = questions


class VersionUnknown(Exception):
    """Only the last versions can be returned to."""


@dataclass(frozen=True, slots=True)
class CurrentConfiguration:
    """The configuration of a user; version 0 are the defaults of someone who never saved.

    `parameters` are in force: `saved`, moved into what staff allows.
    """

    parameters: Parameters
    version: int
    saved: Parameters


def current(user: User) -> CurrentConfiguration:
    """Return the newest version; read afresh each time, so that every process obeys it at once."""
    newest = ConfigurationVersion.objects.for_user(user).first()
    saved = Parameters() if newest is None else Parameters.from_stored(newest.values)
    version = 0 if newest is None else newest.version
    return CurrentConfiguration(tightened(saved, ranges_for(user)), version, saved)


def check(
    *, user: User, before: Parameters, values: Mapping[str, object], confirmed: Mapping[str, str]
) -> Parameters:
    """Return what saving `values` over `before` would put in force.

    `confirmed` are unusual values somebody said yes to, by outer key.
    Raise ParameterErrors with all errors at once, then UnitDoubts.
    """
    after = Parameters.from_values({**before.to_values(), **values})
    errors = {**refuse_unlisted(before, after, mode_of(user)), **beyond(after, ranges_for(user))}
    if errors:
        raise ParameterErrors(errors)
    outer = after.to_values()
    doubts = {
        key: question
        for key, question in unit_doubts(before, after).items()
        if confirmed.get(key) != outer[key]
    }
    if doubts:
        raise UnitDoubts(doubts)
    return after


def save(
    *,
    user: User,
    values: Mapping[str, object],
    expected_version: int,
    actor: str,
    now: datetime,
    confirmed: Mapping[str, str] | None = None,
    note: str = "",
) -> ConfigurationVersion:
    """Save `values` over the version that was edited, as the next one.

    Raise VersionConflict, or what `check` raises; nothing is then written.
    """
    before = current(user)
    if before.version != expected_version:
        raise VersionConflict(before)
    after = check(user=user, before=before.saved, values=values, confirmed=confirmed or {})
    made = changes(before.saved, after)
    words = [change.sentence for change in made[:MOST_TOLD]] or ["nothing changed"]
    if len(made) > MOST_TOLD:
        words.append(f"and {len(made) - MOST_TOLD} more")
    try:
        with transaction.atomic():
            saved = ConfigurationVersion.objects.create(
                user=user,
                version=before.version + 1,
                values=after.to_values(),
                note=note,
                saved_by=actor,
                saved_at=now,
            )
            announce(
                user_id=user.pk,
                kind="configuration.saved",
                sentence=f"Configuration {saved.version} saved by {actor}: {', '.join(words)}",
                now=now,
            )
            audit.record(
                actor=actor,
                action="configuration saved",
                subject=f"version {saved.version} of {user.get_username()}",
                details={change.key: [change.old, change.new] for change in made},
                now=now,
            )
    except IntegrityError:
        raise VersionConflict(current(user)) from None
    return saved


def version_of(user: User, version: int) -> ConfigurationVersion:
    """Return one of the last ten versions. Raise VersionUnknown."""
    for row in ConfigurationVersion.objects.for_user(user)[:REVERTIBLE]:
        if row.version == version:
            return row
    raise VersionUnknown(f"Version {version} is not among the last {REVERTIBLE}.")


def revert(
    *, user: User, version: int, expected_version: int, actor: str, now: datetime
) -> ConfigurationVersion:
    """Save an earlier version again, as the next one. Raise as `version_of` and `save` do."""
    values = Parameters.from_stored(version_of(user, version).values).to_values()
    return save(
        user=user,
        values=values,
        expected_version=expected_version,
        actor=actor,
        now=now,
        # Whoever saved it then has answered for its unusual values.
        confirmed={key: str(value) for key, value in values.items()},
        note=f"as version {version}",
    )
