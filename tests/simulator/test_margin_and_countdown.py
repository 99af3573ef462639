"""Isolated margin, added margin and the countdown, by signed requests on the venues' own clock."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from exchanges.domain import Side, VenueOrderStatus
from exchanges.simulator.listings import BYBIT, USDM
from tests.simulator.world import World

pytestmark = pytest.mark.core

D = Decimal


def isolated_long(world: World) -> None:
    """Hold 1 BTC long at Binance at 5x, isolated, near 50,000."""
    world.pin(USDM, price="50000", level_quantity="10")
    for path, values in (("marginType", {"marginType": "ISOLATED"}), ("leverage", {"leverage": 5})):
        answer = world.private(USDM, "POST", f"/fapi/v1/{path}", symbol="BTCUSDT", **values)
        assert answer.status == 200
    world.place(USDM, Side.BUY, "1")


def position(world: World) -> Any:
    (row,) = world.private(USDM, "GET", "/fapi/v3/positionRisk").body
    return row


def test_an_isolated_leg_is_liquidated_where_the_formula_says(world: World) -> None:
    isolated_long(world)

    row = position(world)

    # E (1 - 1/5) / (1 - 0.004) at the first tier's maintenance of 0.4 %
    entry = D(row["entryPrice"])
    assert D(row["isolatedWallet"]) == pytest.approx(entry / 5)
    assert D(row["liquidationPrice"]) == pytest.approx(entry * D("0.8") / D("0.996"), rel=D("1e-6"))


def test_added_margin_moves_liquidation_away_and_out_of_the_free_balance(world: World) -> None:
    isolated_long(world)
    before = position(world)
    (free,) = world.private(USDM, "GET", "/fapi/v2/balance").body

    answer = world.private(
        USDM, "POST", "/fapi/v1/positionMargin", symbol="BTCUSDT", amount="996", type="1"
    )

    # 996 / 0.996 = 1,000 lower
    after = position(world)
    assert answer.body["code"] == 200
    assert D(before["liquidationPrice"]) - D(after["liquidationPrice"]) == pytest.approx(D(1000))
    assert D(after["isolatedWallet"]) - D(before["isolatedWallet"]) == 996
    (left,) = world.private(USDM, "GET", "/fapi/v2/balance").body
    assert D(free["availableBalance"]) - D(left["availableBalance"]) == 996


def test_margin_is_not_added_to_cross_or_beyond_what_is_free(world: World) -> None:
    world.place(USDM, Side.BUY, "0.1")
    order = {"symbol": "BTCUSDT", "type": "1"}
    cross = world.private(USDM, "POST", "/fapi/v1/positionMargin", amount="10", **order)

    assert cross.body["code"] == -4053

    world.place(USDM, Side.SELL, "0.1")
    isolated_long(world)
    much = world.private(USDM, "POST", "/fapi/v1/positionMargin", amount="99999", **order)
    assert much.body["code"] == -4050


def test_margin_added_to_a_position_is_free_again_when_it_ends(world: World) -> None:
    isolated_long(world)
    world.private(USDM, "POST", "/fapi/v1/positionMargin", symbol="BTCUSDT", amount="996", type="1")
    world.place(USDM, Side.SELL, "1")
    world.place(USDM, Side.BUY, "1")

    row = position(world)

    assert D(row["isolatedWallet"]) == pytest.approx(D(row["entryPrice"]) / 5)


def test_only_the_isolated_position_is_liquidated(world: World) -> None:
    isolated_long(world)

    world.pin(USDM, price="40000")
    world.wait(seconds=1)

    assert world.private(USDM, "GET", "/fapi/v3/positionRisk").body == []
    (free,) = world.private(USDM, "GET", "/fapi/v2/balance").body
    assert D(free["balance"]) > 89_000


def test_bybit_adds_margin_once_its_account_is_isolated(world: World) -> None:
    world.place(BYBIT, Side.SELL, "1")
    order = {"category": "linear", "symbol": "BTCUSDT", "margin": "500", "positionIdx": 0}
    cross = world.private(BYBIT, "POST", "/v5/position/add-margin", **order)
    world.private(BYBIT, "POST", "/v5/account/set-margin-mode", setMarginMode="ISOLATED_MARGIN")
    before = held_at_bybit(world)

    added = world.private(BYBIT, "POST", "/v5/position/add-margin", **order)

    after = held_at_bybit(world)
    assert (cross.body["retCode"], added.body["retCode"]) == (10001, 0)
    assert D(after["positionBalance"]) - D(before["positionBalance"]) == 500
    assert D(after["liqPrice"]) > D(before["liqPrice"])
    mode = world.private(BYBIT, "GET", "/v5/account/info").body["result"]["marginMode"]
    assert mode == "ISOLATED_MARGIN"


def held_at_bybit(world: World) -> Any:
    answer = world.private(BYBIT, "GET", "/v5/position/list", category="linear", symbol="BTCUSDT")
    return answer.body["result"]["list"][0]


def test_a_countdown_that_is_not_renewed_cancels_every_order_of_its_symbol(world: World) -> None:
    world.pin(USDM, price="60000")
    order = world.place(USDM, Side.BUY, "0.1", price="50000")
    eth = world.listing(USDM, "ETHUSDT")
    other = world.place(USDM, Side.BUY, "1", price="1000", listing=eth)
    start(world, 10_000)

    world.wait(seconds=9)
    start(world, 10_000)
    world.wait(seconds=9.5)
    assert order.status is VenueOrderStatus.OPEN

    world.open()
    world.at += timedelta(seconds=0.5)
    answer = world.private(USDM, "GET", "/fapi/v1/openOrders", symbol="BTCUSDT")

    # ten seconds after the renewal, by the first request that looks, in a process that was new
    assert answer.body == []
    assert world.simulator.ledger.orders[order.number].status is VenueOrderStatus.CANCELED
    assert world.simulator.ledger.orders[other.number].status is VenueOrderStatus.OPEN


def test_a_countdown_of_zero_ends_it(world: World) -> None:
    world.pin(USDM, price="60000")
    order = world.place(USDM, Side.BUY, "0.1", price="50000")
    start(world, 10_000)
    start(world, 0)

    world.wait(seconds=60)

    assert order.status is VenueOrderStatus.OPEN


def start(world: World, milliseconds: int) -> None:
    answer = world.private(
        USDM,
        "POST",
        "/fapi/v1/countdownCancelAll",
        symbol="BTCUSDT",
        countdownTime=str(milliseconds),
    )
    assert answer.body == {"symbol": "BTCUSDT", "countdownTime": str(milliseconds)}
