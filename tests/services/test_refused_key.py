"""A key that a venue refuses, in calls that send no order, halts its account and no other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import cast

import pytest

from arbsite.accounts.models import User
from exchanges.domain import ClientOrderId, OrderReport, Symbol
from exchanges.errors import CredentialRefused
from exchanges.models import ExchangeAccount
from exchanges.ports import Account, Trading
from tests.services import test_submit as orders
from trading.core.states import OrderState, PositionState
from trading.models import Order, Position
from trading.services.contact import Contact
from trading.services.drive import drive
from trading.services.lookup import look_up
from trading.services.venues import Venues

pytestmark = [pytest.mark.db, pytest.mark.django_db]

NOW = orders.NOW
REFUSED = CredentialRefused("the venue refused the API key", venue="bybit", code="10003")
position = orders.position


@dataclass
class LockedVenue:
    """A venue that refuses the key, whatever it is asked."""

    async def prepare(self, symbol: Symbol, *, leverage: Decimal) -> None:
        raise REFUSED

    async def find_order(self, own_id: ClientOrderId, symbol: Symbol) -> OrderReport:
        raise REFUSED


def locked() -> Venues:
    venues = orders.venues_of(orders.ScriptedVenue(REFUSED))
    door = LockedVenue()
    return replace(
        venues,
        trading=lambda account: cast(Trading, door),
        account=lambda account: cast(Account, door),
    )


def test_an_entry_that_cannot_be_prepared_is_dropped_and_its_account_halted(
    owner: User, position: Position
) -> None:
    Position.objects.filter(pk=position.pk).update(
        state=PositionState.PLANNED, lease_expires_at=None
    )

    drive(position.pk, venues=locked(), clock=lambda: NOW)

    position.refresh_from_db()
    account = ExchangeAccount.objects.get(legs__position=position)
    assert position.state == PositionState.ABANDONED
    assert (account.halted_at, account.halted_reason) == (NOW, str(REFUSED))


def test_an_order_that_cannot_be_looked_up_stays_unknown_and_its_account_is_halted(
    position: Position,
) -> None:
    sent = orders.intend(position)
    Order.objects.filter(pk=sent.pk).update(state=OrderState.UNKNOWN, sent_at=NOW)
    order = Order.objects.select_related("leg__account__exchange", "position").get(pk=sent.pk)

    look_up([order], venues=locked(), contact=Contact(), now=NOW + timedelta(seconds=20))

    order.refresh_from_db()
    assert order.state == OrderState.UNKNOWN
    assert ExchangeAccount.objects.get(legs__position=position).is_halted
    [told] = order.position.events.filter(kind="order.unknown")
    assert told.severity == "critical"
