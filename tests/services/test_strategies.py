"""Each strategy from its plan to CLOSED on the simulated venues; our books are the venues' own."""

from __future__ import annotations

import pytest

from exchanges.simulator.accounts import Origin
from tests.services.strategy_desk import D, PlannedLeg, StrategyDesk
from trading.core.states import PositionState
from trading.models import Event, LegSide, Trade
from trading.services.equity_bridge import equity_bridge
from trading.services.pnl import realised_parts
from trading.services.reduction import request_reduction

pytestmark = [pytest.mark.protocol, pytest.mark.django_db]

LONG, SHORT = LegSide.LONG, LegSide.SHORT
# Bybit names spot and perpetual alike.
CONTRACT = ("perpetual",)
SPOT = PlannedLeg(venue="binance", symbol="BTCUSDT", side=LONG)
PERP = PlannedLeg(venue="binanceusdm", symbol="BTCUSDT", side=SHORT, leverage="2")
NEAR, FAR = "BTCUSDT_260106", "BTCUSDT-27MAR26"


@pytest.fixture
def desk(strategy_desk: StrategyDesk) -> StrategyDesk:
    return strategy_desk


def assert_books_are_the_venues(desk: StrategyDesk) -> None:
    assert desk.our_fills() == desk.their_fills()
    assert desk.our_funding() == desk.their_funding()
    assert desk.our_interest() == desk.their_interest()
    assert not Event.objects.filter(severity=Event.Severity.CRITICAL).exists()


def test_cash_and_carry_holds_what_its_fee_leaves_and_sells_no_more(desk: StrategyDesk) -> None:
    desk.open_accounts("binance", "binanceusdm")
    desk.read_equity()
    position = desk.plan("cash_and_carry", [SPOT, PERP], "0.1")

    desk.drive_until(position, PositionState.OPEN)
    bought = desk.coins("binance", "BTC")
    desk.read_equity()
    desk.reconcile()
    desk.pass_hours(3)
    desk.ask_to_close(position)
    desk.drive_until(position, PositionState.CLOSED)
    desk.read_equity()

    assert (desk.held("binanceusdm", "BTCUSDT"), D("0.1") <= bought < D("0.10001")) == (0, True)
    assert 0 <= desk.coins("binance", "BTC") < D("0.00001")
    assert_books_are_the_venues(desk)
    assert len(desk.our_funding()) == 3
    period = equity_bridge(desk.user, since=None, until=desk.now)
    assert period is not None
    assert abs(period.parts.unexplained) < D("1e-9")
    assert abs(period.parts.net_pnl - realised_parts(position).total) < D("0.001")


@pytest.mark.parametrize("order", ["perp_first", "spot_first"])
def test_a_calm_exit_closes_one_kind_first_and_the_other_after_each_fill(
    desk: StrategyDesk, order: str
) -> None:
    desk.open_accounts("binance", "binanceusdm")
    position = desk.plan("cash_and_carry", [SPOT, PERP], "0.1", close_order=order)
    desk.drive_until(position, PositionState.OPEN)

    desk.ask_to_close(position)
    desk.drive_until(position, PositionState.CLOSED)

    closing = Trade.objects.filter(action="CLOSE").order_by("order__created_at", "filled_at")
    first, *_, last = [trade.leg.instrument.exchange.code for trade in closing]
    venues = ("binanceusdm", "binance")
    assert (first, last) == (venues if order == "perp_first" else venues[::-1])
    assert_books_are_the_venues(desk)


def test_price_convergence_closes_once_the_gap_is_gone(desk: StrategyDesk) -> None:
    desk.open_accounts("binanceusdm", "bybit")
    desk.world.pin("binanceusdm", price="60000", funding_rate="0")
    desk.world.pin("bybit", price="60300", funding_rate="0")
    legs = [
        PlannedLeg(venue="binanceusdm", symbol="BTCUSDT", side=LONG, leverage="2"),
        PlannedLeg(venue="bybit", symbol="BTCUSDT", side=SHORT, leverage="2", kinds=CONTRACT),
    ]
    position = desk.plan("price_convergence", legs, "0.1", entry_style="both_at_once")
    desk.drive_until(position, PositionState.OPEN)
    assert desk.watch() == 0

    desk.world.pin("bybit", price="60010")
    desk.world.wait(seconds=1)
    assert desk.watch() == 1
    desk.drive_until(position, PositionState.CLOSED)

    assert position.close_reason == "gap_captured"
    assert (desk.held("binanceusdm", "BTCUSDT"), desk.held("bybit", "BTCUSDT")) == (0, 0)
    assert_books_are_the_venues(desk)
    # 300 of 60,000 at entry, 10 at exit: 29 on 0.1, less slippage and four taker fees.
    parts = realised_parts(position)
    assert parts.basis_pnl == D("29")
    assert D("0") < parts.total < D("29")


def calendar(desk: StrategyDesk) -> list[PlannedLeg]:
    desk.open_accounts("binanceusdm", "bybit")
    desk.world.pin("bybit", funding_rate="-0.0001")
    return [
        PlannedLeg(venue="bybit", symbol="BTCUSDT", side=LONG, leverage="2", kinds=CONTRACT),
        PlannedLeg(venue="binanceusdm", symbol=NEAR, side=SHORT, leverage="2"),
    ]


def test_a_calendar_spread_is_left_a_day_before_its_expiry(desk: StrategyDesk) -> None:
    position = desk.plan("calendar_spread", calendar(desk), "0.1")
    desk.drive_until(position, PositionState.OPEN)
    desk.pass_hours(4)
    assert desk.watch() == 0

    desk.pass_hours(2)
    desk.read_accounts()
    assert desk.watch() == 1
    desk.drive_until(position, PositionState.CLOSED)

    assert position.close_reason == "expiry"
    assert (desk.held("binanceusdm", NEAR), desk.held("bybit", "BTCUSDT")) == (0, 0)
    assert_books_are_the_venues(desk)


def test_a_delivered_future_is_followed_by_the_other_leg_at_once(desk: StrategyDesk) -> None:
    position = desk.plan("calendar_spread", calendar(desk), "0.1")
    desk.drive_until(position, PositionState.OPEN)

    desk.pass_hours(31)
    desk.reconcile()
    desk.drive_until(position, PositionState.CLOSED)

    assert position.close_reason == "settled"
    assert (desk.held("binanceusdm", NEAR), desk.held("bybit", "BTCUSDT")) == (0, 0)
    assert desk.our_fills() == desk.their_fills()
    assert desk.our_funding() == desk.their_funding()
    delivered = Trade.objects.get(cause=Trade.Cause.SETTLEMENT)
    assert delivered.price == desk.world.simulator.ledger.trades[-2].price


def split(desk: StrategyDesk) -> list[PlannedLeg]:
    desk.open_accounts("binance", "binanceusdm", "bybit")
    return [
        PlannedLeg(venue="binance", symbol="BTCUSDT", side=LONG),
        PlannedLeg(venue="binanceusdm", symbol="BTCUSDT", side=SHORT, ratio="0.5", leverage="2"),
        PlannedLeg(venue="bybit", symbol=FAR, side=SHORT, ratio="0.5", leverage="2"),
    ]


def test_three_legs_are_entered_held_and_closed_by_their_ratios(desk: StrategyDesk) -> None:
    legs = split(desk)
    desk.read_equity()
    position = desk.plan("split_carry", legs, "0.2")

    desk.drive_until(position, PositionState.OPEN)
    held = desk.held("binanceusdm", "BTCUSDT"), desk.held("bybit", FAR)
    desk.reconcile()
    desk.pass_hours(3)
    desk.ask_to_close(position)
    desk.drive_until(position, PositionState.CLOSED)
    desk.read_equity()

    assert held == (D("-0.1"), D("-0.1"))
    assert (desk.held("binanceusdm", "BTCUSDT"), desk.held("bybit", FAR)) == (0, 0)
    assert 0 <= desk.coins("binance", "BTC") < D("0.00001")
    assert_books_are_the_venues(desk)
    period = equity_bridge(desk.user, since=None, until=desk.now)
    assert period is not None
    assert abs(period.parts.unexplained) < D("1e-9")


def test_one_of_three_legs_that_is_liquidated_takes_the_others_with_it(
    desk: StrategyDesk,
) -> None:
    position = desk.plan("split_carry", split(desk), "0.2")
    desk.drive_until(position, PositionState.OPEN)
    perpetual = desk.world.listing("binanceusdm")

    desk.world.wait(minutes=1)
    desk.world.simulator.engine.close_by_venue(
        desk.world.account("binanceusdm"), perpetual, Origin.LIQUIDATION, now=desk.now
    )
    desk.reconcile()
    desk.drive_until(position, PositionState.CLOSED)

    assert position.close_reason == "liquidated"
    assert desk.held("bybit", FAR) == 0
    assert 0 <= desk.coins("binance", "BTC") < D("0.00001")
    assert desk.our_fills() == desk.their_fills()


def test_three_legs_are_halved_by_their_ratios(desk: StrategyDesk) -> None:
    position = desk.plan("split_carry", split(desk), "0.2")
    desk.drive_until(position, PositionState.OPEN)

    assert request_reduction(position, to=D("0.1"), cause="a test", now=desk.now)
    desk.drive_until(position, PositionState.UNWINDING, PositionState.OPEN)
    desk.drive_until(position, PositionState.OPEN)

    assert position.reduce_to is None
    held = desk.held("binanceusdm", "BTCUSDT"), desk.held("bybit", FAR)
    assert held == (D("-0.05"), D("-0.05"))
    assert D("0.1") <= desk.coins("binance", "BTC") < D("0.10002")
    assert desk.our_fills() == desk.their_fills()
