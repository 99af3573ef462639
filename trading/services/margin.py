"""Add margin to one isolated leg from its account's own free balance.

An effect like an order: its row is written before the call, the call is made once, and an unknown
outcome is settled by a look at the leg's margin, never by asking again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django.db import IntegrityError, transaction

from exchanges.domain import Symbol
from exchanges.errors import CredentialRefused, RateLimited, SettingRefused
from trading.core.elapsed import elapsed
from trading.core.money import plain
from trading.events import announce
from trading.models import Event, Leg, MarginTopUp, Position
from trading.services.halt import openable
from trading.services.venues import READ_SECONDS, SEND_SECONDS, Venues

_O = MarginTopUp.Outcome
UNRESOLVED = (_O.ASKED, _O.UNKNOWN)
# A request that left with the venue's receive window of 5 s cannot act after this.
CANNOT_ACT_AFTER = timedelta(seconds=15)
REFUSED_LASTS = timedelta(minutes=10)


def top_up(
    leg: Leg, *, amount: Decimal, margin_before: Decimal, venues: Venues, now: datetime
) -> bool:
    """Ask once for `amount` more behind `leg`; False if an earlier request is not settled yet."""
    try:
        with transaction.atomic():
            asked = MarginTopUp.objects.create(
                leg=leg, amount=amount, margin_before=margin_before, asked_at=now
            )
    except IntegrityError:
        return False
    call = venues.trading(leg.account).add_margin(Symbol(leg.instrument.symbol), amount)
    (answer,) = venues.call_all([call], SEND_SECONDS)
    match answer:
        case None:
            _settle(asked, _O.DONE, now)
        case SettingRefused() | RateLimited() | CredentialRefused():
            _settle(asked, _O.REFUSED, now, refusal=answer.detail)
        case _:
            MarginTopUp.objects.filter(pk=asked.pk).update(outcome=_O.UNKNOWN)
    return True


def look_up(position: Position, *, venues: Venues, now: datetime) -> bool:
    """Look at the margin behind what is unknown; True when nothing is unknown any more.

    Margin that grew by most of the amount was added; unchanged after the request's lifetime it was
    not. Funding moves it by far less.
    """
    unknown = MarginTopUp.objects.filter(leg__position=position, outcome__in=UNRESOLVED)
    rows = unknown.select_related("leg__account__exchange", "leg__instrument__exchange")
    looked_up = [_look_up(asked, venues, now) for asked in rows]
    return all(looked_up)


def _look_up(asked: MarginTopUp, venues: Venues, now: datetime) -> bool:
    if not openable([asked.leg.account], venues=venues, now=now):
        return False
    account = venues.account(asked.leg.account)
    read = account.isolated_margin(Symbol(asked.leg.instrument.symbol))
    (held,) = venues.call_all([read], READ_SECONDS)
    if isinstance(held, BaseException):
        return False
    if held is not None and held - asked.margin_before >= asked.amount / 2:
        return _settle(asked, _O.DONE, now)
    if elapsed(asked.asked_at, now) < CANNOT_ACT_AFTER:
        return False
    return _settle(asked, _O.NOT_DONE, now)


def added(leg: Leg) -> Decimal:
    """Return what was added to the leg so far."""
    done = MarginTopUp.objects.filter(leg=leg, outcome=_O.DONE).values_list("amount", flat=True)
    return sum(done, Decimal(0))


def was_refused(leg: Leg, *, now: datetime) -> bool:
    """Tell whether the venue said no lately: then something else must help."""
    since = now - REFUSED_LASTS
    refused = MarginTopUp.objects.filter(leg=leg, outcome__in=(_O.REFUSED, _O.NOT_DONE))
    return refused.filter(asked_at__gt=since).exists()


def _settle(asked: MarginTopUp, outcome: str, now: datetime, *, refusal: str = "") -> bool:
    """Write the outcome once and tell of it."""
    leg = asked.leg
    words = {
        _O.DONE: "was added behind",
        _O.REFUSED: f"was not added ({refusal}) behind",
        _O.NOT_DONE: "did not arrive behind",
    }
    with transaction.atomic():
        settled = MarginTopUp.objects.filter(pk=asked.pk, outcome__in=UNRESOLVED).update(
            outcome=outcome, refusal=refusal[:300], resolved_at=now
        )
        if settled == 1:
            announce(
                user_id=leg.position.user_id,
                kind=f"care.margin.{outcome}",
                severity=Event.Severity.WARNING,
                sentence=f"{leg.position.base}: margin of {plain(asked.amount)} "
                f"{leg.instrument.settle} {words[_O(outcome)]} the {leg.side.lower()} leg at "
                f"{leg.instrument.exchange.name}",
                position=leg.position,
                now=now,
            )
    return True
