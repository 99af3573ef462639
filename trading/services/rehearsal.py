"""What was rehearsed of a configuration, which live trading asks for.

An hour counts in which the engine ran, every account in rehearsal, with exactly this configuration
as staff tightens it: whoever changes a field rehearses anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from arbsite.accounts import audit
from arbsite.accounts.models import User
from exchanges.models import ExchangeAccount
from exchanges.modes import Mode
from trading.core.parameters import Parameters
from trading.core.refusal import Refusal
from trading.models import Engine, RehearsedHour
from trading.services import configure
from trading.services.engine import EngineState, engine_for, engine_view


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Hours that were rehearsed with a configuration, and how many staff wants."""

    done: int
    wanted: int

    @property
    def refusal(self) -> Refusal | None:
        """Return why nothing is opened with real money; None once enough was rehearsed."""
        if self.done >= self.wanted:
            return None
        return Refusal(
            code="not_rehearsed",
            sentence=f"Live trading needs {self.wanted} hours of rehearsal with this very "
            f"configuration; {self.done} of them are done.",
        )


def is_live(accounts: Iterable[ExchangeAccount]) -> bool:
    """Tell whether any of the accounts holds real money."""
    return any(account.exchange.mode == Mode.LIVE for account in accounts)


def note_hour(user: User, accounts: Collection[ExchangeAccount], now: datetime) -> None:
    """Keep that the user's engine runs in rehearsal in this hour, if it does."""
    modes = {account.exchange.mode for account in accounts}
    if modes != {Mode.REHEARSAL} or engine_view(user, now).state is not EngineState.RUNNING:
        return
    RehearsedHour.objects.get_or_create(
        user=user,
        fingerprint=fingerprint(configure.current(user).parameters),
        hour_at=now.replace(minute=0, second=0, microsecond=0),
    )


def rehearsal_of(user: User, parameters: Parameters) -> Rehearsal:
    """Return what was rehearsed with these parameters."""
    done = RehearsedHour.objects.filter(user=user, fingerprint=fingerprint(parameters)).count()
    return Rehearsal(done=done, wanted=engine_for(user).rehearsal_hours)


def fingerprint(parameters: Parameters) -> str:
    """Return what two configurations have in common only if every field is the same."""
    values = json.dumps(parameters.to_values(), sort_keys=True)
    return hashlib.sha256(values.encode()).hexdigest()


def set_hours(engine: Engine, hours: int, *, actor: str, now: datetime) -> None:
    """Set how many hours staff wants rehearsed of a user; in force at once."""
    with transaction.atomic():
        Engine.objects.filter(pk=engine.pk).update(rehearsal_hours=hours)
        audit.record(
            actor=actor,
            action="rehearsal hours set",
            subject=engine.user.get_username(),
            details={"hours": hours},
            now=now,
        )
