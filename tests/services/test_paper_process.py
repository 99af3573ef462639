"""A paper account the way a process of ours uses it: registry, venue loop, sockets, database."""

from __future__ import annotations

from collections.abc import Generator
from decimal import Decimal

import pytest
from django.core.management import call_command
from pytest_django import Settings

from arbsite.accounts.models import User
from exchanges import loop, registry
from exchanges.account_keys import account_key
from exchanges.domain import Side, VenueOrderStatus
from exchanges.models import ExchangeAccount
from exchanges.modes import Mode
from exchanges.paper.rows import PaperAccount, PaperFill
from exchanges.registry import AccountKey
from tests.paper_desk import PERPETUAL, order
from tests.rehearsal import RunningRedis, RunningSimulator

pytestmark = [pytest.mark.protocol, pytest.mark.django_db(transaction=True)]

SECONDS = 20.0


@pytest.fixture
def key(
    simulator: RunningSimulator, redis_server: RunningRedis, owner: User, settings: Settings
) -> Generator[AccountKey]:
    """The simulator stands for the real venue; no account of ours is known there."""
    registry.close_all()
    settings.CARRY_SIMULATOR_URL, settings.CARRY_VENUES_URL = "", simulator.url
    settings.REDIS_URL = redis_server.url
    call_command("paper_account", "owner", "binanceusdm", "--balance", "50000")
    yield account_key(ExchangeAccount.objects.select_related("exchange").get())
    registry.close_all()


def test_an_order_is_sent_filled_and_read_back_by_another_process(key: AccountKey) -> None:
    request = order(Side.BUY, "0.01")
    registry.warm_up([key])
    loop.call(registry.trading(key).prepare(PERPETUAL, leverage=Decimal(2)), SECONDS)
    loop.call(registry.trading(key).submit(request), SECONDS)
    # What a process keeps in memory is gone with it.
    registry.close_all()

    found = loop.call(registry.trading(key).find_order(request.client_order_id, PERPETUAL), SECONDS)
    [position] = loop.call(registry.account(key).positions(), SECONDS)
    [dollars] = loop.call(registry.account(key).balances(), SECONDS)

    [fill] = PaperFill.objects.all()
    assert (found.status, found.average_price) == (VenueOrderStatus.FILLED, fill.price)
    assert (position.base_quantity, position.leverage) == (Decimal("0.01"), 2)
    assert position.liquidation_price is None
    assert dollars.total == Decimal(50_000) - fill.fee
    assert PaperAccount.objects.get().orders_placed == 1


def test_no_loan_is_offered_on_paper(key: AccountKey) -> None:
    assert loop.call(registry.market_data(key.venue, Mode.PAPER).borrow_rates(), SECONDS) == []
