"""What each settlement should have paid a leg, and what to say when the venue paid otherwise.

The venue's own payment is always booked as it is; an expectation only finds what is missing, late,
of the wrong sign or off. Expectations of the past are written from the settled-rate history and
from what the leg held at that time by its own fills.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from exchanges.domain import SettlementKind, Side
from exchanges.models import Instrument, SettledFundingRate
from exchanges.selectors import DAY, payment_at, pays_daily, settlement_slack
from trading.core import funding
from trading.core.parameters import Parameters
from trading.core.settlements import (
    FAULT_USD,
    Change,
    PaymentFault,
    SettledHolding,
    accrued_over,
    held_over,
    payment_fault,
    settlement_of,
)
from trading.events import announce
from trading.models import Event, ExpectedFunding, FundingEvent, Leg
from trading.services import funding_sentences, market
from trading.services.accrued_days import AccruedDay, accrued_days

Status = ExpectedFunding.Status
PriceSource = ExpectedFunding.PriceSource

# Venues tell a payment within seconds to a few minutes.
MISSING_AFTER = timedelta(minutes=3)
MARK_LASTS = timedelta(minutes=3)
# Another venue's settlement of the same instant, however it is stamped.
SAME_INSTANT = timedelta(seconds=30)
GIVEN_UP_AFTER = timedelta(days=7)
# What our columns cut off is no change.
ROUNDING_USD = Decimal("1e-6")
OPEN_STATUSES = (Status.PENDING, Status.UNCERTAIN, Status.MISSING, Status.NOT_COUNTED)
STATUS_OF_FAULT = {
    PaymentFault.WRONG_SIGN: Status.WRONG_SIGN,
    PaymentFault.OFF: Status.DEVIATING,
}


def changes_of(leg: Leg) -> list[Change]:
    """Return what the leg's fills changed, oldest first."""
    trades = sorted(leg.trades.all(), key=lambda trade: trade.filled_at)
    return [
        Change(at=trade.filled_at, base_quantity=Side(trade.order_side).sign * trade.base_quantity)
        for trade in trades
    ]


def guard_of(leg: Leg) -> timedelta:
    """Return how near to a settlement a fill makes it uncertain: our guard or the venue's slack."""
    guard = Parameters.from_stored(leg.position.parameters).settlement_guard
    return max(guard, settlement_slack(leg.instrument))


def write_expectations(leg: Leg, *, now: datetime) -> None:
    """Write what each settlement since the entry should pay, from the venue's settled rates."""
    changes, guard = changes_of(leg), guard_of(leg)
    if not changes:
        return
    if pays_daily(leg.instrument):
        _write_days(leg, changes, now)
        return
    known = leg.expected_funding.values("settles_at")
    settled = SettledFundingRate.objects.filter(
        instrument=leg.instrument, settled_at__gt=changes[0].at - guard, settled_at__lte=now
    )
    for row in settled.exclude(settled_at__in=known):
        held = _held(leg, changes, row.settled_at, guard)
        if held.base_quantity == 0:
            continue
        price, source = _settlement_price(leg, row, now)
        ExpectedFunding.objects.get_or_create(
            leg=leg,
            settles_at=row.settled_at,
            defaults={
                "funding_rate": row.funding_rate,
                "settlement_price": price,
                "price_source": source,
                "created_at": now,
                **_amounts(held, price, row.funding_rate),
            },
        )


def _write_days(leg: Leg, changes: Sequence[Change], now: datetime) -> None:
    """Write what each day since the last expectation should pay."""
    written = leg.expected_funding.order_by("settles_at").last()
    since = changes[0].at - guard_of(leg)
    if written is not None:
        since = written.settles_at + settlement_slack(leg.instrument)
    for day in _days(leg, changes, since, now):
        ExpectedFunding.objects.get_or_create(
            leg=leg,
            settles_at=day.pays_at,
            defaults={"created_at": now, **_amounts_of_day(day)},
        )


def _days(
    leg: Leg, changes: Sequence[Change], since: datetime, until: datetime
) -> Iterator[AccruedDay]:
    rows = SettledFundingRate.objects.filter(
        instrument=leg.instrument, settled_at__gt=since, settled_at__lte=until
    )
    return accrued_days(leg, changes, rows.order_by("settled_at"), _last_fill(leg, until))


def _amounts_of_day(day: AccruedDay) -> dict[str, Any]:
    return {
        "base_quantity": day.base_quantity,
        "settlement_price": day.settlement_price,
        "funding_rate": day.funding_rate,
        "payment": day.payment,
        "status": Status.PENDING if day.is_certain else Status.UNCERTAIN,
    }


def match_expectations(leg: Leg, *, now: datetime) -> None:
    """Pair each open expectation with its payment, or say what is missing, late or wrong.

    Call it after the venue has told all payments up to `now`, else nothing may be called missing.
    """
    open_ones = leg.expected_funding.filter(
        event=None, status__in=OPEN_STATUSES, created_at__gt=now - GIVEN_UP_AFTER
    )
    free = list(leg.funding_events.filter(expected=None).order_by("paid_at"))
    paid = _by_settlement(leg, free)
    for expected in open_ones:
        _renew(expected, leg)
        payments = paid.pop(expected.settles_at, [])
        if payments and not _may_accrue_more(leg, expected, now):
            _match(expected, payments, now)
        elif not payments and now - expected.settles_at > MISSING_AFTER:
            _miss(expected, now)
    if not paid:
        return
    is_accrued = leg.instrument.settlement == SettlementKind.ACCRUED
    settlements = set(leg.expected_funding.values_list("settles_at", flat=True))
    for settles_at, payments in paid.items():
        # One settlement, several payments: the last one stands for them.
        if is_accrued and (settles_at in settlements or _is_unsettled(leg, settles_at, now)):
            continue
        for event in payments:
            _report_unexpected(event, now)


def _held(
    leg: Leg, changes: Sequence[Change], settles_at: datetime, guard: timedelta
) -> SettledHolding:
    if leg.instrument.settlement != SettlementKind.ACCRUED:
        return held_over(changes, settles_at, guard=guard)
    since = _period_begins(leg.instrument, settles_at) or changes[0].at
    return accrued_over(changes, min(since, settles_at - timedelta.resolution), settles_at)


def _period_begins(instrument: Instrument, settles_at: datetime) -> datetime | None:
    """Return from when on a settlement counts; None where neither interval nor history tell."""
    if instrument.funding_interval_seconds:
        return settles_at - timedelta(seconds=instrument.funding_interval_seconds)
    rows = SettledFundingRate.objects.filter(instrument=instrument, settled_at__lt=settles_at)
    before = rows.order_by("-settled_at").first()
    return before.settled_at if before is not None else None


def _amounts(held: SettledHolding, price: Decimal, funding_rate: Decimal) -> dict[str, Any]:
    return {
        "base_quantity": held.base_quantity,
        "payment": funding.payment(held.base_quantity, price, funding_rate),
        "status": Status.PENDING if held.is_certain else Status.UNCERTAIN,
    }


def _settlement_price(
    leg: Leg, settled: SettledFundingRate, now: datetime
) -> tuple[Decimal, ExpectedFunding.PriceSource]:
    """Return the venue's settlement price, else the nearest that is known of that instant."""
    if settled.settlement_price is not None:
        return settled.settlement_price, PriceSource.VENUE
    row = market.row_of(market.board_of([leg.instrument]), leg.instrument)
    if row is not None and row.quote is not None and now - settled.settled_at <= MARK_LASTS:
        return row.quote.mark_price, PriceSource.MARK
    other = SettledFundingRate.objects.filter(
        instrument__base=leg.instrument.base,
        instrument__settle=leg.instrument.settle,
        settled_at__gte=settled.settled_at - SAME_INSTANT,
        settled_at__lte=settled.settled_at + SAME_INSTANT,
        settlement_price__isnull=False,
    ).first()
    if other is not None and other.settlement_price is not None:
        return other.settlement_price, PriceSource.OTHER_VENUE
    return _last_fill(leg, settled.settled_at), PriceSource.LAST_FILL


def _last_fill(leg: Leg, until: datetime) -> Decimal:
    """Return the price of the leg's last fill up to then, else of its last one."""
    trades = sorted(leg.trades.all(), key=lambda trade: trade.filled_at)
    before = [trade for trade in trades if trade.filled_at <= until]
    price: Decimal = (before or trades)[-1].price
    return price


def _renew(expected: ExpectedFunding, leg: Leg) -> None:
    """Follow fills that were booked after the expectation was written."""
    if pays_daily(leg.instrument):
        _renew_day(expected, leg)
        return
    held = _held(leg, changes_of(leg), expected.settles_at, guard_of(leg))
    if held.base_quantity == expected.base_quantity:
        return
    _set(expected, _amounts(held, expected.settlement_price, expected.funding_rate))


def _renew_day(expected: ExpectedFunding, leg: Leg) -> None:
    slack = settlement_slack(leg.instrument)
    since = expected.settles_at - DAY + slack
    for day in _days(leg, changes_of(leg), since, expected.settles_at + slack):
        if abs(day.payment - expected.payment) > ROUNDING_USD:
            _set(expected, _amounts_of_day(day))


def _set(expected: ExpectedFunding, amounts: Mapping[str, Any]) -> None:
    ExpectedFunding.objects.filter(pk=expected.pk, event=None).update(**amounts)
    for name, value in amounts.items():
        setattr(expected, name, value)


def _by_settlement(leg: Leg, events: Sequence[FundingEvent]) -> dict[datetime, list[FundingEvent]]:
    """Group payments by the settlement each is for; one near none stands under its own stamp."""
    if not events:
        return {}
    settlements = list(leg.expected_funding.values_list("settles_at", flat=True))
    groups: dict[datetime, list[FundingEvent]] = {}
    for event in events:
        found = settlement_of(
            event.paid_at,
            settlements,
            kind=SettlementKind(leg.instrument.settlement),
            slack=settlement_slack(leg.instrument),
            interval_seconds=leg.instrument.funding_interval_seconds,
        )
        groups.setdefault(found or event.paid_at, []).append(event)
    return groups


def _may_accrue_more(leg: Leg, expected: ExpectedFunding, now: datetime) -> bool:
    if leg.instrument.settlement != SettlementKind.ACCRUED:
        return False
    return now - expected.settles_at <= MISSING_AFTER


def _is_unsettled(leg: Leg, paid_at: datetime, now: datetime) -> bool:
    """Tell whether the period in which a payment was realised may not have been settled yet."""
    if pays_daily(leg.instrument):
        return now - payment_at(leg.instrument, paid_at) <= 2 * MISSING_AFTER
    period = timedelta(seconds=leg.instrument.funding_interval_seconds or 0)
    return now - paid_at <= period + 2 * MISSING_AFTER


def _match(expected: ExpectedFunding, payments: Sequence[FundingEvent], now: datetime) -> None:
    """Match to the payment of the settlement; what follows it for the same one is a correction."""
    is_accrued = expected.leg.instrument.settlement == SettlementKind.ACCRUED
    counted = payments if is_accrued else payments[:1]
    received = sum((event.payment for event in counted), Decimal(0))
    fault = None
    if expected.status not in (Status.UNCERTAIN, Status.NOT_COUNTED):
        is_estimate = expected.price_source == PriceSource.LAST_FILL
        fault = payment_fault(expected.payment, received, is_estimate=is_estimate)
    was_missing = expected.status == Status.MISSING
    status = Status.LATE if was_missing else Status.MATCHED
    with transaction.atomic():
        matched = ExpectedFunding.objects.filter(pk=expected.pk, event=None).update(
            event=counted[-1], status=STATUS_OF_FAULT[fault] if fault else status
        )
        if matched and was_missing:
            late_by = max(now - expected.settles_at, timedelta(0))
            _alert(expected, "late", funding_sentences.late(expected, received, late_by), now)
        if matched and fault:
            _alert(expected, fault, funding_sentences.wrong(expected, received, fault), now)
    if not is_accrued:
        for event in payments[1:]:
            _report_unexpected(event, now)


def _miss(expected: ExpectedFunding, now: datetime) -> None:
    """Call a certain payment missing; an uncertain one, or of nothing, simply did not count."""
    if expected.status in (Status.MISSING, Status.NOT_COUNTED):
        return
    least = FAULT_USD if expected.leg.instrument.settlement == SettlementKind.ACCRUED else 0
    is_due = expected.status == Status.PENDING and abs(expected.payment) > least
    status = Status.MISSING if is_due else Status.NOT_COUNTED
    with transaction.atomic():
        changed = ExpectedFunding.objects.filter(pk=expected.pk, event=None).update(status=status)
        if changed and is_due:
            _alert(expected, "missing", funding_sentences.missing(expected), now)


def _alert(expected: ExpectedFunding, kind: str, sentence: str, now: datetime) -> None:
    position = expected.leg.position
    announce(
        user_id=position.user_id,
        kind=f"funding.{kind}",
        severity=Event.Severity.WARNING,
        sentence=sentence,
        position=position,
        payload={"expected": expected.pk},
        now=now,
    )


def _report_unexpected(event: FundingEvent, now: datetime) -> None:
    """Tell once of a payment no settlement explains: a correction, or an interval that changed."""
    # The settled rate may still be on its way; afterwards it is too old to be news.
    if not MISSING_AFTER < now - event.booked_at < GIVEN_UP_AFTER:
        return
    told = Event.objects.filter(
        position=event.position, kind="funding.unexpected", payload__event=str(event.pk)
    )
    if told.exists():
        return
    announce(
        user_id=event.position.user_id,
        kind="funding.unexpected",
        severity=Event.Severity.WARNING,
        sentence=funding_sentences.unexpected(event),
        position=event.position,
        payload={"event": str(event.pk)},
        now=now,
    )
