"""Drive what a kill has asked for to its end, in whatever process there is: no broker, no worker.

Leases keep it apart from trade workers that are alive. Prices are not needed: without a fresh book
closing orders go to the market.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import DatabaseError, connections, transaction
from django.utils import timezone

from trading.core.states import PositionState
from trading.doorbell import ring_drive
from trading.models import KillSwitch, Position
from trading.services import engine
from trading.services.kill_switch import FLAT_WITHIN
from trading.services.leftovers import Leftover, tell_now
from trading.services.sweep import LANES, drive_all, positions_due
from trading.services.venues import REAL, Venues

logger = logging.getLogger(__name__)

ROUND_SECONDS = 0.25
# Afterwards what is left is tried again, until somebody else does it.
RETRY_SECONDS = 10.0

_lock = threading.Lock()
_driving: set[int] = set()


def flatten(
    pressed: KillSwitch,
    *,
    within: timedelta = FLAT_WITHIN,
    venues: Venues = REAL,
    clock: Callable[[], datetime] = timezone.now,
    pause: Callable[[float], object] = time.sleep,
    lanes: int = LANES,
) -> list[Leftover]:
    """Drive every position of the press until nothing is left to do or `within` is over.

    What is left is told of, one CRITICAL each, and returned.
    """
    ends_at = clock() + within
    while (due := unsettled(pressed.user_id)) and clock() < ends_at:
        drive_all(due, venues=venues, clock=clock, lanes=lanes)
        pause(ROUND_SECONDS)
    if not pressed.closes_positions:
        return []
    return tell_now(pressed, now=clock())


def unsettled(user_id: UUID | None) -> list[UUID]:
    """Return the positions of the scope that driving may still change: those held wait for us."""
    due = positions_due(user_id)
    held = Position.objects.filter(pk__in=due, state=PositionState.HELD)
    waiting = {
        position.pk
        for position in held
        if position.exit_requested_at is None
        or (position.held_at is not None and position.held_at >= position.exit_requested_at)
    }
    return [position_id for position_id in due if position_id not in waiting]


def carry_out(pressed: KillSwitch, *, now: datetime) -> bool:
    """Have a press driven: by trade workers, or here when they cannot be told or are gone.

    Return whether this process does it.
    """
    # The first doorbell that is lost says enough; each of the others would wait as long.
    was_heard = all(ring_drive(position_id) for position_id in unsettled(pressed.user_id))
    if was_heard and engine.is_alive(now=now):
        return False
    transaction.on_commit(lambda: start_flattening(pressed))
    return True


def start_flattening(pressed: KillSwitch) -> bool:
    """Start driving a press on a thread of this process; False when that is under way already."""
    with _lock:
        if pressed.epoch in _driving:
            return False
        _driving.add(pressed.epoch)
    threading.Thread(target=_until_done, args=(pressed,), name="flatten", daemon=True).start()
    return True


def _until_done(pressed: KillSwitch) -> None:
    """Drive, tell, and go on while something is left, the press stands and no worker is alive."""
    try:
        while _flatten_again(pressed):
            time.sleep(RETRY_SECONDS)
    finally:
        with _lock:
            _driving.discard(pressed.epoch)
        connections.close_all()


def _flatten_again(pressed: KillSwitch) -> bool:
    """Make one attempt and tell whether another is ours to make; without a database it is."""
    try:
        return bool(flatten(pressed)) and _is_ours(pressed)
    except DatabaseError:
        logger.exception("flattening interrupted", extra={"epoch": pressed.epoch})
        connections.close_all()
        return True


def _is_ours(pressed: KillSwitch) -> bool:
    stands = KillSwitch.objects.filter(pk=pressed.pk, rearmed_at=None).exists()
    return stands and not engine.is_alive(now=timezone.now())
