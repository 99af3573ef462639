"""Look at every open position again and again: its care, then its owner's rules for the exit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from trading.core.liquidation import Danger
from trading.core.parameters import Parameters
from trading.core.sentence import seconds
from trading.core.states import EXPOSED_POSITION_STATES, PositionState
from trading.doorbell import ring_drive
from trading.events import announce_once
from trading.models import Event, Position
from trading.services import lasting, market
from trading.services.apart import apart
from trading.services.ask_for_addition import ask_for_addition
from trading.services.care import Subject, look_after
from trading.services.danger import reported
from trading.services.exit import request_exit
from trading.services.held_position import held_position, stale_facts
from trading.services.position_money import money_of
from trading.services.seen import Seen
from trading.services.silence import past_silent
from trading.services.switch_sides import wish_to_switch
from trading.services.venues import REAL, Venues
from trading.strategies.base import ExitReason
from trading.strategies.exits import money_exit
from trading.strategies.registry import STRATEGIES

# A loss at one touch of the books may be gone with the next: it must last.
STOP_LOSS, BLIND = ExitReason.STOP_LOSS.value, "exit_rules_blind"
BLIND_FOR = timedelta(seconds=60)
WATCHED_STATES = EXPOSED_POSITION_STATES - {PositionState.ENTERING}
WATCHED = Q(state__in=WATCHED_STATES) | Q(
    state=PositionState.ENTERING, entry_timestamp__isnull=False
)
SAY_AGAIN = timedelta(minutes=10)


def watch_positions(*, venues: Venues = REAL, clock: Callable[[], datetime] = timezone.now) -> int:
    """Look after each position and ask for what its rules want; return how many were asked."""
    exposed = Position.objects.filter(WATCHED).order_by("created_at")
    venues = past_silent(venues, now=clock())
    return sum(
        _watch_apart(position, venues, clock()) for position in exposed.select_related("user")
    )


def _watch_apart(position: Position, venues: Venues, now: datetime) -> bool:
    asked = apart(
        lambda: _watch(position, venues, now), "position not watched", position=position.pk
    )
    if asked is None:
        announce_once(
            user_id=position.user_id,
            kind="position.unwatched",
            severity=Event.Severity.CRITICAL,
            sentence=f"{position.base}: its rules and its margin cannot be watched, because of an "
            "error that the log tells; close it by hand if that stays so",
            position=position,
            within=SAY_AGAIN,
            now=now,
        )
    return bool(asked)


def _watch(position: Position, venues: Venues, now: datetime) -> bool:
    legs = list(
        position.legs.select_related(
            "instrument__exchange", "instrument__risk_tiers", "account__exchange", "position"
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
    asked = asked or ask_for_addition(subject)
    if asked:
        ring_drive(position.pk)
    return asked


def _check_exits(subject: Subject) -> bool:
    position, now = subject.position, subject.now
    seen = Seen(subject.board, market.depths_of([leg.instrument for leg in subject.legs]))
    held = held_position(position, subject.legs, seen, now)
    if held is None:
        _tell_if_blind(subject)
        # The limits in money need prices only: a funding rate nobody tells must not stop them.
        most = subject.parameters.max_book_age
        money = money_of(position, subject.legs, subject.board, now=now, max_age=most)
        if money is None:
            return False
        signal = money_exit(money, subject.parameters)
    else:
        lasting.has_ended(position, BLIND)
        rules = STRATEGIES[position.strategy]
        signal = rules.exit_signal(held, parameters=subject.parameters, now=now)
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
        if asked and signal.switches and held is not None and held.opposite is not None:
            wish = wish_to_switch(held.opposite, subject.legs)
            Position.objects.filter(pk=position.pk).update(switch_to=wish)
    return asked


def _tell_if_blind(subject: Subject) -> None:
    """Warn of exit rules that nobody could judge for a minute, and of the fact that is missing."""
    if not lasting.has_lasted(subject.position, BLIND, least=BLIND_FOR, now=subject.now):
        return
    why = stale_facts(subject.legs, subject.board, subject.parameters, subject.now)
    sentence = f"its exit rules have not been judged for {seconds(BLIND_FOR)}: {why}"
    subject.say("rules", Danger.WARNING, sentence)
