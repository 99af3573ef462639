"""Funding as the venues booked it: every payment once, on the leg that held at its settlement.

Nothing depends on having been there: each run reads on from the last payment booked, further back
where a settlement still waits for its payment, and page by page after any time away.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import IntegrityError, transaction

from exchanges.domain import FundingPayment, SettlementKind
from exchanges.errors import UnexpectedPayload
from exchanges.models import ExchangeAccount, Instrument, SettledFundingRate
from exchanges.selectors import settlement_slack
from trading.core.money import signed
from trading.core.settlements import (
    STAMPED_WITHIN,
    holder_of,
    own_part,
    settlement_of,
)
from trading.events import announce, announce_once
from trading.models import Event, FundingEvent, Leg
from trading.services.expected_funding import (
    MISSING_AFTER,
    changes_of,
    guard_of,
    match_expectations,
    write_expectations,
)
from trading.services.funding_reads import Reading, paid_legs, readings_due
from trading.services.position_facts import foreign_quantity
from trading.services.venues import Venues

logger = logging.getLogger(__name__)

# Pages of weeks away take longer than one question.
PAGES_SECONDS = 30.0
TELL_AGAIN = timedelta(hours=6)


def book_funding(*, venues: Venues, now: datetime) -> int:
    """Read what legs may have been paid, book what is new, and hold it to what was expected.

    Return how many payments were booked. Where a venue does not answer nothing is called missing.
    """
    readings = readings_due(venues=venues, now=now)
    for reading in readings:
        for leg in reading.legs:
            write_expectations(leg, now=now)
    booked = 0
    for reading, answer in _answers(readings, venues):
        if isinstance(answer, BaseException):
            extra = {"account": str(reading.account), "reason": str(answer) or "too slow"}
            logger.warning("funding payments not read", extra=extra)
            if isinstance(answer, UnexpectedPayload):
                _tell_of_unread(reading, answer, now)
            continue
        for symbol, instrument in reading.instruments.items():
            of_one = [payment for payment in answer if payment.symbol == symbol]
            booked += _book_all(reading.account, instrument, of_one, now)
        Leg.objects.filter(pk__in=[leg.pk for leg in reading.legs]).update(funding_read_at=now)
        for leg in reading.legs:
            match_expectations(leg, now=now)
    return booked


def _answers(
    readings: Sequence[Reading], venues: Venues
) -> list[tuple[Reading, Sequence[FundingPayment] | BaseException]]:
    """Ask all at once; what a venue will not tell of several contracts it is asked of each.

    Some venues are asked contract by contract, and one that is refused must not hide the others.
    """
    answered = _ask(readings, venues)
    parts = [
        part
        for reading, answer in answered
        if isinstance(answer, UnexpectedPayload) and len(reading.instruments) > 1
        for part in reading.by_contract
    ]
    if not parts:
        return answered
    divided = {part.account for part in parts}
    whole = [(reading, answer) for reading, answer in answered if reading.account not in divided]
    return whole + _ask(parts, venues)


def _ask(
    readings: Sequence[Reading], venues: Venues
) -> list[tuple[Reading, Sequence[FundingPayment] | BaseException]]:
    answers = venues.call_all(
        [
            venues.account(reading.account).funding_payments(
                {each.venue_symbol: symbol for symbol, each in reading.instruments.items()},
                since=reading.since,
            )
            for reading in readings
        ],
        PAGES_SECONDS,
    )
    return list(zip(readings, answers, strict=True))


def _tell_of_unread(reading: Reading, why: UnexpectedPayload, now: datetime) -> None:
    """Tell of contracts whose payments cannot be read, again while it lasts."""
    venue, symbols = reading.account.exchange.name, " and ".join(sorted(reading.instruments))
    announce_once(
        user_id=reading.account.user_id,
        kind="funding.unread",
        severity=Event.Severity.WARNING,
        sentence=f"{venue} does not tell what {symbols} was paid: {why.detail}; it is asked again, "
        "and until then the payments are in no P&L",
        position=reading.legs[0].position,
        within=TELL_AGAIN,
        now=now,
    )


def _book_all(
    account: ExchangeAccount,
    instrument: Instrument,
    payments: Sequence[FundingPayment],
    now: datetime,
) -> int:
    """Book each payment that is new on the leg that held when its settlement passed."""
    known = set(
        FundingEvent.objects.filter(
            account=account,
            venue_payment_id__in=[payment.venue_payment_id for payment in payments],
        ).values_list("venue_payment_id", flat=True)
    )
    new = [payment for payment in payments if payment.venue_payment_id not in known]
    if not new:
        return 0
    legs = list(
        paid_legs().filter(account=account, instrument=instrument).order_by("-position__created_at")
    )
    holdings = [changes_of(leg) for leg in legs]
    guard = max(guard_of(leg) for leg in legs)
    accrues = instrument.settlement == SettlementKind.ACCRUED
    booked = 0
    for payment in new:
        settled_at = _settled_at(instrument, payment)
        holder = holder_of(settled_at, holdings, guard=guard, accrues=accrues)
        if holder is None:
            _report_foreign(account, payment, now)
            continue
        part = own_part(
            payment.payment,
            own=holder.base_quantity,
            foreign=foreign_quantity(account, instrument.symbol, at=settled_at),
        )
        booked += _book(legs[holder.index], payment, part, now)
    return booked


def _settled_at(instrument: Instrument, payment: FundingPayment) -> datetime:
    """Return the settlement a payment is for; its own stamp where none is near.

    What accrues is for who held until then: the fill that pays it may be his last.
    """
    kind = SettlementKind(instrument.settlement)
    if kind is SettlementKind.ACCRUED:
        return payment.paid_at - timedelta.resolution
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


def _book(leg: Leg, payment: FundingPayment, part: Decimal, now: datetime) -> int:
    """Book the part of a payment that is for our own quantity; the rest belongs to no position."""
    whole = "" if part == payment.payment else f" of {signed(payment.payment, 4)}"
    try:
        with transaction.atomic():
            event = FundingEvent.objects.create(
                position=leg.position,
                leg=leg,
                account=leg.account,
                venue_payment_id=payment.venue_payment_id,
                funding_rate=payment.funding_rate,
                payment=part,
                asset=payment.asset,
                payment_usd=part,
                paid_at=payment.paid_at,
                booked_at=now,
            )
            announce(
                user_id=leg.position.user_id,
                kind="funding",
                sentence=f"Funding {signed(part, 4)}{whole} {payment.asset} on "
                f"{leg.position.base}, {leg.instrument.exchange.short_code}",
                position=leg.position,
                payload={"event": str(event.pk)},
                now=now,
            )
    except IntegrityError:
        return 0  # another worker booked the venue's payment id at the same time
    return 1


def _report_foreign(account: ExchangeAccount, payment: FundingPayment, now: datetime) -> None:
    """Tell once of a payment that no position explains; it stays in the bridge's unexplained."""
    # A fill that is not booked yet would explain it.
    if now - payment.paid_at < MISSING_AFTER:
        return
    user_id: UUID = account.user_id
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
        sentence=f"{account}: {signed(payment.payment, 4)} {payment.asset} funding on "
        f"{payment.symbol}, stamped {payment.paid_at:%Y-%m-%d %H:%M:%S} UTC, belongs "
        "to no position of Carry: somebody else holds this contract on the account",
        payload={"venue_payment_id": payment.venue_payment_id},
        now=now,
    )
