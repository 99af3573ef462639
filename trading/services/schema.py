"""Whether the tables of the database are those this build was written for.

While builds change, an old worker may meet a newer database, and a new one a migration that was
cut short. Neither may claim a position: what it reads or writes could be wrong.
"""

from __future__ import annotations

import time
from functools import cache

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

# A deploy is noticed within this; asking costs one small statement.
ASK_EVERY_SECONDS = 5.0

# When this process last asked, in its own seconds, and what it was told.
asked: dict[str, tuple[float, str]] = {}


def misfit() -> str:
    """Return why this build must not trade on this database, or nothing when they fit."""
    known = asked.get(connection.alias)
    if known is not None and time.monotonic() - known[0] < ASK_EVERY_SECONDS:
        return known[1]
    told = compare()
    asked[connection.alias] = (time.monotonic(), told)
    return told


def compare() -> str:
    """Compare the migrations of this build with those the database has, at once."""
    own = _migrations_of_this_build()
    apps = {app for app, _ in own}
    applied = {key for key in MigrationRecorder(connection).applied_migrations() if key[0] in apps}
    if missing := sorted(own - applied):
        return (
            f"the database lacks {len(missing)} migrations, {_name(missing[0])} first: migrate it"
        )
    if newer := sorted(applied - own):
        return f"the database is newer than this build: it has {_name(newer[-1])}, deploy anew"
    return ""


@cache
def _migrations_of_this_build() -> frozenset[tuple[str, str]]:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    replaced = {old for squashed in loader.disk_migrations.values() for old in squashed.replaces}
    return frozenset(loader.disk_migrations.keys() - replaced)


def _name(migration: tuple[str, str]) -> str:
    return ".".join(migration)
