"""What is booked equals the venues' ledger, once each; what is foreign halts an account."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone

from exchanges.models import ExchangeAccount
from tests.services.conftest import Desk
from trading.core.states import PositionState
from trading.models import Event, Trade
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
