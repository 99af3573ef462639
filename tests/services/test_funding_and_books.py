"""What is booked equals the venues' ledger, once each; what is foreign halts an account."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone

from exchanges.models import ExchangeAccount
from tests.machine import wait_until
from tests.services.conftest import Desk
from trading.core.states import PositionState
from trading.models import Event, FundingEvent, Trade
from trading.services.book_funding import book_funding
from trading.services.reconcile import reconcile_accounts
from trading.services.venues import REAL

pytestmark = pytest.mark.protocol


def rows(desk: Desk, venue: str, kind: str) -> list[dict[str, str]]:
    found = desk.ledger(venue)[kind]
    assert isinstance(found, list)
    return found


def test_every_fill_and_fee_is_booked_as_the_venue_has_it(desk: Desk) -> None:
    position = desk.drive_until(desk.enter(), PositionState.OPEN)

    for venue in ("binanceusdm", "bybit"):
        fills = rows(desk, venue, "fills")
        trades = Trade.objects.filter(position=position, leg__account=desk.account(venue))
        assert sorted(trade.venue_trade_id for trade in trades) == sorted(
            str(fill["venue_trade_id"]) for fill in fills
        )
        assert sum(t.base_quantity for t in trades) == sum(
            Decimal(fill["base_quantity"]) for fill in fills
        )
        assert sum(t.fee for t in trades) == sum(Decimal(fill["fee"]) for fill in fills)


def test_reconciling_twice_writes_nothing_the_second_time(desk: Desk) -> None:
    desk.drive_until(desk.enter(), PositionState.OPEN)
    assert reconcile_accounts(venues=REAL, now=timezone.now()) == 3
    before = (Trade.objects.count(), Event.objects.count())

    assert reconcile_accounts(venues=REAL, now=timezone.now()) == 3
    assert (Trade.objects.count(), Event.objects.count()) == before
    assert not ExchangeAccount.objects.exclude(halted_at=None).exists()


def test_each_payment_is_booked_once_and_equals_the_venue_to_the_last_digit(desk: Desk) -> None:
    position = desk.drive_until(desk.enter(), PositionState.OPEN)

    def is_paid() -> bool:
        book_funding(venues=REAL, now=timezone.now())
        return FundingEvent.objects.filter(position=position).count() >= 2

    # the rehearsal set settles every four minutes; the test's simulator every minute
    wait_until(is_paid, timeout=90, what="both legs are paid")
    book_funding(venues=REAL, now=timezone.now())

    for venue in ("binanceusdm", "bybit"):
        paid = [Decimal(row["payment"]) for row in rows(desk, venue, "funding")]
        booked = FundingEvent.objects.filter(leg__account=desk.account(venue))
        assert [event.payment for event in booked] == paid
