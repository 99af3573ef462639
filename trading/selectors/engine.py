"""The engine as screens show it: whose money, running or not, and who said so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from django_celery_beat.models import PeriodicTask

from arbsite.accounts.models import User
from exchanges.models import ExchangeAccount
from exchanges.modes import Mode
from trading.models import Engine, EnginePulse, KillSwitch, Order, Position
from trading.services import configure, engine, kill_switch
from trading.services.daily_stop import halted_by, in_force
from trading.services.engine import EngineState, EngineView
from trading.services.money_mode import mode_among

SCAN_TASK = "trading.tasks.scan"
GLYPHS = {
    EngineState.RUNNING: "",
    EngineState.PAUSED: "warn",
    EngineState.RECONCILING: "warn",
    EngineState.KILLED: "down",
    EngineState.ERROR: "down",
}


class Identity(StrEnum):
    """Whose money moves: rendered from the accounts in use, never from a page setting."""

    SIMULATION = "SIMULATION"
    PAPER = "PAPER"
    TESTNET = "TESTNET"
    LIVE = "LIVE"
    UNKNOWN = "MODE UNKNOWN"


IDENTITIES = {
    Mode.REHEARSAL: Identity.SIMULATION,
    Mode.PAPER: Identity.PAPER,
    Mode.TESTNET: Identity.TESTNET,
    Mode.LIVE: Identity.LIVE,
}
SHORT_MODES = {
    Identity.SIMULATION: "SIM",
    Identity.PAPER: "PAPER",
    Identity.TESTNET: "TEST",
    Identity.LIVE: "LIVE",
    Identity.UNKNOWN: "?",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStatus:
    """Everything the top bar and the engine panel say of one user's automation."""

    view: EngineView
    identity: Identity
    kill: KillSwitch | None
    is_paused: bool
    automatic: bool
    last_scan_at: datetime | None
    next_scan_at: datetime | None
    pending_orders: int
    open_positions: int
    max_positions: int
    daily_stop: str
    """Why automation halts today; empty while it does not."""
    hold_hours: Decimal
    min_net_return: Decimal

    @property
    def state(self) -> EngineState:
        return self.view.state

    @property
    def since(self) -> datetime | None:
        return self.view.since

    @property
    def by(self) -> str:
        return self.view.by

    @property
    def sentence(self) -> str:
        return self.view.sentence

    @property
    def in_error(self) -> bool:
        return self.state is EngineState.ERROR

    @property
    def glyph(self) -> str:
        return GLYPHS[self.state]

    @property
    def can_trade(self) -> bool:
        return self.identity is not Identity.UNKNOWN and not self.view.bars_hand

    @property
    def is_live(self) -> bool:
        return self.identity is Identity.LIVE

    @property
    def short_mode(self) -> str:
        return SHORT_MODES[self.identity]


def engine_status(user: User, accounts: Sequence[ExchangeAccount], now: datetime) -> EngineStatus:
    """Return the state of `user`'s engine at `now`; `accounts` are all that are active."""
    own, pressed = engine.engine_for(user), kill_switch.active_for(user)
    usable, pulse = (
        [row for row in accounts if row.exchange.is_enabled],
        EnginePulse.objects.first(),
    )
    waiting = engine.unreconciled(usable, pulse)
    parameters = configure.current(user).parameters
    live = Position.objects.for_user(user).live().count()
    return EngineStatus(
        view=engine.state_of(own, pressed, usable, pulse, waiting, now),
        identity=identity_of({account.exchange.mode for account in accounts}),
        kill=pressed,
        is_paused=own.state == Engine.State.PAUSED,
        automatic=parameters.auto_entry,
        last_scan_at=own.last_scan_at,
        next_scan_at=_next_scan(own),
        pending_orders=Order.objects.for_user(user).pending().count(),
        open_positions=live,
        max_positions=parameters.max_open_positions,
        daily_stop=_daily_stop(user, mode_among(user, accounts), now),
        hold_hours=Decimal(str(parameters.hold_horizon / timedelta(hours=1))),
        min_net_return=parameters.min_net_return,
    )


def last_beat() -> datetime | None:
    """Return when a trade worker has swept last, None when none ever has."""
    pulse = EnginePulse.objects.first()
    return None if pulse is None else pulse.beat_at


def _daily_stop(user: User, mode: Mode, now: datetime) -> str:
    stop = in_force(user, now, mode)
    return "" if stop is None else halted_by(stop)


def identity_of(modes: Iterable[str]) -> Identity:
    """Tell from the modes of accounts whose money moves; mixed or none is UNKNOWN."""
    found = set(modes)
    return IDENTITIES[Mode(found.pop())] if len(found) == 1 else Identity.UNKNOWN


def _next_scan(own: Engine) -> datetime | None:
    if own.last_scan_at is None:
        return None
    slot = PeriodicTask.objects.filter(task=SCAN_TASK, enabled=True).select_related("interval")
    every = slot.first()
    if every is None or every.interval is None:
        return None
    run_every: timedelta = every.interval.schedule.run_every
    return own.last_scan_at + run_every
