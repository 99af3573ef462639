"""The kill switch: a durable epoch that every licence asks for, then the closing of everything.

Pressing needs the database and nothing else; the closing is driven by whoever is alive. Each person
has a press of their own, so that nobody ends one that was made after what they have seen.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet

from arbsite.accounts.models import User
from trading.core.states import LIVE_POSITION_STATES, Goal, PositionState
from trading.events import announce
from trading.models import Event, KillSwitch, Leg, Position
from trading.services import market
from trading.services.exit import request_exit

REASON = "kill"
# Within this time after a press everything is flat, or a person hears of each leftover.
FLAT_WITHIN = timedelta(seconds=60)


def press(
    *, user: User | None, actor: str, reason: str, closes_positions: bool, now: datetime
) -> KillSwitch:
    """Press the switch of one user, or of everyone with `user` None, and ask for every exit.

    Pressing twice is one press; the second may add the closing of positions. From the commit on no
    opening or hedging order of the scope is licensed.
    """
    with transaction.atomic():
        pressed = KillSwitch.objects.filter(user=user, pressed_by=actor, rearmed_at=None).first()
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
    """Set the goal FLAT for every live position of the scope and return their ids.

    What was held before the press is asked once more: pressing is a person's word. What is held
    after it stays held, and is told of as a leftover.
    """
    live = Position.objects.filter(state__in=LIVE_POSITION_STATES)
    unasked = Q(goal=Goal.HEDGED) | Q(
        state=PositionState.HELD, exit_requested_at__lt=pressed.pressed_at
    )
    positions = list(of_scope(live, pressed.user_id).filter(unasked))
    if not positions:
        return []
    legs = Leg.objects.filter(position__in=positions).select_related("instrument__exchange")
    board = market.board_of([leg.instrument for leg in legs])
    return [
        position.pk
        for position in positions
        if request_exit(
            position=position,
            reason=REASON,
            sentence=f"kill switch: {pressed.reason}",
            actor=pressed.pressed_by,
            now=now,
            board=board,
        )
    ]


def rearm(
    *, user: User | None, actor: str, now: datetime, through_epoch: int | None = None
) -> bool:
    """End the presses of a scope; the caller has asked for the password.

    With `through_epoch` only those up to the one the person has seen: a later press stays, and
    then False is returned as well.
    """
    with transaction.atomic():
        pressed = KillSwitch.objects.filter(user=user, rearmed_at=None)
        seen = pressed if through_epoch is None else pressed.filter(epoch__lte=through_epoch)
        ended = seen.update(rearmed_at=now, rearmed_by=actor)
        later = pressed.first()
        if ended and later is None:
            _tell(user, f"Kill switch re-armed by {actor}: entries are possible again", now)
    return bool(ended) and later is None


def active_for(user: User) -> KillSwitch | None:
    """Return the pressed switch that binds this user: the global one, then the first to close."""
    return active_presses(user).first()


def active_presses(user: User) -> QuerySet[KillSwitch]:
    """Return all pressed switches that bind this user, the widest first, then the oldest."""
    pressed = KillSwitch.objects.filter(Q(user=None) | Q(user=user), rearmed_at=None)
    return pressed.order_by(F("user").asc(nulls_first=True), "-closes_positions", "epoch")


def pressed_in_scope(user: User | None) -> KillSwitch | None:
    """Return the newest press of exactly this scope, None when it is armed."""
    return KillSwitch.objects.filter(user=user, rearmed_at=None).order_by("-epoch").first()


def closes_in_scope(user: User | None) -> bool:
    """Tell whether a press of exactly this scope also closes positions."""
    return KillSwitch.objects.filter(user=user, rearmed_at=None, closes_positions=True).exists()


def of_scope(positions: QuerySet[Position], user_id: UUID | None) -> QuerySet[Position]:
    """Return the positions of one user, or all of them with None."""
    return positions if user_id is None else positions.filter(user_id=user_id)


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
