"""What a person may tell the engine: the one way for pages, REST and the command line.

Each command is one call of a service, its doorbell, and a hint to the person's open pages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from arbsite.accounts.models import User
from exchanges.models import ExchangeAccount
from trading.broadcast import broadcast_user
from trading.core.refusal import Refusal
from trading.doorbell import ring_drive, ring_poll, ring_scan
from trading.forms import Entry
from trading.models import Discrepancy, KillSwitch, Position
from trading.services import engine, kill_switch, resolve
from trading.services.daily_stop import lift_daily_stop
from trading.services.exit import request_exit
from trading.services.flatten import carry_out
from trading.services.plan_entry import Refused, plan_entry
from trading.services.quote import EntryQuote, quote_entry
from trading.services.release import force_one_sided
from trading.services.release import release as release_held
from trading.services.reviews import ask_for_review

MANUAL = "manual"
BROKER_AWAY = "The message broker does not answer; the engine does it by itself within seconds."
# Beyond a tenth of the figure that was shown a person decides anew.
MOVED_BY = Decimal("0.1")

Resolution = Discrepancy.Resolution


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A pressed switch; `is_ours` when workers cannot be told or are gone and we carry it out."""

    switch: KillSwitch
    is_ours: bool


def quote(*, user: User, entry: Entry, now: datetime) -> EntryQuote:
    """Return the figures of an entry at this moment; nothing is reserved and nothing is sent."""
    return quote_entry(
        user=user,
        strategy=entry.strategy,
        base=entry.base,
        legs=entry.legs,
        size_usd=entry.size_usd,
        now=now,
    )


def open_position(
    *, user: User, entry: Entry, actor: str, key: str | None, now: datetime
) -> Position | Refused:
    """Plan an entry by hand and have it driven; every reason why not otherwise."""
    outcome = plan_entry(
        user=user,
        strategy=entry.strategy,
        base=entry.base,
        legs=entry.legs,
        size_usd=entry.size_usd,
        opened_by=actor,
        is_manual=True,
        idempotency_key=key,
        now=now,
    )
    if isinstance(outcome, Position):
        _drive(outcome)
    return outcome


def has_moved(seen: Decimal, now: Decimal | None) -> bool:
    """Tell whether a figure differs by more than a tenth of what was seen, or got lost."""
    return now is None or abs(now - seen) > abs(seen) * MOVED_BY


def close(position: Position, *, actor: str, now: datetime) -> str:
    """Ask for the end of a position, once; return a sentence of what becomes of it."""
    asked = request_exit(
        position=position,
        reason=MANUAL,
        sentence=f"closed by hand by {actor}",
        actor=actor,
        now=now,
    )
    if asked:
        _drive(position)
        return f"Closing {position.base}."
    word = "is being closed already" if position.is_live else f"is {position.state} already"
    return f"{position.base} {word}."


def release(position: Position, *, actor: str, now: datetime) -> Refusal | None:
    """Let the plan act on a held position again; None when it is done."""
    refusal = release_held(position, actor=actor, now=now)
    if refusal is None:
        _drive(position)
    return refusal


def close_one_sided(position: Position, *, actor: str, now: datetime) -> str:
    """Let one leg be closed alone; return a sentence of what becomes of it."""
    if force_one_sided(position, actor=actor, now=now):
        _drive(position)
        return f"{position.base}: what can be reached is being closed."
    word = "is allowed already" if position.is_live else f"needs nothing, it is {position.state}"
    return f"{position.base}: closing one leg alone {word}."


def pause(user: User, *, actor: str, now: datetime) -> str:
    """Stop entries at once; `resume` is the undo."""
    engine.pause(user=user, actor=actor, now=now)
    broadcast_user(user.id, "engine")
    return "Paused: no new entries."


def resume(user: User, *, actor: str, now: datetime) -> str:
    """Let automation enter again."""
    engine.resume(user=user, actor=actor, now=now)
    broadcast_user(user.id, "engine")
    return "Running."


def lift_stop(user: User, *, actor: str, now: datetime) -> str:
    """Let automation enter again after the day's loss."""
    lifted = lift_daily_stop(user, actor=actor, now=now)
    broadcast_user(user.id, "engine")
    return "Daily stop lifted." if lifted else "No daily stop is in force."


def scan(user: User) -> str:
    """Have all markets scanned now; within an entry window it may enter before its moment."""
    return _rung(user, ring_scan, "Scanning.")


def read_venues(user: User) -> str:
    """Have every venue read by REST now."""
    return _rung(user, ring_poll, "Reading all venues.")


def press_kill(
    *, scope: User | None, by: User, actor: str, reason: str, closes_positions: bool, now: datetime
) -> Press:
    """Press the switch of one user, or of everyone with None, and have it carried out.

    By whoever is alive, this process if need be; only the database is needed.
    """
    pressed = kill_switch.press(
        user=scope, actor=actor, reason=reason, closes_positions=closes_positions, now=now
    )
    is_ours = carry_out(pressed, now=now)
    broadcast_user(by.id, "kill")
    return Press(switch=pressed, is_ours=is_ours)


def compare(account: ExchangeAccount, *, actor: str, now: datetime) -> str:
    """Have an account compared with its venue now, by the engine."""
    ask_for_review(account.pk, reason=f"asked for by {actor}", now=now)
    broadcast_user(account.user_id, "reconciliation")
    return f"{account} is compared with its venue within seconds."


def decide(row: Discrepancy, wanted: Resolution, *, actor: str, now: datetime) -> Refusal | None:
    """Do what a person decided about a difference; None when it is done."""
    match wanted:
        case Resolution.ADOPTED:
            refusal = resolve.adopt(row, actor=actor, now=now)
        case Resolution.CLOSED:
            refusal = resolve.close(row, actor=actor, now=now)
        case Resolution.WRITTEN_OFF:
            refusal = resolve.write_off(row, actor=actor, now=now)
        case _:
            refusal = resolve.ignore(row, actor=actor, now=now)
    if refusal is None:
        if row.position_id is not None:
            ring_drive(row.position_id)
        broadcast_user(row.user_id, "reconciliation")
    return refusal


def _drive(position: Position) -> None:
    ring_drive(position.id)
    broadcast_user(position.user_id, "positions")


def _rung(user: User, ring: Callable[[], bool], sentence: str) -> str:
    said = sentence if ring() else BROKER_AWAY
    broadcast_user(user.id, "engine")
    return said
