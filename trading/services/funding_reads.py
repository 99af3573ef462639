"""Which accounts to ask for their funding payments now, and from when on.

One question serves all legs of an account, and it is asked when one of them may have been paid:
such histories are among the heaviest requests a venue takes. A leg is read until its venue has told
all of its payments, also after its position has ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db.models import F, Max, Q, QuerySet

from exchanges.domain import InstrumentKind, SettlementKind, Symbol
from exchanges.models import ExchangeAccount, Instrument, SettledFundingRate
from exchanges.selectors import DAY, daily_payers, payment_at, pays_daily, settlement_slack
from trading.core.settlements import latest_instant
from trading.core.states import EXPOSED_POSITION_STATES
from trading.models import ExpectedFunding, FundingEvent, Leg
from trading.services.expected_funding import GIVEN_UP_AFTER, MISSING_AFTER, guard_of
from trading.services.halt import openable
from trading.services.venues import Venues

# What a venue may still add behind what it has told; the payment's id sorts out repeats.
OVERLAP = timedelta(hours=1)
READ_MARGIN = timedelta(seconds=30)
AFTER_END = timedelta(minutes=10)
# What accrues is told by the hour, or the day: a leg's last part of one is expected at its end.
ACCRUES_FOR = timedelta(hours=1)
MISSING_READ_EVERY = timedelta(minutes=5)
# For what no settlement announces: a correction, or an interval that has changed.
QUIET_READ_EVERY = timedelta(minutes=3)

Status = ExpectedFunding.Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One question to one venue: the contracts of an account, for the legs that wait for it."""

    account: ExchangeAccount
    legs: Sequence[Leg]
    since: datetime

    @property
    def instruments(self) -> Mapping[Symbol, Instrument]:
        return {Symbol(leg.instrument.symbol): leg.instrument for leg in self.legs}

    @property
    def by_contract(self) -> list[Reading]:
        """Return the same question for each contract alone."""
        return [
            replace(self, legs=[leg for leg in self.legs if leg.instrument == instrument])
            for instrument in self.instruments.values()
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is stored of a leg: its contract's last settled rate, its last payment and expectation.

    Times, None where there is none.
    """

    settled_at: datetime | None
    paid_at: datetime | None
    expected_at: datetime | None


def readings_due(*, venues: Venues, now: datetime) -> list[Reading]:
    """Return a question for each account that can be asked and of which a leg is due."""
    legs = list(_waiting(now))
    known = _known_of(legs, now)
    due = {leg.account for leg in legs if _is_due(leg, known[leg.pk], now)}
    usable = set(openable(due, venues=venues, now=now))
    groups = ((account, list(found)) for account, found in groupby(legs, key=attrgetter("account")))
    return [
        Reading(account=account, legs=group, since=_since(group, known, now))
        for account, group in groups
        if account in usable
    ]


def paid_legs() -> QuerySet[Leg]:
    """Return the legs that may ever be paid funding: perpetuals that were traded."""
    return (
        Leg.objects.filter(instrument__kind=InstrumentKind.PERPETUAL, trades__isnull=False)
        .distinct()
        .select_related("position", "instrument__exchange", "account__exchange")
        .prefetch_related("trades")
    )


def _waiting(now: datetime) -> QuerySet[Leg]:
    """Return the legs that may still be paid: held, just ended, or short of a payment."""
    held = Q(position__state__in=EXPOSED_POSITION_STATES)
    untold = Q(funding_read_at=None) | Q(
        funding_read_at__lt=F("position__close_timestamp") + AFTER_END
    )
    accruing = Q(
        instrument__settlement=SettlementKind.ACCRUED,
        funding_read_at__lt=F("position__close_timestamp") + ACCRUES_FOR + AFTER_END,
    ) | Q(
        instrument__exchange__code__in=daily_payers(),
        funding_read_at__lt=F("position__close_timestamp") + DAY + AFTER_END,
    )
    short = Q(
        funding_read_at__lt=now - MISSING_READ_EVERY,
        expected_funding__event=None,
        expected_funding__created_at__gt=now - GIVEN_UP_AFTER,
        expected_funding__status__in=(Status.PENDING, Status.MISSING),
    )
    return (
        paid_legs().filter(held | untold | accruing | short).order_by("account_id", "instrument_id")
    )


def _known_of(legs: Sequence[Leg], now: datetime) -> dict[UUID, Known]:
    rates = SettledFundingRate.objects.filter(
        instrument__in={leg.instrument_id for leg in legs}, settled_at__gt=now - GIVEN_UP_AFTER
    )
    settled = _latest(rates, "instrument", "settled_at")
    paid = _latest(FundingEvent.objects.filter(leg__in=legs), "leg", "paid_at")
    expected = _latest(ExpectedFunding.objects.filter(leg__in=legs), "leg", "settles_at")
    return {
        leg.pk: Known(
            settled_at=settled.get(leg.instrument_id),
            paid_at=paid.get(leg.pk),
            expected_at=expected.get(leg.pk),
        )
        for leg in legs
    }


def _latest(rows: QuerySet[Any], of: str, at: str) -> dict[Any, datetime]:
    return dict(rows.order_by().values_list(of).annotate(Max(at)))


def _is_due(leg: Leg, known: Known, now: datetime) -> bool:
    """Tell whether its venue may have told something of a leg since it was read.

    After a settlement it is read at once, and again until the payment is there or called missing;
    and when the rate of a settlement is known, from which its expectation is written.
    """
    if leg.funding_read_at is None or now - leg.funding_read_at >= QUIET_READ_EVERY:
        return True
    settled_at, interval = known.settled_at, leg.instrument.funding_interval_seconds
    if settled_at is None or interval is None:
        return False
    if pays_daily(leg.instrument):
        settled_at, interval = _day_of(leg, settled_at), DAY // timedelta(seconds=1)
    ended = leg.position.close_timestamp or now
    accrues = leg.instrument.settlement == SettlementKind.ACCRUED
    counted_until = ended + timedelta(seconds=interval) if accrues else ended
    instant = latest_instant(settled_at, interval, min(now, counted_until))
    if _began(leg) > instant:
        return False
    # Stamps differ a little from the grid, and never by as much as a settlement.
    margin = min(READ_MARGIN, timedelta(seconds=interval) / 2)
    is_held, is_recent = ended >= instant, now - instant <= MISSING_AFTER
    if is_held and is_recent and not _reaches(known.paid_at, instant - margin):
        return True
    return not _reaches(known.expected_at, min(settled_at, instant) - margin)


def _day_of(leg: Leg, settled_at: datetime) -> datetime:
    """Return the last day's end up to a settlement."""
    pays_at = payment_at(leg.instrument, settled_at)
    is_end = pays_at - settled_at <= settlement_slack(leg.instrument)
    return pays_at if is_end else pays_at - DAY


def _reaches(told_of: datetime | None, instant: datetime) -> bool:
    return told_of is not None and told_of >= instant


def _since(legs: Sequence[Leg], known: Mapping[UUID, Known], now: datetime) -> datetime:
    """Return from when on something new may be told of one of the legs.

    That is further back where a settlement has passed and its payment is not there yet.
    """
    begins = min(_since_of(leg, known[leg.pk].paid_at) for leg in legs)
    oldest = (
        ExpectedFunding.objects.filter(
            leg__in=legs, event=None, created_at__gt=now - GIVEN_UP_AFTER
        )
        .exclude(status=Status.NOT_COUNTED)
        .order_by("settles_at")
        .first()
    )
    return begins if oldest is None else min(begins, oldest.settles_at - READ_MARGIN)


def _since_of(leg: Leg, last_paid_at: datetime | None) -> datetime:
    began = _began(leg) - guard_of(leg)
    return began if last_paid_at is None else max(began, last_paid_at - OVERLAP)


def _began(leg: Leg) -> datetime:
    return min(trade.filled_at for trade in leg.trades.all())
