"""Accounts with a history: new keys, venues that stay away, quantities that nobody can explain."""

from __future__ import annotations

from datetime import timedelta

import pytest

from exchanges.account_keys import store_account
from exchanges.domain import Side
from exchanges.models import ExchangeAccount
from tests.services.strategy_desk import StrategyDesk
from trading.models import Discrepancy
from trading.services import resolve
from trading.services.check_keys import check_keys
from trading.services.discrepancies import READ_LAG

pytestmark = [pytest.mark.protocol, pytest.mark.django_db]


@pytest.fixture
def desk(strategy_desk: StrategyDesk) -> StrategyDesk:
    return strategy_desk


def account_at(venue: str) -> ExchangeAccount:
    return ExchangeAccount.objects.select_related("exchange").get(exchange__code=venue)


def look_until_lasting(desk: StrategyDesk) -> Discrepancy:
    """Compare, and compare again once no read can lag any more; return what is confirmed."""
    desk.reconcile()
    desk.world.wait(seconds=READ_LAG.total_seconds() + 1)
    desk.reconcile()
    return Discrepancy.objects.confirmed().get()


def test_a_new_key_does_not_lift_the_halt_of_a_difference_that_still_stands(
    desk: StrategyDesk,
) -> None:
    desk.open_accounts("bybit")
    desk.world.place("bybit", Side.BUY, "0.05")
    difference = look_until_lasting(desk)
    account = account_at("bybit")

    account = store_account(
        user=desk.user, exchange=account.exchange, label=account.label, api_key="a", secret="b"
    )
    assert account.checked_at is None
    assert check_keys(venues=desk.venues, now=desk.now) == 0

    account.refresh_from_db()
    assert account.is_halted
    assert account.halted_reason == difference.sentence[:300]
    assert account.checked_at == desk.now
    assert resolve.ignore(difference, actor="trader", now=desk.now + timedelta(seconds=1)) is None
    assert not account_at("bybit").is_halted
