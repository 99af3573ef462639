"""What venues tell of the past: pages, order, signs; and that a run can be repeated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from exchanges.domain import Side
from exchanges.simulator.listings import BYBIT, SPOT, USDM
from tests.simulator.world import World

pytestmark = pytest.mark.core


def bought(world: World, venue: str, count: int) -> None:
    for _ in range(count):
        world.wait(seconds=1)
        world.place(venue, Side.BUY, "0.01")


def test_binance_trades_page_forward_from_a_start_and_else_show_the_latest(world: World) -> None:
    bought(world, USDM, 5)
    ask: dict[str, Any] = {"symbol": "BTCUSDT", "limit": 2}
    everything = world.private(USDM, "GET", "/fapi/v1/userTrades", symbol="BTCUSDT").body

    latest = world.private(USDM, "GET", "/fapi/v1/userTrades", **ask).body
    first = world.private(
        USDM, "GET", "/fapi/v1/userTrades", startTime=everything[0]["time"], **ask
    ).body

    assert len(everything) == 5
    assert (latest, first) == (everything[-2:], everything[:2])


def test_bybit_executions_page_backward_by_cursor(world: World) -> None:
    bought(world, BYBIT, 5)
    ask = {"category": "linear", "symbol": "BTCUSDT", "limit": 2}
    pages, cursor = [], ""
    while True:
        more = {"cursor": cursor} if cursor else {}
        result = world.private(BYBIT, "GET", "/v5/execution/list", **ask, **more).body["result"]
        pages.append([int(row["execTime"]) for row in result["list"]])
        cursor = result["nextPageCursor"]
        if not cursor:
            break

    times = [time for page in pages for time in page]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert times == sorted(times, reverse=True)


def test_a_paid_settlement_is_negative_income_and_a_positive_fee(world: World) -> None:
    for venue in (USDM, BYBIT):
        world.pin(venue, price="60000", funding_rate="0.0015")
        world.place(venue, Side.BUY, "0.5")
    world.wait(minutes=4)

    income = world.private(USDM, "GET", "/fapi/v1/income", incomeType="FUNDING_FEE").body
    listed = world.private(
        BYBIT, "GET", "/v5/execution/list", category="linear", execType="Funding"
    ).body["result"]["list"]

    assert [row["income"] for row in income] == ["-45"]
    assert [(row["execFee"], row["feeRate"]) for row in listed] == [("45", "0.0015")]


def test_bybit_shows_a_flat_position_only_to_who_asks_for_the_symbol(world: World) -> None:
    ask: dict[str, Any] = {"category": "linear"}

    named = world.private(BYBIT, "GET", "/v5/position/list", symbol="BTCUSDT", **ask)
    held = world.private(BYBIT, "GET", "/v5/position/list", settleCoin="USDT", **ask)

    rows = named.body["result"]["list"]
    assert [(row["symbol"], row["size"]) for row in rows] == [("BTCUSDT", "0")]
    assert held.body["result"]["list"] == []


def test_whole_hours_other_than_eight_are_listed_as_adjusted(tmp_path: Path) -> None:
    hours = {"four": 4, "eight": 8}
    listed = {
        name: World(tmp_path / name, interval_minutes=60 * count)
        .public(USDM, "/fapi/v1/fundingInfo")
        .body
        for name, count in hours.items()
    }

    assert {row["fundingIntervalHours"] for row in listed["four"]} == {4}
    assert listed["eight"] == []


def test_the_same_requests_at_the_same_times_have_the_same_answers(tmp_path: Path) -> None:
    def story(name: str) -> list[Any]:
        world = World(tmp_path / name)
        answers: list[Any] = []
        for number in range(6):
            for venue, path in ((USDM, "/fapi/v1/order"), (SPOT, "/api/v3/order")):
                order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
                answers.append(world.private(venue, "POST", path, **order).body)
            answers.append(
                world.private(
                    BYBIT,
                    "POST",
                    "/v5/order/create",
                    category="linear",
                    symbol="BTCUSDT",
                    side="Sell",
                    orderType="Market",
                    qty="0.01",
                    orderLinkId=f"order-{number}",
                ).body
            )
            world.wait(minutes=1, seconds=0.75)
        return [answers, world.simulator.ledger.trades, world.simulator.ledger.funding]

    assert story("first") == story("second")
