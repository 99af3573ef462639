"""Drive what a kill has asked for to its end, in whatever process there is: no broker, no worker.

Leases keep it apart from trade workers that are alive. Prices are not needed: without a fresh book
closing orders go to the market.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import DatabaseError, connections, transaction
from django.utils import timezone

from trading.core.elapsed import elapsed
from trading.core.states import PositionState
from trading.doorbell import ring_drive
from trading.models import KillSwitch, Position
from trading.services import engine, lease
from trading.services.kill_switch import FLAT_WITHIN
from trading.services.leftovers import Leftover, leftovers, tell_now
from trading.services.sweep import LANES, drive_all, positions_due
from trading.services.venues import REAL, Venues

logger = logging.getLogger(__name__)

ROUND_SECONDS = 0.25
# Afterwards what is left is tried again, until somebody else does it.
RETRY_SECONDS = 10.0
# Meanwhile it is looked this often whether the workers that were told are alive.
WATCH_SECONDS = 2.0


@dataclass(slots=True)
class _Watch:
    """A press that a thread of this process sees through; `again` is set by another press."""

    is_ours: bool
    again: threading.Event = field(default_factory=threading.Event)


_lock = threading.Lock()
_watched: dict[int, _Watch] = {}


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
        # Nobody else may be left to free what the workers held when they ended.
        lease.free_the_dead(now=clock())
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

    Workers that beat a moment ago may have died since: whoever takes the press watches until it is
    carried out. Return whether this process begins at once.
    """
    # The first doorbell that is lost says enough; each of the others would wait as long.
    was_heard = all(ring_drive(position_id) for position_id in unsettled(pressed.user_id))
    is_ours = not (was_heard and engine.is_alive(now=now))
    transaction.on_commit(lambda: start_watching(pressed, is_ours=is_ours))
    return is_ours


def start_watching(pressed: KillSwitch, *, is_ours: bool) -> bool:
    """See a press through on a thread of this process; False when that is under way already.

    Then it looks anew at once: the second press may add the closing, and find the workers gone.
    """
    with _lock:
        known = _watched.get(pressed.epoch)
        if known is not None:
            known.is_ours |= is_ours
            known.again.set()
            return False
        watch = _watched[pressed.epoch] = _Watch(is_ours)
    arguments = (pressed.epoch, watch)
    threading.Thread(target=_until_done, args=arguments, name="flatten", daemon=True).start()
    return True


def _until_done(epoch: int, watch: _Watch) -> None:
    """Look again and again: whether the press stands, what is left of it, who is alive."""
    try:
        while True:
            with _lock:
                is_ours, watch.is_ours = watch.is_ours, False
                watch.again.clear()
            pause = _look(epoch, is_ours)
            with _lock:
                # Under the lock: a press that comes now either is seen here or starts a thread.
                if not pause and not watch.again.is_set():
                    del _watched[epoch]
                    return
            watch.again.wait(pause)
    finally:
        with _lock:
            if _watched.get(epoch) is watch:
                del _watched[epoch]
        connections.close_all()


def _look(epoch: int, is_ours: bool) -> float:
    """Flatten where it is ours or nobody is alive; return seconds to the next look, 0 at the end.

    Without a database nothing is known, and it goes on.
    """
    try:
        pressed = KillSwitch.objects.filter(epoch=epoch, rearmed_at=None).first()
        if pressed is None:
            return 0.0
        if is_ours or not engine.is_alive(now=timezone.now()):
            flatten(pressed)
            return RETRY_SECONDS if unsettled(pressed.user_id) else 0.0
        return WATCH_SECONDS if _is_unfinished(pressed, timezone.now()) else 0.0
    except DatabaseError:
        logger.exception("flattening interrupted", extra={"epoch": epoch})
        connections.close_all()
        return RETRY_SECONDS


def _is_unfinished(pressed: KillSwitch, now: datetime) -> bool:
    """Tell whether driving may change anything, or a leftover is still to be told by workers."""
    if unsettled(pressed.user_id):
        return True
    is_untold = pressed.closes_positions and elapsed(pressed.pressed_at, now) < FLAT_WITHIN
    return is_untold and bool(leftovers(pressed.user_id))
