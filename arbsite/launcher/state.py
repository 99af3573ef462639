"""Prepares what Carry keeps, here and on servers: key, database, schedules, static files."""

from __future__ import annotations

import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from arbsite.launcher.errors import StartRefused
from arbsite.schedules import install_schedules
from exchanges.canary import check_canary, has_canary, plant_canary
from exchanges.sealing import KeyFileRefused, create_key_file

# Any number that nothing else locks in our database.
PREPARING = 0xCA_EE_11


def check_key(path: Path) -> None:
    """Create the key file of a new installation; refuse a missing, damaged or foreign one.

    Raise StartRefused before anything was changed.
    """
    try:
        if path.exists():
            check_canary()
        elif has_canary():
            raise StartRefused(
                f"The key file {path} is missing, and the database holds credentials sealed with "
                "it: restore it from your backup. Nothing was changed."
            )
        else:
            create_key_file(path)
    except KeyFileRefused as refusal:
        raise StartRefused(str(refusal)) from None


def prepare_database() -> None:
    """Apply missing migrations, tie the database to the key, install the schedules."""
    if connection.vendor == "postgresql":
        # Several machines may start a new build together; it ends with the connection.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [PREPARING])
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", interactive=False, verbosity=0)
    plant_canary()
    install_schedules()
    connection.close()


def refuse_unsafe() -> None:
    """Run the system checks. Raise StartRefused with what they say is wrong."""
    errors = [str(found.msg) for found in run_checks(databases=["default"]) if found.is_serious()]
    if errors:
        raise StartRefused("\n".join(errors))
    connection.close()


def collect_static() -> None:
    """Collect and compress static files, unless none changed since the last time."""
    stamp = Path(settings.STATIC_ROOT) / ".collected"
    fingerprint = _static_fingerprint()
    if not stamp.exists() or stamp.read_text() != fingerprint:
        call_command("collectstatic", interactive=False, clear=True, verbosity=0)
        stamp.write_text(fingerprint)


def _static_fingerprint() -> str:
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            facts = Path(storage.path(path)).stat()
            digest.update(f"{path} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()
