"""Who changed what: append-only rows, each sealed with the digest of the one before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from arbsite.accounts.models import AuditEntry, AuditHead

START = "0" * 64


def record(
    *, actor: str, action: str, subject: str, details: Mapping[str, Any], now: datetime
) -> AuditEntry:
    """Write one entry; call it inside the transaction that makes it true."""
    # One row that everyone locks: two writers cannot both follow the same entry.
    head, _ = AuditHead.objects.select_for_update().get_or_create(
        pk=AuditHead.ONLY, defaults={"digest": START}
    )
    entry = AuditEntry(
        at=now,
        actor=actor,
        action=action,
        subject=subject,
        details=dict(details),
        previous=head.digest,
    )
    entry.digest = head.digest = digest_of(entry)
    entry.save(force_insert=True)
    head.save()
    return entry


def digest_of(entry: AuditEntry) -> str:
    """Return the SHA-256 over the entry and the digest before it."""
    sealed = [
        entry.previous,
        entry.at.isoformat(),
        entry.actor,
        entry.action,
        entry.subject,
        entry.details,
    ]
    return hashlib.sha256(json.dumps(sealed, sort_keys=True).encode()).hexdigest()


def broken_entries() -> Iterator[AuditEntry]:
    """Yield every entry that was changed, or that does not follow the one before it.

    Entries cut off at the end show in the head: its digest is then not that of the last one.
    """
    before = START
    for entry in AuditEntry.objects.order_by("pk").iterator():
        if entry.previous != before or entry.digest != digest_of(entry):
            yield entry
        before = entry.digest
