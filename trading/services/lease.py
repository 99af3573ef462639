"""Who may act on a position: a row in the database with an epoch that only grows."""

from __future__ import annotations

import os
import socket
import threading
import uuid
from datetime import datetime, timedelta
from zlib import crc32

from django.db.models import F, Q

from trading.core.states import Goal, PositionState
from trading.models import Position
from trading.models.position import PositionQuerySet

# A worker that stands still keeps others away this long, and no call of a venue takes half of it.
# Then an order that it may have sent is looked for for 10 s, and a leg is hedged within 30 s.
LEASE = timedelta(seconds=18)
# Written by a clock that was set back since: by any clock a lease is over after this.
BEYOND_ANY_LEASE = 2 * LEASE
_MACHINE = f"{crc32(socket.gethostname().encode()):08x}"
_PROCESS = uuid.uuid4().hex[:8]
# What threads of this process are driving right now; adding and discarding are atomic.
_driven: set[tuple[uuid.UUID, str]] = set()


class LeaseLost(Exception):
    """Another worker acts on the position now: nothing more may be written for it."""


def owner_name() -> str:
    """Return a name that no other thread of any process has."""
    return f"{_MACHINE}.{os.getpid()}.{_PROCESS}.{threading.get_ident()}"


def take(position_id: uuid.UUID, *, owner: str, now: datetime) -> Position | None:
    """Claim a position whose lease is free or over; None when somebody else acts on it.

    The epoch grows with each claim, and every write of the holder repeats it: whoever was paused
    beyond the lease changes nothing afterwards.
    """
    # Known as driven before the claim is seen, so that no other thread takes it for abandoned.
    _driven.add((position_id, owner))
    position = None
    try:
        position = _claim(position_id, owner, now)
    finally:
        if position is None:
            _driven.discard((position_id, owner))
    return position


def take_new(position: Position, *, owner: str, now: datetime) -> bool:
    """Claim a position that was just planned here; False once anybody else has touched it.

    What is in memory is then what the row says.
    """
    _driven.add((position.pk, owner))
    is_ours = False
    untouched = Position.objects.filter(
        pk=position.pk, state=PositionState.PLANNED, goal=Goal.HEDGED, lease_epoch=0
    )
    claim = {"lease_owner": owner, "lease_epoch": 1, "lease_expires_at": now + LEASE}
    try:
        is_ours = untouched.update(**claim) == 1
    finally:
        if not is_ours:
            _driven.discard((position.pk, owner))
    if is_ours:
        for name, value in claim.items():
            setattr(position, name, value)
    return is_ours


def _claim(position_id: uuid.UUID, owner: str, now: datetime) -> Position | None:
    free = (
        Q(lease_expires_at=None)
        | Q(lease_expires_at__lte=now)
        | Q(lease_expires_at__gt=now + BEYOND_ANY_LEASE)
        | Q(lease_owner=owner)
    )
    claimed = Position.objects.filter(free, pk=position_id).update(
        lease_owner=owner, lease_epoch=F("lease_epoch") + 1, lease_expires_at=now + LEASE
    )
    if claimed != 1:
        return None
    return Position.objects.select_related("user").get(pk=position_id)


def extend(position: Position, *, now: datetime) -> bool:
    """Prolong a lease that is still ours, once a third of it is over or the clock was set back."""
    expires_at = position.lease_expires_at
    if expires_at is not None and LEASE * 2 / 3 < expires_at - now <= LEASE:
        return True
    position.lease_expires_at = now + LEASE
    return _ours(position).update(lease_expires_at=position.lease_expires_at) == 1


def reread(position: Position) -> None:
    """Read a position anew. Raise LeaseLost, keeping our old claim, when it was taken over."""
    epoch, owner = position.lease_epoch, position.lease_owner
    position.refresh_from_db()
    if position.lease_epoch != epoch:
        position.lease_epoch, position.lease_owner = epoch, owner
        raise LeaseLost


def free_the_dead(*, now: datetime) -> int:
    """Free what processes and threads of this machine held when they ended; return how many.

    A thread whose database failed it could not give back what it had. What other machines held is
    free when its lease is over.
    """
    ours = Position.objects.filter(lease_owner__startswith=f"{_MACHINE}.", lease_expires_at__gt=now)
    dead = [held for held in ours if not _is_driven(held)]
    for held in dead:
        give_back(held)
    return len(dead)


def give_back(position: Position) -> None:
    """Free the position for the next doorbell; harmless if it was taken over meanwhile."""
    _driven.discard((position.pk, position.lease_owner))
    _ours(position).update(lease_expires_at=None)


def _is_driven(held: Position) -> bool:
    """Tell whether its holder lives: a thread of ours, or another process of this machine."""
    _, pid, process, _ = held.lease_owner.split(".")
    if int(pid) == os.getpid():
        # A container gives the same number to each process that it starts.
        return process == _PROCESS and (held.pk, held.lease_owner) in _driven
    return _is_running(int(pid))


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _ours(position: Position) -> PositionQuerySet:
    return Position.objects.filter(pk=position.pk, lease_epoch=position.lease_epoch)
