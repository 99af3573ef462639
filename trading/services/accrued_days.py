"""What a venue should pay a leg that pays once a day what has accrued, by the hours within."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby, pairwise

from exchanges.models import SettledFundingRate
from exchanges.selectors import DAY, payment_at, settlement_slack
from trading.core import funding
from trading.core.settlements import Change, accrued_over
from trading.models import Leg

ZERO = Decimal(0)
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccruedDay:
    """What is due at `pays_at`: the mean quantity held, at a price and rate that make the payment.

    Not certain: the leg changed that day, so that a part of an hour was held, of which the rate is
    known as a mean alone; or an hour is not known, or its price.
    """

    pays_at: datetime
    base_quantity: Decimal
    settlement_price: Decimal
    funding_rate: Decimal
    payment: Decimal
    is_certain: bool


def accrued_days(
    leg: Leg, changes: Sequence[Change], rows: Iterable[SettledFundingRate], price: Decimal
) -> Iterator[AccruedDay]:
    """Yield the days of which the last hour is known and in which something was held.

    `rows` are hours, oldest first; `price` is for those of which the venue tells none.
    """
    slack = settlement_slack(leg.instrument)

    def pays_at(row: SettledFundingRate) -> datetime:
        return payment_at(leg.instrument, row.settled_at)

    for at, found in groupby(rows, key=pays_at):
        hours = list(found)
        if hours[-1].settled_at >= at - slack:
            day = _day(at, changes, hours, price)
            if day.base_quantity:
                yield day


def _day(
    at: datetime, changes: Sequence[Change], hours: Sequence[SettledFundingRate], price: Decimal
) -> AccruedDay:
    held = [accrued_over(changes, _began(row), row.settled_at).base_quantity for row in hours]
    prices = [row.settlement_price or price for row in hours]
    due = [
        funding.payment(quantity, paid, row.funding_rate)
        for quantity, paid, row in zip(held, prices, hours, strict=True)
    ]
    mean, payment = sum(held, ZERO) / len(hours), sum(due, ZERO)
    usual = sum(prices, ZERO) / len(hours)
    return AccruedDay(
        pays_at=at,
        base_quantity=mean,
        settlement_price=usual,
        funding_rate=-payment / (mean * usual) if mean else ZERO,
        payment=payment,
        is_certain=_is_steady(changes, hours, at - DAY),
    )


def _began(row: SettledFundingRate) -> datetime:
    """Return when an hour began: histories of what is paid by the day tell hours."""
    return row.settled_at - HOUR


def _is_steady(
    changes: Sequence[Change], hours: Sequence[SettledFundingRate], began: datetime
) -> bool:
    """Tell whether the same was held all day, and each hour of it is known with its price."""
    ends = [row.settled_at for row in hours]
    is_priced = all(row.settlement_price for row in hours)
    if not is_priced or any(began < change.at < ends[-1] for change in changes):
        return False
    longest = HOUR + funding.STAMP_SLACK
    return all(after - before <= longest for before, after in pairwise([began, *ends]))
