"""The same key and body get the same answer: what was asked once is carried out once.

A key is claimed before anything is done. Whoever comes second waits for nobody: it is told that the
first is under way, or gets its answer. A claim whose process died is taken over after a while;
every command here is one that may safely be asked twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from arbsite.accounts.models import User
from trading.core.refusal import Refusal
from trading.models import IdempotencyKey

# No command takes longer; a claim this old was left behind by a process that died.
ABANDONED_AFTER = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a command answered, now or the first time."""

    status: int
    body: Any
    is_replay: bool = False


def once(
    *, user: User, key: str, request: str, act: Callable[[], tuple[int, Any]], now: datetime
) -> Outcome | Refusal:
    """Carry `act` out under a user's key, or return what it answered the first time.

    `request` is everything that was asked, as one text. Refused are another request under the same
    key, and one that is under way. What raises is forgotten, so that it may be asked again.
    """
    name, digest = stored_name("api", key), _digest(request)
    claim = _claim(user, name, digest, now)
    if claim is None:
        return _earlier(user, name, digest, now)
    with ExitStack() as undo:
        undo.callback(IdempotencyKey.objects.filter(pk=claim.pk).delete)
        status, body = act()
        undo.pop_all()
    IdempotencyKey.objects.filter(pk=claim.pk).update(answer={"status": status, "body": body})
    return Outcome(status=status, body=body)


def _claim(user: User, name: str, digest: str, now: datetime) -> IdempotencyKey | None:
    own = IdempotencyKey.objects.filter(
        user=user, key=name, request_hash=digest, answer__isnull=True
    )
    if own.filter(created_at__lte=now - ABANDONED_AFTER).update(created_at=now):
        return own.get()
    try:
        with transaction.atomic():
            return IdempotencyKey.objects.create(
                user=user, key=name, request_hash=digest, created_at=now
            )
    except IntegrityError:
        return None


def _earlier(user: User, name: str, digest: str, now: datetime) -> Outcome | Refusal:
    stored = IdempotencyKey.objects.filter(user=user, key=name).first()
    if stored is not None and stored.request_hash != digest:
        return Refusal(
            code="key_reused",
            sentence="This Idempotency-Key was sent with another request: take a new one.",
        )
    if stored is None or stored.answer is None:
        return Refusal(
            code="under_way", sentence="The same request is being carried out: ask again."
        )
    answer: dict[str, Any] = stored.answer
    return Outcome(status=answer["status"], body=answer["body"], is_replay=True)


def stored_name(kind: str, key: str) -> str:
    """Return how a key of any length is kept, apart from the keys of other kinds."""
    return f"{kind} {_digest(key)[:56]}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
