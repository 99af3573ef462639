"""Exit rules while a fact is missing: what still holds, and what is told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.services.strategy_desk import PlannedLeg, StrategyDesk
from trading.core.states import PositionState
from trading.models import Event, LegSide, Position
from trading.services.watch import watch_positions

pytestmark = [pytest.mark.protocol, pytest.mark.django_db]

LATER = timedelta(seconds=3)


@pytest.fixture
def desk(strategy_desk: StrategyDesk) -> StrategyDesk:
    return strategy_desk


def open_position(desk: StrategyDesk, **rules: str) -> Position:
    """Return a position whose funding rates are too old 3 s after each publication."""
    desk.open_accounts("binanceusdm", "bybit")
    for venue in ("binanceusdm", "bybit"):
        desk.world.pin(venue, price="60000")
    legs = [
        PlannedLeg(venue="binanceusdm", symbol="BTCUSDT", side=LegSide.LONG, leverage="2"),
        PlannedLeg(
            venue="bybit", symbol="BTCUSDT", side=LegSide.SHORT, leverage="2", kinds=("perpetual",)
        ),
    ]
    values = {"max_funding_age_seconds": "1", "basis_reduce_at": "", **rules}
    position = desk.plan("funding_spread", legs, "0.1", open_reason="funding", **values)
    desk.drive_until(position, PositionState.OPEN)
    return position


def watch_for(desk: StrategyDesk, seconds: int, *, after: timedelta = LATER) -> list[int]:
    """Look every ten seconds, so long after prices and rates were published."""
    asked = []
    for _ in range(0, seconds, 10):
        desk.world.wait(seconds=10)
        desk.feed()
        asked.append(watch_positions(venues=desk.venues, clock=lambda: desk.now + after))
    return asked


def test_a_stop_loss_holds_while_no_funding_rate_is_fresh(desk: StrategyDesk) -> None:
    position = open_position(desk, stop_loss_usd="50")
    # 1,000 lower on 0.1 bought: 100 lost, and nothing gained on the other side.
    desk.world.pin("binanceusdm", price="59000")

    asked = watch_for(desk, 80)

    position.refresh_from_db()
    assert sum(asked) == 1 and asked[:5] == [0] * 5
    assert position.close_reason == "stop_loss"


def test_a_rule_about_funding_is_silent_without_it_and_that_is_told_after_a_minute(
    desk: StrategyDesk,
) -> None:
    position = open_position(desk, negative_spread_tolerance="conservative")
    desk.world.pin("binanceusdm", funding_rate="0.01")
    desk.world.pin("bybit", funding_rate="-0.01")

    assert watch_for(desk, 60) == [0] * 6
    assert not Event.objects.filter(kind="care.rules.warning").exists()
    assert watch_for(desk, 30) == [0] * 3

    told = Event.objects.get(kind="care.rules.warning")
    assert told.position == position
    assert "exit rules have not been judged for 60.0 s" in told.sentence
    assert "no tradable funding rate of binanceusdm is younger than 1.0 s" in told.sentence


def test_no_price_is_no_loss(desk: StrategyDesk) -> None:
    open_position(desk, stop_loss_usd="50", max_book_age_seconds="1")
    desk.world.pin("binanceusdm", price="59000")

    assert watch_for(desk, 80) == [0] * 8

    assert Event.objects.filter(kind="care.rules.warning").count() == 1
