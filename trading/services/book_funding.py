"""Funding: what a settlement should pay is written when it passes, what it paid when it is booked.

The venue's own payment row is the truth, booked once by its id; the expectation finds what is
missing, late, of the wrong sign or off.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import IntegrityError, transaction

from exchanges.domain import FundingPayment, InstrumentKind, Symbol
from exchanges.models import SettledFundingRate
from trading.core import funding
from trading.core.money import signed
from trading.core.parameters import Parameters
from trading.core.pnl import payment_fault
from trading.core.states import EXPOSED_POSITION_STATES, PositionState
from trading.events import announce
from trading.models import Event, ExpectedFunding, FundingEvent, Leg, Trade
from trading.services import market
from trading.services.halt import openable
from trading.services.venues import READ_SECONDS, Venues

# After the end payments may still be booked late; a read a little further back costs nothing.
AFTER_END = timedelta(minutes=10)
READ_MARGIN = timedelta(seconds=30)
MATCH_SLACK = timedelta(seconds=30)
MISSING_AFTER = timedelta(minutes=3)
MARK_LASTS = timedelta(minutes=3)


def book_funding(*, venues: Venues, now: datetime) -> int:
    """Read the payments of every leg that may have some, book the new ones, match expectations.

    Return how many payments were booked. A venue that cannot be read is tried again next time.
    """
    legs = _legs(venues, now)
    answers = venues.call_all(
        [
            venues.account(leg.account).funding_payments(
                Symbol(leg.instrument.symbol), since=_since(leg)
            )
            for leg in legs
        ],
        READ_SECONDS,
    )
    booked = 0
    for leg, answer in zip(legs, answers, strict=True):
        if isinstance(answer, BaseException):
            continue
        booked += _book_payments(leg, answer, now)
    for leg in legs:
        write_expectations(leg, now=now)
        match_expectations(leg, now=now)
    return booked


def _legs(venues: Venues, now: datetime) -> list[Leg]:
    live = Leg.objects.filter(position__state__in=EXPOSED_POSITION_STATES)
    ended = Leg.objects.filter(
        position__state=PositionState.CLOSED, position__close_timestamp__gt=now - AFTER_END
    )
    legs = list(
        (live | ended)
        .filter(instrument__kind=InstrumentKind.PERPETUAL, trades__isnull=False)
        .distinct()
        .select_related("position", "instrument__exchange", "account__exchange")
    )
    usable = openable({leg.account for leg in legs}, venues=venues, now=now)
    return [leg for leg in legs if leg.account in usable]


def _since(leg: Leg) -> datetime:
    """Read on from the last payment we have, with a margin: the venue's id sorts out doubles."""
    last = leg.funding_events.order_by("-paid_at").first()
    first = leg.trades.order_by("filled_at").first()
    assert first is not None  # noqa: S101  (only legs with trades are read)
    return (last.paid_at if last else first.filled_at) - READ_MARGIN


def _book_payments(leg: Leg, payments: Iterable[FundingPayment], now: datetime) -> int:
    """Book payments that fall into the time this leg was held, each once."""
    first = leg.trades.order_by("filled_at").first()
    booked = 0
    for payment in payments:
        if first is None or payment.paid_at < first.filled_at:
            continue
        if _held_at(leg, payment.paid_at) == 0 and leg.position.close_timestamp is not None:
            continue
        booked += _book(leg, payment, now)
    return booked


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
        return 0  # the venue's payment id says it is booked already
    return 1


def write_expectations(leg: Leg, *, now: datetime) -> None:
    """Write what each settlement since the entry should pay, from the venue's settled rates."""
    first = leg.trades.order_by("filled_at").first()
    if first is None:
        return
    settled = SettledFundingRate.objects.filter(
        instrument=leg.instrument, settled_at__gt=first.filled_at, settled_at__lte=now
    ).exclude(settled_at__in=leg.expected_funding.values("settles_at"))
    for row in settled:
        held = _held_at(leg, row.settled_at)
        price = _settlement_price(leg, row, now)
        if held == 0 or price is None:
            continue
        ExpectedFunding.objects.get_or_create(
            leg=leg,
            settles_at=row.settled_at,
            defaults={
                "funding_rate": row.funding_rate,
                "base_quantity": held,
                "settlement_price": price,
                "payment": funding.payment(held, price, row.funding_rate),
                "status": _first_status(leg, row.settled_at),
                "created_at": now,
            },
        )


def _settlement_price(leg: Leg, settled: SettledFundingRate, now: datetime) -> Decimal | None:
    """Return the venue's settlement price, else the mark soon after it: near enough for 2 %."""
    if settled.settlement_price is not None:
        price: Decimal = settled.settlement_price
        return price
    row = market.row_of(market.board_of([leg.instrument]), leg.instrument)
    if row is None or row.quote is None or now - settled.settled_at > MARK_LASTS:
        return None
    return row.quote.mark_price


def _held_at(leg: Leg, moment: datetime) -> Decimal:
    """Return the signed base quantity the leg's fills had built up by then."""
    return sum(
        (
            trade.base_quantity if trade.order_side == "buy" else -trade.base_quantity
            for trade in leg.trades.all()
            if trade.filled_at <= moment
        ),
        Decimal(0),
    )


def _first_status(leg: Leg, settled_at: datetime) -> str:
    """A fill within the guard of a settlement may or may not have counted for it."""
    guard = Parameters.from_values(leg.position.parameters).settlement_guard
    near = Trade.objects.filter(
        leg=leg, filled_at__gte=settled_at - guard, filled_at__lte=settled_at + guard
    )
    uncertain = near.exists()
    return ExpectedFunding.Status.UNCERTAIN if uncertain else ExpectedFunding.Status.PENDING


def match_expectations(leg: Leg, *, now: datetime) -> None:
    """Pair each open expectation with its payment, or say that it is missing or off."""
    open_ones = leg.expected_funding.filter(
        event=None,
        status__in=(ExpectedFunding.Status.PENDING, ExpectedFunding.Status.UNCERTAIN),
    )
    for expected in open_ones:
        event = (
            leg.funding_events.filter(
                expected=None,
                paid_at__gte=expected.settles_at - MATCH_SLACK,
                paid_at__lte=expected.settles_at + MATCH_SLACK,
            )
            .order_by("paid_at")
            .first()
        )
        if event is not None:
            _match(expected, event, now)
        elif now - expected.settles_at > MISSING_AFTER:
            _miss(expected, now)


def _match(expected: ExpectedFunding, event: FundingEvent, now: datetime) -> None:
    fault = payment_fault(expected.payment, event.payment)
    if expected.status == ExpectedFunding.Status.UNCERTAIN:
        fault = None
    status = ExpectedFunding.Status.DEVIATING if fault else ExpectedFunding.Status.MATCHED
    with transaction.atomic():
        ExpectedFunding.objects.filter(pk=expected.pk, event=None).update(
            event=event, status=status
        )
        if fault:
            _alert(expected, f"{signed(event.payment, 4)} was paid, {fault.replace('_', ' ')}", now)


def _miss(expected: ExpectedFunding, now: datetime) -> None:
    """An uncertain settlement that paid nothing simply did not count."""
    with transaction.atomic():
        ExpectedFunding.objects.filter(pk=expected.pk, event=None).update(
            status=ExpectedFunding.Status.MISSING
        )
        if expected.status == ExpectedFunding.Status.PENDING:
            _alert(expected, "no payment was booked", now)


def _alert(expected: ExpectedFunding, what: str, now: datetime) -> None:
    position = expected.leg.position
    announce(
        user_id=position.user_id,
        kind="funding.deviation",
        severity=Event.Severity.WARNING,
        sentence=f"{position.base} on {expected.leg.instrument.exchange.short_code}: "
        f"{signed(expected.payment, 4)} was expected at {expected.settles_at:%H:%M:%S}, {what}",
        position=position,
        now=now,
    )
