from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from exchanges.ccxt_adapter.account import CcxtAccount
from exchanges.domain import Side, Symbol
from tests.protocol.conftest import assert_exact
from tests.simulator.nearby import VENUES, call, client_at
from tests.simulator.world import START, World, bitcoin

pytestmark = pytest.mark.protocol

BTC = Symbol("BTC/USDT:USDT")


@pytest.fixture(params=VENUES)
def venue(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, interval_minutes=60)


@pytest.fixture
def account(world: World, venue: str) -> Generator[CcxtAccount]:
    client = client_at(world, venue)
    yield CcxtAccount(client)
    call(client.close())


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_payments_of_both_signs_are_the_ledgers_to_the_last_digit(
    world: World, account: CcxtAccount, venue: str, side: Side
) -> None:
    world.pin(venue, funding_rate="0.001")
    world.place(venue, side, "0.1")
    world.wait(minutes=59, seconds=40)
    world.wait(hours=1)

    payments = call(account.funding_payments({bitcoin(venue): BTC}, since=START))

    key = world.account(venue).api_key
    booked = list(world.simulator.ledger.account_funding(key, venue, bitcoin(venue)))
    assert len(booked) == 2
    assert [(each.venue_payment_id, each.payment) for each in payments] == [
        (row.venue_payment_id, row.payment) for row in booked
    ]
    for payment in payments:
        # The rate is positive: longs pay shorts.
        assert (payment.payment > 0) is (side is Side.SELL)
        assert payment.asset == "USDT"
        assert_exact(payment)


def test_one_request_tells_of_all_contracts_and_of_no_other(
    world: World, account: CcxtAccount, venue: str
) -> None:
    def other(base: str) -> str:
        return bitcoin(venue).replace("BTC", base)

    for symbol in (bitcoin(venue), other("ETH"), other("SOL")):
        world.pin(venue, symbol, funding_rate="0.001")
        world.place(venue, Side.SELL, "1", symbol=symbol)
    world.wait(hours=1)
    contracts = {bitcoin(venue): BTC, other("ETH"): Symbol("ETH/USDT:USDT")}
    call(account.funding_payments(contracts, since=START))
    asked = len(world.simulator.ledger.accesses(after=0, limit=10_000))

    payments = call(account.funding_payments(contracts, since=START))

    assert len(world.simulator.ledger.accesses(after=0, limit=10_000)) == asked + 1
    key = world.account(venue).api_key
    assert {each.symbol: each.payment for each in payments} == {
        symbol: row.payment
        for name, symbol in contracts.items()
        for row in world.simulator.ledger.account_funding(key, venue, name)
    }
    assert len(payments) == 2


def test_funding_is_no_execution(world: World, account: CcxtAccount, venue: str) -> None:
    world.place(venue, Side.BUY, "0.1")
    world.wait(hours=1)

    fills = call(account.fills(BTC, since=START))

    assert [fill.side for fill in fills] == [Side.BUY]
    assert len(world.simulator.ledger.funding) == 1
