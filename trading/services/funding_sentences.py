"""What people read when a venue paid funding otherwise than expected."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from exchanges.selectors import pays_daily
from trading.core.money import for_display, plain, signed
from trading.core.sentence import percent
from trading.core.settlements import PaymentFault
from trading.models import ExpectedFunding, FundingEvent

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def missing(expected: ExpectedFunding) -> str:
    return (
        f"{_where(expected)} paid no funding for the settlement of {_when(expected)}. "
        f"{_why(expected)} It is looked for on for 7 days"
    )


def late(expected: ExpectedFunding, received: Decimal, late_by: timedelta) -> str:
    span = f"{late_by // HOUR} h {late_by % HOUR // MINUTE} min"
    return (
        f"{_where(expected)} paid {_amount(expected, received)} funding for the settlement of "
        f"{_when(expected)}, {span} late. {_why(expected)}"
    )


def wrong(expected: ExpectedFunding, received: Decimal, fault: PaymentFault) -> str:
    difference = received - expected.payment
    words = "with the wrong sign"
    if fault is PaymentFault.OFF:
        share = f" ({percent(abs(difference / expected.payment), 1)})" if expected.payment else ""
        words = f"off by {signed(difference, 4)}{share}"
    return (
        f"{_where(expected)} paid {_amount(expected, received)} funding for the settlement of "
        f"{_when(expected)}, {words}. {_why(expected)} Booked as the venue paid it"
    )


def unexpected(event: FundingEvent) -> str:
    venue = event.leg.instrument.exchange.short_code
    return (
        f"{event.position.base} at {venue}: {signed(event.payment, 4)} {event.asset} funding, "
        f"stamped {event.paid_at:%Y-%m-%d %H:%M:%S} UTC, belongs to no settlement that was "
        "expected: the interval may have changed, or the venue corrected a payment. Booked as paid"
    )


def _where(expected: ExpectedFunding) -> str:
    leg = expected.leg
    return f"{leg.position.base}: {leg.instrument.exchange.short_code}"


def _when(expected: ExpectedFunding) -> str:
    return f"{expected.settles_at:%Y-%m-%d %H:%M:%S} UTC"


def _why(expected: ExpectedFunding) -> str:
    side = "long" if expected.base_quantity > 0 else "short"
    of_day = " for the day" if pays_daily(expected.leg.instrument) else ""
    return (
        f"{_amount(expected, expected.payment)} was expected: {side} "
        f"{plain(abs(expected.base_quantity))} at "
        f"{plain(for_display(expected.settlement_price, 4))}, "
        f"rate {percent(expected.funding_rate)}{of_day}."
    )


def _amount(expected: ExpectedFunding, amount: Decimal) -> str:
    return f"{signed(amount, 4)} {expected.leg.instrument.settle}"
