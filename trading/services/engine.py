"""What state a user's engine is in: what a person said, and what the facts say.

A person runs and pauses it. That it is killed, in error or reconciling follows from rows that
others write. Exits and risk rules run in any state; entries in RUNNING only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from arbsite.accounts.models import User
from exchanges.models import ExchangeAccount
from trading.core.refusal import Refusal
from trading.events import announce
from trading.models import Engine, EnginePulse, KillSwitch, Reconciliation
from trading.services import kill_switch

# The sweep beats every 2 s; a round may wait for a venue that hangs, but not this long.
LATE = timedelta(seconds=30)
# A scan every two seconds that has not happened for half a minute is not coming.
SCAN_OVERDUE = timedelta(seconds=30)
SYSTEM = "system"


class EngineState(StrEnum):
    RUNNING = "Running"
    PAUSED = "Paused"
    KILLED = "Killed"
    ERROR = "Error"
    RECONCILING = "Reconciling"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineView:
    """The one state at an instant, since when, by whom, and a sentence for the trader.

    `bars_hand` tells whether it also bars entries by hand, `bars_nothing` that it only tells.
    """

    state: EngineState
    since: datetime | None
    by: str
    sentence: str
    bars_hand: bool = False
    bars_nothing: bool = False

    @property
    def refusal(self) -> Refusal | None:
        """Return why nothing is entered, None while entries are possible."""
        if self.bars_nothing:
            return None
        match self.state:
            case EngineState.RUNNING:
                return None
            case EngineState.PAUSED:
                words = "The engine is paused: resume it to enter."
            case EngineState.KILLED:
                words = f"The kill switch is pressed, by {self.by}: re-arm it first."
            case EngineState.ERROR:
                words = f"The engine is in error, {self.sentence}: nothing is entered meanwhile."
            case EngineState.RECONCILING:
                words = f"The engine is {self.sentence}: entries follow by themselves."
        return Refusal(code=str(self.state).lower(), sentence=words)


def engine_view(user: User, now: datetime) -> EngineView:
    """Return the state of a user's engine: a kill before errors, errors before what was said."""
    accounts, pulse = usable_accounts(user), EnginePulse.objects.first()
    return view_of(user, accounts, pulse, unreconciled(accounts, pulse), now)


def view_of(
    user: User,
    accounts: Sequence[ExchangeAccount],
    pulse: EnginePulse | None,
    waiting: Sequence[ExchangeAccount],
    now: datetime,
) -> EngineView:
    """Return the same from facts that were read; `waiting` are the unreconciled accounts."""
    own, pressed = engine_for(user), kill_switch.active_for(user)
    return state_of(own, pressed, accounts, pulse, waiting, now)


def state_of(
    own: Engine,
    pressed: KillSwitch | None,
    accounts: Sequence[ExchangeAccount],
    pulse: EnginePulse | None,
    waiting: Sequence[ExchangeAccount],
    now: datetime,
) -> EngineView:
    """Return the same with nothing left to be read."""
    return (
        _killed(pressed)
        or _error(accounts, pulse, own, now)
        or _reconciling(waiting, pulse)
        or _said(own)
    )


def active_accounts(user: User) -> list[ExchangeAccount]:
    """Return the user's active accounts, with the exchange and its health."""
    own = ExchangeAccount.objects.for_user(user).active()
    return list(own.select_related("exchange__health"))


def usable_accounts(user: User) -> list[ExchangeAccount]:
    """Return the user's active accounts at exchanges in use, with the exchange."""
    return [account for account in active_accounts(user) if account.exchange.is_enabled]


def unreconciled(
    accounts: Iterable[ExchangeAccount], pulse: EnginePulse | None
) -> list[ExchangeAccount]:
    """Return the accounts that were not compared with their venue since the engine came to life."""
    if pulse is None:
        return []
    open_ended = [account for account in accounts if not account.is_halted]
    compared = set(
        Reconciliation.objects.filter(
            account__in=open_ended, compared_at__gte=pulse.generation_at
        ).values_list("account_id", flat=True)
    )
    return [account for account in open_ended if account.pk not in compared]


def beat(*, now: datetime) -> None:
    """Say that a trade worker is alive; after a silence a new generation begins."""
    if EnginePulse.objects.filter(beat_at__gt=now - LATE).update(beat_at=now):
        return
    EnginePulse.objects.update_or_create(defaults={"generation_at": now, "beat_at": now}, pk=1)


def is_alive(*, now: datetime) -> bool:
    """Tell whether a trade worker has swept lately."""
    # A beat far ahead was written before the clock was set back: nobody may have beaten since.
    return EnginePulse.objects.filter(beat_at__gt=now - LATE, beat_at__lt=now + LATE).exists()


def note_reconciled(account_id: UUID, *, now: datetime) -> None:
    """Keep that an account was compared as a whole with its venue."""
    rows = Reconciliation.objects.filter(account_id=account_id)
    if not rows.update(compared_at=now):
        Reconciliation.objects.update_or_create(
            account_id=account_id, defaults={"compared_at": now}
        )


def engine_for(user: User) -> Engine:
    """Return the user's engine row, made paused at first use."""
    engine, _ = Engine.objects.get_or_create(
        user=user,
        defaults={
            "state": Engine.State.PAUSED,
            "changed_by": SYSTEM,
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


def _killed(pressed: KillSwitch | None) -> EngineView | None:
    if pressed is None:
        return None
    scope = "for everyone " if pressed.user_id is None else ""
    return EngineView(
        state=EngineState.KILLED,
        since=pressed.pressed_at,
        by=pressed.pressed_by,
        sentence=f"{scope}by {pressed.pressed_by}: {pressed.reason}",
        bars_hand=True,
    )


def _error(
    accounts: Sequence[ExchangeAccount], pulse: EnginePulse | None, own: Engine, now: datetime
) -> EngineView | None:
    if not accounts:
        return _in_error("no usable account at any venue", None)
    if pulse is not None and now - pulse.beat_at > LATE:
        sentence = f"no trade worker has swept since {pulse.beat_at:%H:%M:%S} UTC"
        return _in_error(sentence, pulse.beat_at, bars_hand=True)
    halts = [(account.halted_at, account) for account in accounts if account.halted_at is not None]
    if len(halts) == len(accounts):
        since, last = max(halts, key=lambda halt: halt[0])
        which = "all accounts are" if len(halts) > 1 else "the only account is"
        return _in_error(f"{which} halted, {last.exchange.name}: {last.halted_reason}", since)
    if own.last_scan_at is not None and now - own.last_scan_at > SCAN_OVERDUE:
        # Whoever asks to enter has just scanned: this one tells, it bars nothing.
        return EngineView(
            state=EngineState.ERROR,
            since=own.last_scan_at,
            by=SYSTEM,
            sentence=f"no scan since {own.last_scan_at:%H:%M:%S} UTC",
            bars_nothing=own.state == Engine.State.RUNNING,
        )
    return None


def _in_error(sentence: str, since: datetime | None, *, bars_hand: bool = False) -> EngineView:
    return EngineView(
        state=EngineState.ERROR, since=since, by=SYSTEM, sentence=sentence, bars_hand=bars_hand
    )


def _reconciling(
    accounts: Sequence[ExchangeAccount], pulse: EnginePulse | None
) -> EngineView | None:
    if not accounts or pulse is None:
        return None
    names = ", ".join(account.exchange.name for account in accounts)
    return EngineView(
        state=EngineState.RECONCILING,
        since=pulse.generation_at,
        by=SYSTEM,
        sentence=f"comparing {names} with our books since the start",
    )


def _said(own: Engine) -> EngineView:
    if own.state == Engine.State.PAUSED:
        return EngineView(
            state=EngineState.PAUSED,
            since=own.changed_at,
            by=own.changed_by,
            sentence=f"by {own.changed_by}, no entries",
        )
    return EngineView(
        state=EngineState.RUNNING, since=own.changed_at, by=own.changed_by, sentence=""
    )
