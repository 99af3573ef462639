"""Look at every open position again and again: its care, then its owner's rules for the exit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from trading.core.parameters import Parameters
from trading.core.states import EXPOSED_POSITION_STATES, PositionState
from trading.doorbell import ring_drive
from trading.models import Position
from trading.services import lasting, market
from trading.services.care import Subject, look_after
from trading.services.danger import reported
from trading.services.exit import request_exit
from trading.services.held_position import held_position
from trading.services.switch_sides import wish_to_switch
from trading.services.venues import REAL, Venues
from trading.strategies.base import ExitReason
from trading.strategies.registry import STRATEGIES

# A loss at one touch of the books may be gone with the next: it must last.
STOP_LOSS = ExitReason.STOP_LOSS.value
WATCHED_STATES = EXPOSED_POSITION_STATES - {PositionState.ENTERING}


def watch_positions(*, venues: Venues = REAL, clock: Callable[[], datetime] = timezone.now) -> int:
    """Look after each position and ask for what its rules want; return how many were asked."""
    exposed = Position.objects.filter(state__in=WATCHED_STATES).order_by("created_at")
    return sum(_watch(position, venues, clock()) for position in exposed.select_related("user"))


def _watch(position: Position, venues: Venues, now: datetime) -> bool:
    legs = list(
        position.legs.select_related(
            "instrument__exchange", "account__exchange", "position"
        ).prefetch_related("trades")
    )
    subject = Subject(
        position=position,
        legs=legs,
        reported=reported(legs),
        board=market.board_of([leg.instrument for leg in legs]),
        parameters=Parameters.from_stored(position.parameters),
        venues=venues,
        now=now,
    )
    asked = look_after(subject) or (subject.may_act and _check_exits(subject))
    if asked:
        ring_drive(position.pk)
    return asked


def _check_exits(subject: Subject) -> bool:
    position, now = subject.position, subject.now
    held = held_position(position, subject.legs, subject.board, now)
    if held is None:
        return False
    signal = STRATEGIES[position.strategy].exit_signal(held, parameters=subject.parameters, now=now)
    if signal is None or signal.reason is not ExitReason.STOP_LOSS:
        lasting.has_ended(position, STOP_LOSS)
    elif not lasting.has_lasted(
        position, STOP_LOSS, least=subject.parameters.exit_must_last, now=now
    ):
        return False
    if signal is None:
        return False
    with transaction.atomic():
        asked = request_exit(
            position=position,
            reason=signal.reason,
            sentence=signal.sentence,
            actor="rules",
            now=now,
            board=subject.board,
        )
        if asked and signal.switches and held.opposite is not None:
            wish = wish_to_switch(held.opposite, subject.legs)
            Position.objects.filter(pk=position.pk).update(switch_to=wish)
    return asked
