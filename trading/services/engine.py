"""Start and pause a user's automation; exits and risk rules run in any state."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from arbsite.accounts.models import User
from trading.events import announce
from trading.models import Engine


def engine_for(user: User) -> Engine:
    """Return the user's engine row, made paused at first use."""
    engine, _ = Engine.objects.get_or_create(
        user=user,
        defaults={
            "state": Engine.State.PAUSED,
            "changed_by": "system",
            "changed_at": timezone.now(),
        },
    )
    return engine


def resume(*, user: User, actor: str, now: datetime) -> Engine:
    """Let the scheduler open positions again."""
    return _set(user, Engine.State.RUNNING, actor, now)


def pause(*, user: User, actor: str, now: datetime) -> Engine:
    """Stop the scheduler from opening positions; those that are open are cared for as before."""
    return _set(user, Engine.State.PAUSED, actor, now)


def _set(user: User, state: Engine.State, actor: str, now: datetime) -> Engine:
    engine = engine_for(user)
    with transaction.atomic():
        changed = (
            Engine.objects.filter(user=user)
            .exclude(state=state)
            .update(state=state, changed_by=actor, changed_at=now)
        )
        if changed:
            announce(user_id=user.pk, kind="engine", sentence=f"Engine {state} by {actor}", now=now)
    engine.refresh_from_db()
    return engine
