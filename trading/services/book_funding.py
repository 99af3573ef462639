"""Funding as the venues booked it: every payment once, on the leg that held at its settlement.

Nothing depends on having been there: each run reads on from the last payment booked, further back
where a settlement still waits for its payment, and page by page after any time away. A leg is read
until its venue has told all of its payments, also after its position has ended.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet

from exchanges.domain import FundingPayment, InstrumentKind, SettlementKind, Symbol
from exchanges.models import ExchangeAccount, Instrument, SettledFundingRate
from exchanges.selectors import settlement_slack
from trading.core.money import signed
from trading.core.settlements import STAMPED_WITHIN, holder_of, settlement_of
from trading.core.states import EXPOSED_POSITION_STATES
from trading.events import announce
from trading.models import Event, ExpectedFunding, FundingEvent, Leg
from trading.services.expected_funding import (
    GIVEN_UP_AFTER,
    MISSING_AFTER,
    changes_of,
    guard_of,
    match_expectations,
    write_expectations,
)
from trading.services.halt import openable
from trading.services.venues import Venues

logger = logging.getLogger(__name__)

# Pages of weeks away take longer than one question.
PAGES_SECONDS = 30.0
# What a venue may still add behind what it has told; the payment's id sorts out repeats.
OVERLAP = timedelta(hours=1)
READ_MARGIN = timedelta(seconds=30)
AFTER_END = timedelta(minutes=10)
MISSING_READ_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One question to one venue: an instrument of an account, for the legs that wait for it."""

    account: ExchangeAccount
    instrument: Instrument
    legs: Sequence[Leg]
    since: datetime


def book_funding(*, venues: Venues, now: datetime) -> int:
    """Read what legs may have been paid, book what is new, and hold it to what was expected.

    Return how many payments were booked. Where a venue does not answer nothing is called missing.
    """
    readings = _readings(_waiting(now), venues, now)
    for reading in readings:
        for leg in reading.legs:
            write_expectations(leg, now=now)
    answers = venues.call_all(
        [
            venues.account(reading.account).funding_payments(
                Symbol(reading.instrument.symbol), since=_since(reading, now)
            )
            for reading in readings
        ],
        PAGES_SECONDS,
    )
    booked = 0
    for reading, answer in zip(readings, answers, strict=True):
        if isinstance(answer, BaseException):
            extra = {"account": str(reading.account), "reason": str(answer) or "too slow"}
            logger.warning("funding payments not read", extra=extra)
            continue
        booked += _book_all(reading, answer, now)
        Leg.objects.filter(pk__in=[leg.pk for leg in reading.legs]).update(funding_read_at=now)
        for leg in reading.legs:
            match_expectations(leg, now=now)
    return booked


def _waiting(now: datetime) -> list[Leg]:
    """Return the legs that may still be paid: held, just ended, or short of a payment."""
    held = Q(position__state__in=EXPOSED_POSITION_STATES)
    untold = Q(funding_read_at=None) | Q(
        funding_read_at__lt=F("position__close_timestamp") + AFTER_END
    )
    short = Q(
        funding_read_at__lt=now - MISSING_READ_EVERY,
        expected_funding__event=None,
        expected_funding__created_at__gt=now - GIVEN_UP_AFTER,
        expected_funding__status__in=(
            ExpectedFunding.Status.PENDING,
            ExpectedFunding.Status.MISSING,
        ),
    )
    return list(_traded().filter(held | untold | short).order_by("account_id", "instrument_id"))


def _traded() -> QuerySet[Leg]:
    return (
        Leg.objects.filter(instrument__kind=InstrumentKind.PERPETUAL, trades__isnull=False)
        .distinct()
        .select_related("position", "instrument__exchange", "account__exchange")
        .prefetch_related("trades")
    )


def _readings(legs: Iterable[Leg], venues: Venues, now: datetime) -> list[Reading]:
    """Ask once per account and instrument: legs that followed each other share the answer."""
    rows = list(legs)
    usable = set(openable({leg.account for leg in rows}, venues=venues, now=now))
    return [
        Reading(
            account=group[0].account,
            instrument=group[0].instrument,
            legs=group,
            since=min(_since_of(leg, now) for leg in group),
        )
        for _, found in groupby(rows, key=lambda leg: (leg.account_id, leg.instrument_id))
        if (group := list(found))[0].account in usable
    ]


def _since_of(leg: Leg, now: datetime) -> datetime:
    """Return from when on the venue may have told something new of this leg."""
    began: datetime = min(trade.filled_at for trade in leg.trades.all()) - guard_of(leg)
    last = leg.funding_events.order_by("-paid_at").first()
    return began if last is None else max(began, last.paid_at - OVERLAP)


def _since(reading: Reading, now: datetime) -> datetime:
    """Read further back where a settlement has passed and its payment is not there yet."""
    oldest = (
        ExpectedFunding.objects.filter(
            leg__in=reading.legs, event=None, created_at__gt=now - GIVEN_UP_AFTER
        )
        .exclude(status=ExpectedFunding.Status.NOT_COUNTED)
        .order_by("settles_at")
        .first()
    )
    return reading.since if oldest is None else min(reading.since, oldest.settles_at - READ_MARGIN)


def _book_all(reading: Reading, payments: Sequence[FundingPayment], now: datetime) -> int:
    """Book each payment that is new on the leg that held when its settlement passed."""
    known = set(
        FundingEvent.objects.filter(
            account=reading.account,
            venue_payment_id__in=[payment.venue_payment_id for payment in payments],
        ).values_list("venue_payment_id", flat=True)
    )
    new = [payment for payment in payments if payment.venue_payment_id not in known]
    if not new:
        return 0
    legs = list(
        _traded()
        .filter(account=reading.account, instrument=reading.instrument)
        .order_by("-position__created_at")
    )
    holdings = [changes_of(leg) for leg in legs]
    guard = max(guard_of(leg) for leg in legs)
    booked = 0
    for payment in new:
        index = holder_of(_settled_at(reading.instrument, payment), holdings, guard=guard)
        if index is None:
            _report_foreign(reading, payment, now)
        else:
            booked += _book(legs[index], payment, now)
    return booked


def _settled_at(instrument: Instrument, payment: FundingPayment) -> datetime:
    """Return the settlement a payment is for; its own stamp where it accrues or none is near."""
    kind = SettlementKind(instrument.settlement)
    if kind is SettlementKind.ACCRUED:
        return payment.paid_at
    settled = SettledFundingRate.objects.filter(
        instrument=instrument,
        settled_at__gte=payment.paid_at - STAMPED_WITHIN,
        settled_at__lte=payment.paid_at + STAMPED_WITHIN,
    ).values_list("settled_at", flat=True)
    found = settlement_of(
        payment.paid_at,
        settled,
        kind=kind,
        slack=settlement_slack(instrument),
        interval_seconds=instrument.funding_interval_seconds,
    )
    return found or payment.paid_at


def _book(leg: Leg, payment: FundingPayment, now: datetime) -> int:
    try:
        with transaction.atomic():
            event = FundingEvent.objects.create(
                position=leg.position,
                leg=leg,
                account=leg.account,
                venue_payment_id=payment.venue_payment_id,
                funding_rate=payment.funding_rate,
                payment=payment.payment,
                asset=payment.asset,
                payment_usd=payment.payment,
                paid_at=payment.paid_at,
                booked_at=now,
            )
            announce(
                user_id=leg.position.user_id,
                kind="funding",
                sentence=f"Funding {signed(payment.payment, 4)} {payment.asset} on "
                f"{leg.position.base}, {leg.instrument.exchange.short_code}",
                position=leg.position,
                payload={"event": str(event.pk)},
                now=now,
            )
    except IntegrityError:
        return 0  # another worker booked the venue's payment id at the same time
    return 1


def _report_foreign(reading: Reading, payment: FundingPayment, now: datetime) -> None:
    """Tell once of a payment that no position explains; it stays in the bridge's unexplained."""
    # A fill that is not booked yet would explain it.
    if now - payment.paid_at < MISSING_AFTER:
        return
    user_id: UUID = reading.account.user_id
    told = Event.objects.filter(
        user_id=user_id,
        kind="funding.foreign",
        payload__venue_payment_id=payment.venue_payment_id,
    )
    if told.exists():
        return
    announce(
        user_id=user_id,
        kind="funding.foreign",
        severity=Event.Severity.WARNING,
        sentence=f"{reading.account}: {signed(payment.payment, 4)} {payment.asset} funding on "
        f"{reading.instrument.symbol}, stamped {payment.paid_at:%Y-%m-%d %H:%M:%S} UTC, belongs "
        "to no position of Carry: somebody else holds this contract on the account",
        payload={"venue_payment_id": payment.venue_payment_id},
        now=now,
    )
