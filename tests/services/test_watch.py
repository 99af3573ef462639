"""The rules of an open position: what closes it, what does not, how long a loss must last."""

from __future__ import annotations

import pytest
from django.utils import timezone

from exchanges import selectors
from tests.services.conftest import Desk
from trading.core.parameters import Parameters
from trading.core.states import Goal, PositionState
from trading.models import Position
from trading.services.watch import Watch, held_position

pytestmark = pytest.mark.protocol


@pytest.fixture
def position(desk: Desk) -> Position:
    return desk.drive_until(desk.enter(), PositionState.OPEN)


def set_rules(position: Position, **values: str) -> None:
    merged = Parameters.from_values({**position.parameters, **values}).to_values()
    Position.objects.filter(pk=position.pk).update(parameters=merged)


def test_a_take_profit_that_is_reached_closes_at_once(desk: Desk, position: Position) -> None:
    # the market came to the long entry by 5 bp and stayed there: put it 1 % above for a profit
    desk.simulator.control(
        "POST", "/market", {"venue": "binanceusdm", "symbol": "BTCUSDT", "price": "70000"}
    )
    set_rules(position, take_profit_usd="1", max_spread="1")
    desk.refresh_market()

    assert Watch().check_exits() == 1

    position.refresh_from_db()
    assert position.goal == Goal.FLAT
    assert position.close_reason == "take_profit"
    assert "take profit of 1.00 USD" in position.close_sentence


def test_a_stop_loss_must_last_before_it_closes(desk: Desk, position: Position) -> None:
    desk.simulator.control(
        "POST", "/market", {"venue": "binanceusdm", "symbol": "BTCUSDT", "price": "50000"}
    )
    set_rules(position, take_profit_usd="", stop_loss_usd="1")
    desk.refresh_market()

    assert Watch().check_exits() == 0

    position.refresh_from_db()
    assert position.goal == Goal.HEDGED


def test_a_stale_book_closes_nothing(desk: Desk, position: Position) -> None:
    set_rules(position, take_profit_usd="0.01", max_book_age_seconds="0.1")
    legs = list(position.legs.select_related("instrument__exchange"))
    position.refresh_from_db()

    held = held_position(position, legs, selectors.market_board(), timezone.now())

    assert held is None
