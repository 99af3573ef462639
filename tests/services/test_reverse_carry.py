"""Coins that are sold without being held: borrowed, charged for, and paid back with interest."""

from __future__ import annotations

import pytest

from exchanges.domain import Side
from exchanges.simulator.accounts import Pin
from exchanges.simulator.listings import BYBIT_SPOT
from tests.services.strategy_desk import D, PlannedLeg, StrategyDesk
from tests.services.test_strategies import LONG, SHORT, assert_books_are_the_venues
from trading.core.states import PositionState
from trading.services.equity_bridge import equity_bridge
from trading.services.pnl import realised_parts

pytestmark = [pytest.mark.protocol, pytest.mark.django_db]


@pytest.fixture
def desk(strategy_desk: StrategyDesk) -> StrategyDesk:
    return strategy_desk


def reverse(desk: StrategyDesk) -> list[PlannedLeg]:
    desk.open_accounts("binanceusdm", "bybit")
    return [
        PlannedLeg(venue="bybit", symbol="BTCUSDT", side=SHORT, kinds=("spot",)),
        PlannedLeg(venue="binanceusdm", symbol="BTCUSDT", side=LONG, leverage="2"),
    ]


def test_a_reverse_carry_owes_coins_and_interest_and_pays_both_back(desk: StrategyDesk) -> None:
    legs = reverse(desk)
    desk.read_equity()
    position = desk.plan("reverse_cash_and_carry", legs, "0.1")
    desk.drive_until(position, PositionState.OPEN)
    assert desk.coins("bybit", "BTC") == D("-0.1")

    desk.pass_hours(5)
    owed = D("0.1") + sum((amount for _, amount, _ in desk.our_interest()), D(0))
    assert desk.coins("bybit", "BTC") == -owed < D("-0.1")
    desk.read_equity()
    desk.reconcile()
    desk.ask_to_close(position)
    desk.drive_until(position, PositionState.CLOSED)
    desk.read_equity()

    assert 0 <= desk.coins("bybit", "BTC") < D("0.00001")
    assert desk.held("binanceusdm", "BTCUSDT") == 0
    assert len(desk.our_interest()) == 5
    assert_books_are_the_venues(desk)
    period = equity_bridge(desk.user, since=None, until=desk.now)
    assert period is not None
    assert period.parts.borrow == realised_parts(position).borrow > 0
    assert abs(period.parts.unexplained) < D("1e-9")


def test_nothing_is_entered_on_coins_that_somebody_else_owes(desk: StrategyDesk) -> None:
    legs = reverse(desk)
    desk.world.account("bybit").credit("unified", "BTC", D("-0.3"))
    position = desk.plan("reverse_cash_and_carry", legs, "0.1")

    desk.drive_until(position, PositionState.ABANDONED)

    last = position.changes.order_by("-id")[0]
    assert "owes 0.3 BTC that Carry did not borrow" in last.cause
    assert not desk.their_fills()


def test_what_was_charged_last_is_what_staying_costs(desk: StrategyDesk) -> None:
    legs = reverse(desk)
    desk.world.simulator.ledger.put_pin(
        Pin(venue=BYBIT_SPOT, symbol="BTCUSDT", borrow_rate=D("0.00001"))
    )
    position = desk.plan("reverse_cash_and_carry", legs, "0.1")
    desk.drive_until(position, PositionState.OPEN)
    before = desk.held_position(position)
    desk.pass_hours(2)

    after = desk.held_position(position)

    assert before.borrow_per_hour == 0
    # 0.000001 on the 0.100001 owed by then, and as much again.
    assert after.borrow_per_hour.quantize(D("1e-9")) == D("0.00001")
    assert {leg.side for leg in after.legs} == {Side.BUY}


def test_coins_that_are_held_are_sold_before_any_are_borrowed(desk: StrategyDesk) -> None:
    legs = reverse(desk)
    desk.world.account("bybit").credit("unified", "BTC", D(1))
    position = desk.plan("reverse_cash_and_carry", legs, "0.1")
    desk.drive_until(position, PositionState.OPEN)
    desk.pass_hours(2)
    desk.reconcile()
    desk.ask_to_close(position)
    desk.drive_until(position, PositionState.CLOSED)

    assert 1 <= desk.coins("bybit", "BTC") < D("1.00001")
    assert desk.our_interest() == desk.their_interest() == []
    assert_books_are_the_venues(desk)
