"""A carry whose coins are bought at Kraken and hedged at Binance."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.services.memory_board import board_in_memory
from tests.services.strategy_desk import D, PlannedLeg, StrategyDesk
from tests.services.test_strategies import PERP, assert_books_are_the_venues
from trading.core.states import OrderState, PositionState
from trading.models import LegSide, Order
from trading.services import lookup
from trading.services.pnl import realised_parts

pytestmark = [pytest.mark.protocol, pytest.mark.django_db]

COINS = PlannedLeg(venue="kraken", symbol="XBTUSDT", side=LegSide.LONG)
PLACE, WORKING, ENDED = "/0/private/AddOrder", "private/OpenOrders", "private/ClosedOrders"


@pytest.fixture
def desk(tmp_path: Path, db: None) -> Generator[StrategyDesk]:
    with board_in_memory() as memory:
        desk = StrategyDesk(tmp_path / "venues", memory, watched=True)
        desk.open_accounts("kraken", "binanceusdm")
        yield desk
        desk.close()


def disturb(desk: StrategyDesk, action: str, path: str = PLACE, **how: Any) -> None:
    desk.world.venues.faults.add({"action": action, "venue": "kraken", "path": path, **how})


def test_coins_are_bought_and_sold_whole_and_fees_are_money(desk: StrategyDesk) -> None:
    began = desk.coins("kraken", "BTC")
    for venue in ("kraken", "binanceusdm"):
        desk.world.pin(venue, price="64000")
    position = desk.plan("cash_and_carry", [COINS, PERP], "0.1", entry_style="both_at_once")

    desk.drive_until(position, PositionState.OPEN)
    assert desk.coins("kraken", "BTC") - began == D("0.1") == -desk.held("binanceusdm", "BTCUSDT")
    desk.reconcile()
    desk.pass_hours(1)
    desk.ask_to_close(position)
    desk.drive_until(position, PositionState.CLOSED)

    assert (desk.coins("kraken", "BTC"), desk.held("binanceusdm", "BTCUSDT")) == (began, 0)
    assert_books_are_the_venues(desk)
    assert {fee for *_, fee in desk.our_fills()} == {"USDT"}
    # Taker fees of 0.4 % and 0.05 % on 6,400 dollars, twice.
    assert abs(realised_parts(position).fees - D("57.6")) < D("0.5")


@pytest.mark.parametrize("action", ["accept_then_reset", "server_error_after_accept", "garbage"])
def test_a_purchase_whose_answer_is_lost_is_looked_up_and_sent_once(
    desk: StrategyDesk, action: str
) -> None:
    began = desk.coins("kraken", "BTC")
    position = desk.plan("cash_and_carry", [COINS, PERP], "0.1")
    disturb(desk, action)

    desk.drive_until(position, PositionState.OPEN)

    assert Order.objects.filter(leg__index=0).count() == 1
    assert desk.coins("kraken", "BTC") - began == D("0.1") == -desk.held("binanceusdm", "BTCUSDT")
    assert desk.our_fills() == desk.their_fills()


def test_an_order_that_never_came_is_absent_in_time_and_leaves_nothing_naked(
    desk: StrategyDesk,
) -> None:
    began = desk.coins("kraken", "BTC")
    position = desk.plan("cash_and_carry", [COINS, PERP], "0.1")
    disturb(desk, "drop_before_accept")
    with pytest.raises(AssertionError, match="orders are working"):
        desk.drive_until(position, PositionState.OPEN, seconds=20)
    lost = position.orders.get()
    assert lost.state == OrderState.UNKNOWN

    # Absent for ten seconds of the process's own clock.
    lookup.not_found_since[lost.pk] = -1_000_000.0
    desk.drive_until(position, PositionState.CLOSED, PositionState.ABANDONED)

    lost.refresh_from_db()
    assert lost.state == OrderState.NOT_PLACED
    assert (desk.coins("kraken", "BTC"), desk.held("binanceusdm", "BTCUSDT")) == (began, 0)
    assert desk.our_fills() == desk.their_fills()


def test_an_order_that_neither_list_shows_at_first_is_not_taken_for_absent(
    desk: StrategyDesk,
) -> None:
    began = desk.coins("kraken", "BTC")
    position = desk.plan("cash_and_carry", [COINS, PERP], "0.1")
    disturb(desk, "accept_then_reset")
    disturb(desk, "server_error", WORKING, count=2)
    disturb(desk, "server_error", ENDED, count=2)

    desk.drive_until(position, PositionState.OPEN)

    assert Order.objects.filter(leg__index=0).count() == 1
    assert desk.coins("kraken", "BTC") - began == D("0.1") == -desk.held("binanceusdm", "BTCUSDT")
