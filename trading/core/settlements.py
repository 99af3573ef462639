"""Which settlement a payment is for, who held over it, and what is wrong with what was paid.

Pure. Quantities are signed base (> 0 long), times aware UTC, payments > 0 were received. A venue
may still count, or no longer count, a fill close to a settlement: within `guard` of a fill nobody
can say what a settlement pays, and its expectation is uncertain.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

from exchanges.domain import SettlementKind

ZERO = Decimal(0)
FAULT_SHARE = Decimal("0.02")
FAULT_USD = Decimal("0.01")
# Venues stamp a payment with its settlement or up to some minutes later, hardly ever earlier.
STAMPED_WITHIN = timedelta(minutes=30)


class PaymentFault(StrEnum):
    """What is wrong with a payment that was booked."""

    WRONG_SIGN = "wrong_sign"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One fill: by how much it changed what a leg held."""

    at: datetime
    base_quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledHolding:
    """What a settlement counts. Not certain: a fill was so near that it may count either way."""

    base_quantity: Decimal
    is_certain: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Which of several legs was paid, and for which quantity of it."""

    index: int
    base_quantity: Decimal


def latest_instant(last_settled_at: datetime, interval_seconds: int, now: datetime) -> datetime:
    """Return the last settlement up to `now`, counted on or back from one that is known."""
    interval = timedelta(seconds=interval_seconds)
    return last_settled_at + (now - last_settled_at) // interval * interval


def held_at(changes: Iterable[Change], moment: datetime) -> Decimal:
    """Return what the fills up to and at `moment` add up to."""
    return sum((change.base_quantity for change in changes if change.at <= moment), ZERO)


def held_over(
    changes: Sequence[Change], settles_at: datetime, *, guard: timedelta
) -> SettledHolding:
    """Return what a settlement at one instant counts, from fills oldest first.

    Flat at the instant but not within `guard` of it: the largest quantity that may have counted.
    """
    held = held_at(changes, settles_at)
    near = [change for change in changes if abs(change.at - settles_at) <= guard]
    if not near:
        return SettledHolding(base_quantity=held, is_certain=True)
    if held == 0:
        moments = [settles_at - guard - timedelta.resolution, *(change.at for change in near)]
        held = max((held_at(changes, moment) for moment in moments), key=abs)
    return SettledHolding(base_quantity=held, is_certain=False)


def accrued_over(
    changes: Sequence[Change], since: datetime, settles_at: datetime
) -> SettledHolding:
    """Return the mean quantity held in (since, settles_at]: what an accruing venue pays for."""
    span = settles_at - since
    moments = [since, *(c.at for c in changes if since < c.at < settles_at), settles_at]
    weighted = sum(
        (
            held_at(changes, start) * ((end - start) // timedelta.resolution)
            for start, end in pairwise(moments)
        ),
        ZERO,
    )
    return SettledHolding(base_quantity=weighted / (span // timedelta.resolution), is_certain=True)


def settlement_of(
    paid_at: datetime,
    settlements: Iterable[datetime],
    *,
    kind: SettlementKind,
    slack: timedelta,
    interval_seconds: int | None,
) -> datetime | None:
    """Return the settlement a payment stamped `paid_at` is for, or None where none is near.

    A lump or hourly payment is for the last settlement before it, an accrued one for the next. It
    is never for one half an interval ago: the one it is for may just not be among `settlements`.
    """
    if kind is SettlementKind.ACCRUED:
        coming = [at for at in settlements if at >= paid_at - slack]
        return min(coming, default=None)
    passed = [at for at in settlements if at <= paid_at + slack]
    last = max(passed, default=None)
    within = slack
    if interval_seconds is not None:
        within = min(STAMPED_WITHIN, timedelta(seconds=interval_seconds) / 2)
    return last if last is not None and paid_at - last <= within else None


def holder_of(
    moment: datetime,
    holdings: Sequence[Sequence[Change]],
    *,
    guard: timedelta,
    accrues: bool = False,
) -> Holder | None:
    """Return the leg that a settlement at `moment` paid, or None: none of them.

    The legs were held one after the other in one account: who held at that instant, else who held
    within `guard` of it, the nearest first. What accrues was earned until then: who held only later
    was not paid.
    """
    for index, changes in enumerate(holdings):
        if held := held_at(changes, moment):
            return Holder(index=index, base_quantity=held)
    nearest: tuple[timedelta, Holder] | None = None
    for index, changes in enumerate(holdings):
        counted = [change for change in changes if change.at <= moment or not accrues]
        if held := held_over(counted, moment, guard=guard).base_quantity:
            distance = min(abs(change.at - moment) for change in counted)
            if nearest is None or distance < nearest[0]:
                nearest = (distance, Holder(index=index, base_quantity=held))
    return nearest[1] if nearest else None


def own_part(payment: Decimal, *, own: Decimal, foreign: Decimal) -> Decimal:
    """Return what of a payment for all that an account holds our own quantity earned or cost.

    A venue pays for the sum: against a foreign quantity of the other side ours earned more.
    """
    whole = own + foreign
    if own == 0 or foreign == 0 or whole == 0:
        return payment
    return payment * own / whole


def payment_fault(
    expected_usd: Decimal, received_usd: Decimal, *, is_estimate: bool = False
) -> PaymentFault | None:
    """Tell what is wrong with a payment: its sign, or off by more than max(2 %, $0.01).

    An estimate, written without the venue's own price of that instant, can only prove a wrong sign.
    """
    tolerance = max(abs(expected_usd) * FAULT_SHARE, FAULT_USD)
    if abs(received_usd - expected_usd) <= tolerance:
        return None
    if expected_usd * received_usd < 0:
        return PaymentFault.WRONG_SIGN
    return None if is_estimate else PaymentFault.OFF
