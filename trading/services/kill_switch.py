"""The kill switch: a durable epoch that every licence asks for, then the closing of everything.

Pressing needs the database and nothing else; the closing is driven by whoever is alive.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from arbsite.accounts.models import User
from trading.core.states import LIVE_POSITION_STATES, Goal
from trading.events import announce
from trading.models import Event, KillSwitch, Position
from trading.services.exit import request_exit

REASON = "kill"


def press(
    *, user: User | None, actor: str, reason: str, closes_positions: bool, now: datetime
) -> KillSwitch:
    """Press the switch of one user, or of everyone with `user` None, and ask for every exit.

    Pressing twice is one press; the second may add the closing of positions. From the commit on no
    opening or hedging order of the scope is licensed.
    """
    with transaction.atomic():
        pressed = KillSwitch.objects.filter(user=user, rearmed_at=None).first()
        if pressed is None:
            pressed = KillSwitch.objects.create(
                user=user,
                closes_positions=closes_positions,
                pressed_at=now,
                pressed_by=actor,
                reason=reason[:300],
            )
            _tell(user, f"Kill switch pressed by {actor}: {reason}", now)
        elif closes_positions and not pressed.closes_positions:
            KillSwitch.objects.filter(pk=pressed.pk).update(closes_positions=True)
            pressed.closes_positions = True
    if pressed.closes_positions:
        ask_for_exits(pressed, now=now)
    return pressed


def ask_for_exits(pressed: KillSwitch, *, now: datetime) -> list[UUID]:
    """Set the goal FLAT for every live position of the scope and return their ids."""
    asked = []
    for position in _positions(pressed.user_id):
        sentence = f"kill switch: {pressed.reason}"
        if request_exit(
            position=position, reason=REASON, sentence=sentence, actor=pressed.pressed_by, now=now
        ):
            asked.append(position.pk)
    return asked


def rearm(*, user: User | None, actor: str, now: datetime) -> bool:
    """End a press; only an authenticated person may, and the caller has asked for the password."""
    with transaction.atomic():
        ended = KillSwitch.objects.filter(user=user, rearmed_at=None).update(
            rearmed_at=now, rearmed_by=actor
        )
        if ended:
            _tell(user, f"Kill switch re-armed by {actor}: entries are possible again", now)
    return bool(ended)


def active_for(user: User) -> KillSwitch | None:
    """Return the pressed switch that binds this user, the global one first."""
    pressed = KillSwitch.objects.filter(Q(user=None) | Q(user=user), rearmed_at=None)
    return pressed.order_by("user", "epoch").first()


def _positions(user_id: UUID | None) -> QuerySet[Position]:
    live = Position.objects.filter(state__in=LIVE_POSITION_STATES, goal=Goal.HEDGED)
    return live if user_id is None else live.filter(user_id=user_id)


def _tell(user: User | None, sentence: str, now: datetime) -> None:
    users = [user] if user is not None else list(User.objects.filter(is_active=True))
    for each in users:
        announce(
            user_id=each.pk,
            kind="kill_switch",
            severity=Event.Severity.CRITICAL,
            sentence=sentence,
            now=now,
        )
