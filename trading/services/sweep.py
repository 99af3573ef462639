"""Find and drive every position that no doorbell announced; independent of broker and beat."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from uuid import UUID

from django.db import close_old_connections, connections
from django.db.models import Q
from django.utils import timezone

from arbsite.accounts.models import User
from trading.core.states import (
    LIVE_POSITION_STATES,
    PENDING_ORDER_STATES,
    Goal,
    PositionState,
)
from trading.events import announce
from trading.models import Event, KillSwitch, Position
from trading.services import engine, lease, schema
from trading.services.drive import LEASED, drive
from trading.services.exit import request_exit
from trading.services.kill_switch import ask_for_exits, of_scope
from trading.services.leftovers import tell_leftovers
from trading.services.resolve import release_resolved
from trading.services.unhedged import look_on
from trading.services.venues import REAL, Venues

logger = logging.getLogger(__name__)

EVERY_SECONDS = 2.0
LANES = 4
DISABLED = "user_disabled"
# Driven only when something has moved; what a person or care asks for shows in other columns.
RESTING_STATES = (PositionState.OPEN, PositionState.HELD)


def sweep(
    *, venues: Venues = REAL, clock: Callable[[], datetime] = timezone.now, lanes: int = 1
) -> int:
    """Drive every position with something left to do, closing ones first; return how many.

    With several `lanes` a venue that hangs keeps only one of them waiting.
    """
    for pressed in KillSwitch.objects.filter(rearmed_at=None, closes_positions=True):
        ask_for_exits(pressed, now=clock())
        tell_leftovers(pressed, now=clock())
    close_for_the_disabled(now=clock())
    lease.free_the_dead(now=clock())
    release_resolved(now=clock())
    due = positions_due()
    drive_all(due, venues=venues, clock=clock, lanes=lanes)
    return len(due)


def working_sweep() -> int:
    """Say that the engine is alive, then sweep: one round of a trade worker's thread.

    A build that does not fit the database neither sweeps nor calls itself alive.
    """
    if why := schema.misfit():
        logger.error("not sweeping: %s", why)
        return 0
    engine.beat(now=timezone.now())
    return sweep(lanes=LANES)


def close_for_the_disabled(*, now: datetime) -> list[UUID]:
    """Ask for the exit of what disabled users hold: managed to its end, never enlarged."""
    orphaned = Position.objects.filter(
        state__in=LIVE_POSITION_STATES, goal=Goal.HEDGED, user__is_active=False
    )
    return [
        position.pk
        for position in orphaned.select_related("user")
        if _close_for_the_disabled(position, now)
    ]


def _close_for_the_disabled(position: Position, now: datetime) -> bool:
    owner = position.user.get_username()
    asked = request_exit(
        position=position,
        reason=DISABLED,
        sentence=f"{owner} was disabled",
        actor="system",
        now=now,
    )
    if asked:
        for staff in User.objects.filter(is_staff=True, is_active=True):
            announce(
                user_id=staff.pk,
                kind="position.orphaned",
                severity=Event.Severity.CRITICAL,
                sentence=f"{owner} was disabled with {position.base} open "
                f"({position.size_usd:,.0f} USD a leg): it is being closed. See the admin.",
                now=now,
            )
    return asked


def drive_all(
    positions: Sequence[UUID],
    *,
    venues: Venues,
    clock: Callable[[], datetime],
    lanes: int,
) -> None:
    """Drive each position once; one that breaks is logged and keeps none of the others waiting."""
    if lanes == 1 or len(positions) < 2:
        for position_id in positions:
            _drive_apart(position_id, venues, clock)
        return

    def in_a_lane(position_id: UUID) -> None:
        try:
            _drive_apart(position_id, venues, clock)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(min(lanes, len(positions)), thread_name_prefix="lane") as pool:
        list(pool.map(in_a_lane, positions))


def _drive_apart(position_id: UUID, venues: Venues, clock: Callable[[], datetime]) -> None:
    try:
        stopped = drive(position_id, venues=venues, clock=clock)
        if stopped == LEASED:
            look_on(position_id, venues=venues, clock=clock)
    except Exception:
        # A boundary, as a task is: the other positions are driven whatever this one meets.
        logger.exception("position not driven", extra={"position": str(position_id)})


def positions_due(user_id: UUID | None = None) -> list[UUID]:
    """Return the positions that are not at rest, of one user or all: what shrinks comes first."""
    rests = Q(state__in=RESTING_STATES, goal=Goal.HEDGED)
    is_asked = Q(reduce_to__isnull=False) | Q(add_quantity__isnull=False)
    moving = Position.objects.live().filter(~rests | Q(is_asked, state=PositionState.OPEN))
    # An order that is not final keeps its position due, whatever the position's state says.
    unfinished = Position.objects.filter(orders__state__in=PENDING_ORDER_STATES)
    # A fill that no doorbell told of is to be followed, although all is at rest or has ended.
    unjudged = Position.objects.unjudged()
    # Each part has an index of its own: one condition for all would read every position ever.
    first, *others = (
        of_scope(part, user_id).order_by().values_list("created_at", "pk", "goal", "state")
        for part in (moving, unfinished, unjudged)
    )
    rows = sorted(first.union(*others), key=lambda row: (not _shrinks(*row[2:]), row[0]))
    return [pk for _, pk, _, _ in rows]


def _shrinks(goal: str, state: str) -> bool:
    return goal == Goal.FLAT or state in (PositionState.EXITING, PositionState.UNWINDING)


def run_every(
    work: Callable[[], object], seconds: float, stop: threading.Event, *, name: str
) -> threading.Thread:
    """Call `work` again and again on a thread of its own until `stop` is set.

    Whatever a round meets, a database that is away or our own bug, ends that round only.
    """

    def rounds() -> None:
        while not stop.wait(seconds):
            try:
                close_old_connections()
                work()
            except Exception:
                # A boundary, as a task is: without this thread nobody would drive anything.
                logger.exception("round failed", extra={"thread": name})
        connections.close_all()

    thread = threading.Thread(target=rounds, name=name, daemon=True)
    thread.start()
    return thread
