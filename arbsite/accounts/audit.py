"""Who changed what: append-only rows, each sealed with the digest of the one before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
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


def faults() -> list[str]:
    """Return a sentence for every entry that was changed, taken out, put in or cut off."""
    found, before = [], START
    for entry in AuditEntry.objects.order_by("pk").iterator():
        if entry.previous != before:
            found.append(f"Entry {entry.pk} does not follow the one before it.")
        if entry.digest != digest_of(entry):
            found.append(f"Entry {entry.pk} is not what was written.")
        before = entry.digest
    head = AuditHead.objects.filter(pk=AuditHead.ONLY).first()
    if (START if head is None else head.digest) != before:
        found.append("The newest entry is not the last that was written.")
    return found
