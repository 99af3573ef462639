"""Find and drive every position that no doorbell announced; independent of broker and beat."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from trading.core.states import (
    LIVE_POSITION_STATES,
    PENDING_ORDER_STATES,
    Goal,
    PositionState,
)
from trading.models import KillSwitch, Order, Position
from trading.services import lease
from trading.services.drive import drive
from trading.services.kill_switch import ask_for_exits
from trading.services.venues import REAL, Venues

logger = logging.getLogger(__name__)

EVERY_SECONDS = 2.0


def sweep(*, venues: Venues = REAL, clock: Callable[[], datetime] = timezone.now) -> int:
    """Drive every position with something left to do, closing ones first; return how many."""
    for pressed in KillSwitch.objects.filter(rearmed_at=None, closes_positions=True):
        ask_for_exits(pressed, now=clock())
    lease.free_the_dead(now=clock())
    due = positions_due()
    for position_id in due:
        drive(position_id, venues=venues, clock=clock)
    return len(due)


def positions_due() -> list[UUID]:
    """Return the positions that are not at rest: what shrinks first, then what grows."""
    live = Position.objects.filter(state__in=LIVE_POSITION_STATES)
    resting = live.filter(
        state__in=(PositionState.OPEN, PositionState.HELD), goal=Goal.HEDGED
    ).exclude(state=PositionState.OPEN, reduce_to__isnull=False)
    # An order that is not final keeps its position due, whatever the position's state says.
    unfinished = Order.objects.filter(state__in=PENDING_ORDER_STATES).values("position")
    due = live.exclude(pk__in=resting.values("pk")) | Position.objects.filter(pk__in=unfinished)
    rows = due.distinct().order_by("created_at").values_list("pk", "goal", "state")
    return [pk for pk, _, _ in sorted(rows, key=lambda row: not _shrinks(row[1], row[2]))]


def _shrinks(goal: str, state: str) -> bool:
    return goal == Goal.FLAT or state in (PositionState.EXITING, PositionState.UNWINDING)


def run_every(
    work: Callable[[], object], seconds: float, stop: threading.Event, *, name: str
) -> threading.Thread:
    """Call `work` again and again on a thread of its own until `stop` is set.

    A database that is away ends one round, not the thread.
    """

    def rounds() -> None:
        while not stop.wait(seconds):
            try:
                close_old_connections()
                work()
            except DatabaseError:
                logger.exception("round failed", extra={"thread": name})

    thread = threading.Thread(target=rounds, name=name, daemon=True)
    thread.start()
    return thread
