"""Spot and three-legged positions when venues refuse, do not answer, or hold what is not ours."""

from __future__ import annotations

import pytest

from tests.services.strategy_desk import D, StrategyDesk
from tests.services.test_strategies import FAR, PERP, SPOT, split
from trading.core.states import PositionState
from trading.models import Event, Order
from trading.services.pnl import realised_parts

pytestmark = [pytest.mark.protocol, pytest.mark.django_db]

ORDERS = {"binance": "/api/v3/order", "bybit": "/v5/order/create"}


@pytest.fixture
def desk(strategy_desk: StrategyDesk) -> StrategyDesk:
    return strategy_desk


def test_a_third_leg_that_is_refused_ends_the_entry_flat(desk: StrategyDesk) -> None:
    position = desk.plan("split_carry", split(desk), "0.2")
    desk.world.venues.faults.add(
        {
            "action": "reject",
            "venue": "bybit",
            "method": "POST",
            "path": ORDERS["bybit"],
            "code": 110007,
            "message": "ab not enough for new order",
            "count": None,
        }
    )

    desk.drive_until(position, PositionState.CLOSED)

    assert (desk.held("binanceusdm", "BTCUSDT"), desk.held("bybit", FAR)) == (0, 0)
    assert 0 <= desk.coins("binance", "BTC") < D("0.00001")
    assert desk.our_fills() == desk.their_fills()
    assert Event.objects.filter(kind="position.failed_attempt").exists()
    assert realised_parts(position).total < 0


def test_a_spot_order_whose_answer_is_lost_is_looked_up_and_sent_once(desk: StrategyDesk) -> None:
    desk.open_accounts("binance", "binanceusdm")
    position = desk.plan("cash_and_carry", [SPOT, PERP], "0.1")
    desk.world.venues.faults.add(
        {
            "action": "accept_then_reset",
            "venue": "binance",
            "method": "POST",
            "path": ORDERS["binance"],
        }
    )

    desk.drive_until(position, PositionState.OPEN)

    assert Order.objects.filter(leg__index=0).count() == 1
    assert D("0.1") <= desk.coins("binance", "BTC") < D("0.10001")
    assert desk.our_fills() == desk.their_fills()


def test_coins_that_are_not_ours_are_left_alone(desk: StrategyDesk) -> None:
    desk.open_accounts("binance", "binanceusdm")
    desk.world.account("binance").credit("spot", "BTC", D("2.5"))
    position = desk.plan("cash_and_carry", [SPOT, PERP], "0.1")
    desk.drive_until(position, PositionState.OPEN)
    desk.reconcile()

    desk.ask_to_close(position)
    desk.drive_until(position, PositionState.CLOSED)

    assert D("2.5") <= desk.coins("binance", "BTC") < D("2.50001")


def test_three_legs_that_are_killed_while_they_enter_end_flat(desk: StrategyDesk) -> None:
    position = desk.plan("split_carry", split(desk), "0.2")
    desk.drive_until(position, PositionState.ENTERING)
    desk.world.wait(seconds=3)

    desk.kill()
    desk.drive_until(position, PositionState.CLOSED, PositionState.ABANDONED)

    assert (desk.held("binanceusdm", "BTCUSDT"), desk.held("bybit", FAR)) == (0, 0)
    assert 0 <= desk.coins("binance", "BTC") < D("0.00001")
    assert desk.our_fills() == desk.their_fills()
