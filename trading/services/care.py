"""Care of an open position: liquidation distance, the price gap, the ADL queue, expiring legs.

`docs/DOMAIN.md` sections 5 and 6. What is decided is in `core.care`; here facts are collected and
remedies asked for. Nothing is done on a stale fact, and before a remedy the venue is read anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from exchanges.board import Board
from exchanges.domain import Instrument
from trading.core.care import (
    Remedy,
    adl_danger,
    adverse_steps,
    expiry_sentence,
    gap_move,
    halt_sentence,
    halved,
    remedies,
)
from trading.core.exposure import smallest_size
from trading.core.liquidation import Danger
from trading.core.notices import leaving_sentence
from trading.core.parameters import Parameters
from trading.core.sentence import percent
from trading.core.states import Goal, PositionState
from trading.events import announce_once
from trading.models import Event, Leg, Position
from trading.services import lasting, margin
from trading.services.danger import Judged, Reported, is_known, judge, top_up_of
from trading.services.equity import read_accounts
from trading.services.exit import request_exit
from trading.services.gap_prices import entry_prices, exit_prices
from trading.services.holdings import leg_exposure
from trading.services.last_resort import close_alone
from trading.services.notices import announced_at
from trading.services.reduction import request_reduction
from trading.services.venues import Venues

SAY_AGAIN = timedelta(minutes=10)
GAP, BLIND = "adverse_gap", "position_unread"
ASK_AFTER = timedelta(seconds=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A position with what care needs to know of it now."""

    position: Position
    legs: Sequence[Leg]
    reported: Reported
    board: Board
    parameters: Parameters
    venues: Venues
    now: datetime

    @property
    def may_act(self) -> bool:
        """At rest and meant to stay: otherwise something else is at work on it already."""
        position = self.position
        at_rest = position.state == PositionState.OPEN and position.goal == Goal.HEDGED
        return at_rest and position.reduce_to is None

    @property
    def is_leaving(self) -> bool:
        """Being closed, leg by leg: the one thing care may still ask for is to go on alone."""
        return self.position.state == PositionState.EXITING and not self.position.force_one_sided

    @property
    def instruments(self) -> list[Instrument]:
        return [leg.instrument.snapshot() for leg in self.legs]

    def half(self, price: Decimal) -> Decimal | None:
        """Return what is left of the position when it is halved, None when it cannot be."""
        held = smallest_size([leg_exposure(leg) for leg in self.legs])
        shares = [(leg.instrument.snapshot(), leg.ratio) for leg in self.legs]
        return halved(held, shares, price)

    def say(self, kind: str, danger: Danger, sentence: str) -> None:
        """Tell of a danger, again while it lasts, but not at every look."""
        severe = danger is Danger.CRITICAL
        announce_once(
            user_id=self.position.user_id,
            kind=f"care.{kind}.{danger}",
            severity=Event.Severity.CRITICAL if severe else Event.Severity.WARNING,
            sentence=f"{self.position.base}: {sentence}",
            position=self.position,
            within=SAY_AGAIN,
            now=self.now,
        )


def look_after(subject: Subject) -> bool:
    """Warn of what is wrong and ask for the first remedy needed; tell whether one was asked for."""
    _watch_queue(subject)
    is_settled = margin.look_up(subject.position, venues=subject.venues, now=subject.now)
    if not is_settled and not subject.is_leaving:
        return False
    return (
        _watch_expiry(subject)
        or _watch_calendar(subject)
        or _watch_liquidation(subject)
        or _watch_gap(subject)
    )


def _watch_queue(subject: Subject) -> None:
    for leg in subject.legs:
        row = subject.reported.get(leg.pk)
        danger = adl_danger(row.adl_rank if row is not None else None)
        if row is not None and danger is not Danger.NONE:
            venue = leg.instrument.exchange.name
            sentence = (
                f"the {leg.side.lower()} leg stands at {row.adl_rank} of 5 in the queue of "
                f"auto-deleveraging at {venue}: it may be cut there at any moment"
            )
            subject.say("adl", danger, sentence)


def _watch_expiry(subject: Subject) -> bool:
    if stopped := halt_sentence(subject.instruments):
        subject.say("halted", Danger.CRITICAL, stopped)
    soon = expiry_sentence(subject.instruments, subject.now, subject.parameters.expiry_lead)
    return bool(soon) and subject.may_act and _close(subject, "expiry", soon)


def _watch_calendar(subject: Subject) -> bool:
    """Leave before what is announced, while both venues trade."""
    if not subject.may_act:
        return False
    soon = leaving_sentence(
        [(leg.venue, leg.symbol) for leg in subject.instruments],
        announced_at(subject.now),
        now=subject.now,
        lead=subject.parameters.notice_lead,
    )
    return bool(soon) and _close(subject, "announced", soon)


def _ask_what_nobody_read(subject: Subject) -> None:
    """Read accounts of which nothing was heard for a while: the minutely reading may be dead."""
    old = [
        leg
        for leg in subject.legs
        if not is_known(leg, subject.reported.get(leg.pk), now=subject.now)
    ]
    if not old:
        lasting.has_ended(subject.position, BLIND)
        return
    if not lasting.has_lasted(subject.position, BLIND, least=ASK_AFTER, now=subject.now):
        return
    lasting.has_ended(subject.position, BLIND)
    accounts = list({leg.account_id: leg.account for leg in old}.values())
    if read_accounts(accounts, venues=subject.venues, now=subject.now) < len(accounts):
        names = " and ".join(sorted(account.exchange.name for account in accounts))
        sentence = f"{names} cannot be asked how near the position is to its liquidation"
        subject.say("blind", Danger.WARNING, sentence)


def _watch_liquidation(subject: Subject) -> bool:
    _ask_what_nobody_read(subject)
    for leg in subject.legs:
        judged = judge(
            leg,
            subject.reported.get(leg.pk),
            subject.board,
            venues=subject.venues,
            may_ask=subject.may_act or subject.is_leaving,
            now=subject.now,
        )
        if judged is None or judged.danger is Danger.NONE:
            continue
        subject.say("liquidation", judged.danger, judged.sentence)
        if judged.danger is not Danger.CRITICAL or not judged.is_fresh:
            continue
        if subject.may_act:
            return _help(subject, leg, judged)
        if subject.is_leaving and _close_alone(subject, leg, judged):
            return True
    return False


def _close_alone(subject: Subject, leg: Leg, judged: Judged) -> bool:
    return close_alone(
        subject.position,
        leg,
        subject.legs,
        cause=judged.sentence,
        venues=subject.venues,
        now=subject.now,
    )


def _help(subject: Subject, leg: Leg, judged: Judged) -> bool:
    """Ask for margin, else for a smaller position, else for its end."""
    amount = top_up_of(leg, judged, subject.parameters, now=subject.now)
    half = subject.half(judged.risk.mark_price)
    match remedies(can_top_up=amount is not None, can_halve=half is not None):
        case Remedy.TOP_UP if amount is not None:
            before = judged.risk.isolated_margin or Decimal(0)
            return margin.top_up(
                leg, amount=amount, margin_before=before, venues=subject.venues, now=subject.now
            )
        case Remedy.REDUCE if half is not None:
            return request_reduction(
                subject.position,
                to=half,
                cause=judged.sentence,
                severity=Event.Severity.CRITICAL,
                now=subject.now,
            )
    return _close(subject, "liquidation_near", judged.sentence)


def _watch_gap(subject: Subject) -> bool:
    """Halve a position once for each step that the gap moved against it, at prices one can get."""
    step, position = subject.parameters.basis_reduce_at, subject.position
    if step is None or not subject.may_act:
        return False
    most = subject.parameters.max_book_age
    entered = entry_prices(subject.legs)
    leaving = exit_prices(subject.legs, subject.board, now=subject.now, max_age=most)
    if entered is None or leaving is None:
        return False
    move = gap_move(entered.gap, leaving.gap)
    steps = adverse_steps(move, step)
    if steps <= position.basis_steps:
        lasting.has_ended(position, GAP)
        return False
    least = subject.parameters.exit_must_last
    if not lasting.has_lasted(position, GAP, least=least, now=subject.now):
        return False
    sentence = (
        f"the price gap moved {percent(move, 2)} against it since the entry, beyond "
        f"{percent(step * steps, 2)}"
    )
    half = subject.half(leaving.long)
    if half is None:
        subject.say("gap", Danger.WARNING, f"{sentence}; it is too small to be halved")
        return False
    return request_reduction(position, to=half, cause=sentence, basis_steps=steps, now=subject.now)


def _close(subject: Subject, reason: str, sentence: str) -> bool:
    return request_exit(
        position=subject.position,
        reason=reason,
        sentence=sentence,
        actor="rules",
        now=subject.now,
        board=subject.board,
    )
