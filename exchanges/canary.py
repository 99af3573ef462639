"""Ties a database to the key file its credentials were sealed with."""

from __future__ import annotations

from django.db import connection

from exchanges.models import KeyCanary
from exchanges.sealing import (
    KeyFileRefused,
    SealBroken,
    check_key_file,
    key_fingerprint,
    seal,
)

OWNER = "carry"
PURPOSE = "canary"


def has_canary() -> bool:
    """Return whether this database was already tied to a key."""
    if KeyCanary._meta.db_table not in connection.introspection.table_names():
        return False
    return KeyCanary.objects.exists()


def check_canary() -> None:
    """Raise KeyFileRefused unless the key file is usable and is the one of this database."""
    check_key_file()
    if not has_canary():
        return
    canary = KeyCanary.objects.get()
    try:
        if canary.sealed_canary is not None:
            canary.sealed_canary.reveal(owner_id=OWNER, purpose=PURPOSE)
    except SealBroken:
        raise KeyFileRefused(
            f"The key file belongs to another database: this one was sealed with key "
            f"{canary.fingerprint}, the file holds {key_fingerprint()}. Put the right file back; "
            "nothing was changed."
        ) from None


def plant_canary() -> None:
    """Tie this database to the key in use, once."""
    KeyCanary.objects.get_or_create(
        id=1,
        defaults={
            "fingerprint": key_fingerprint(),
            "sealed_canary": seal({}, owner_id=OWNER, purpose=PURPOSE),
        },
    )
