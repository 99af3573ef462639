"""Kraken's protocol as the simulator speaks it: signatures, numbers, orders, words, sockets.

Names and shapes are those of its documentation (Spot REST, Spot WebSocket v2).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest

from exchanges.domain import Side
from exchanges.simulator.faces.kraken_calls import NONCE_WINDOW, signature
from exchanges.simulator.listings import KRAKEN
from exchanges.simulator.wire import WireRequest, milliseconds
from tests.simulator.open_sockets import says, socket_at
from tests.simulator.world import World

pytestmark = pytest.mark.core

ID = "da8e4ad59b78481c93e589746b0cf91f"
ORDER = {
    "pair": "XBTUSDT",
    "type": "buy",
    "ordertype": "limit",
    "price": "59000",
    "volume": "0.01",
    "oflags": "fciq",
    "cl_ord_id": ID,
}


@pytest.fixture(autouse=True)
def pinned(world: World) -> None:
    world.pin(KRAKEN, price="60000")


def ask(world: World, name: str, **parameters: Any) -> Any:
    return world.private(KRAKEN, "POST", f"/0/private/{name}", **parameters).body


def result(world: World, name: str, **parameters: Any) -> Any:
    answer = ask(world, name, **parameters)
    assert answer["error"] == []
    return answer["result"]


def words(world: World, name: str, **parameters: Any) -> str:
    [said] = ask(world, name, **parameters)["error"]
    return str(said)


def order(world: World, **changes: Any) -> Any:
    return ask(world, "AddOrder", **(ORDER | changes))


# --- Signatures and numbers -------------------------------------------------------------------


def test_the_documented_example_is_signed_as_documented() -> None:
    """docs.kraken.com/api, guide to authentication: its key, number, form and signature."""
    secret = (
        "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="
    )
    body = "nonce=1616492376594&ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25"

    made = signature(secret, "/0/private/AddOrder", "1616492376594", body)

    assert made == (
        "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ=="
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"headers": {"api-key": "nobody"}}, "EAPI:Invalid key"),
        ({"api-sign": "none"}, "EAPI:Invalid signature"),
        ({"path": "/0/private/OpenOrders"}, "EAPI:Invalid signature"),
        ({"body": b"asset=none"}, "EAPI:Invalid nonce"),
        ({"path": "/0/private/Withdraw"}, "EGeneral:Unknown method"),
    ],
)
def test_what_is_not_signed_for_it_is_refused(
    world: World, changes: dict[str, Any], said: str
) -> None:
    request = world.request(KRAKEN, "POST", "/0/private/BalanceEx")
    if "api-sign" in changes:
        changes = {"headers": {**request.headers, **changes}}
    request = replace(request, **changes)

    assert told(world, request) == [said]


def told(world: World, request: WireRequest) -> Any:
    response = world.venues.answer(request).response
    assert response is not None
    return orjson.loads(response.body)["error"]


def test_a_number_counts_once_and_not_far_below_the_highest(world: World) -> None:
    high = milliseconds(world.at) * 1000 + NONCE_WINDOW
    result(world, "BalanceEx", nonce=high)

    assert words(world, "BalanceEx", nonce=high) == "EAPI:Invalid nonce"
    assert ask(world, "BalanceEx", nonce=high - NONCE_WINDOW)["error"] == []
    assert words(world, "BalanceEx", nonce=high - NONCE_WINDOW - 1) == "EAPI:Invalid nonce"


# --- Orders -----------------------------------------------------------------------------------


def test_an_order_is_answered_with_its_number_and_told_with_our_id_in_dashes(world: World) -> None:
    placed = order(world)["result"]

    [number] = placed["txid"]
    assert placed["descr"]["order"] == "buy 0.01 XBTUSDT @ limit 59000"
    row = result(world, "OpenOrders", cl_ord_id=ID)["open"][number]
    assert row["cl_ord_id"] == "da8e4ad5-9b78-481c-93e5-89746b0cf91f"
    assert (row["status"], row["vol"], row["vol_exec"]) == ("open", "0.01", "0")
    assert result(world, "ClosedOrders", cl_ord_id=ID)["closed"] == {}
    assert result(world, "QueryOrders", txid=number)[number] == row


def test_a_cancelled_order_is_told_among_the_ended(world: World) -> None:
    [number] = order(world)["result"]["txid"]

    assert result(world, "CancelOrder", cl_ord_id=ID) == {"count": 1}

    assert result(world, "OpenOrders")["open"] == {}
    assert result(world, "ClosedOrders", cl_ord_id=ID)["closed"][number]["status"] == "canceled"
    assert words(world, "CancelOrder", cl_ord_id=ID) == "EOrder:Unknown order"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"pair": "NOSUCH"}, "EQuery:Unknown asset pair"),
        ({"volume": "0.000015"}, "EGeneral:Invalid arguments:volume"),
        ({"volume": "0.000001"}, "EOrder:Order minimum not met"),
        ({"price": "59000.01"}, "EOrder:Tick size check failed"),
        ({"volume": "0.00001", "price": "40000"}, "EOrder:Cost minimum not met"),
        ({"volume": "5"}, "EOrder:Insufficient funds"),
        ({"type": "sell", "price": "61000"}, "EOrder:Insufficient funds"),
        ({"price": "61000", "oflags": "fciq,post"}, "EOrder:Post only order"),
        ({"oflags": ""}, "EGeneral:Invalid arguments:timeinforce or oflags"),
        ({"cl_ord_id": "x" * 19}, "EGeneral:Invalid arguments:cl_ord_id"),
        ({"price": ""}, "EGeneral:Invalid arguments:price"),
        ({"type": "hold"}, "EGeneral:Invalid arguments:ordertype or type"),
    ],
)
def test_a_refused_order_leaves_no_trace(world: World, changes: dict[str, str], said: str) -> None:
    assert order(world, **changes)["error"] == [said]

    assert world.simulator.ledger.orders == {}


def test_an_id_is_refused_while_its_order_works_and_no_longer(world: World) -> None:
    order(world)

    assert order(world)["error"] == ["EGeneral:Invalid arguments:cl_ord_id"]
    result(world, "CancelOrder", cl_ord_id=ID)
    assert order(world)["error"] == []
    assert len(world.simulator.ledger.orders) == 2


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (5, []),
        (0, []),
        (-0.001, ["EService:Deadline elapsed"]),
        (61, ["EGeneral:Invalid arguments:deadline"]),
    ],
)
def test_an_order_is_taken_until_its_end(world: World, seconds: float, said: list[str]) -> None:
    until = (world.at + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")

    assert order(world, deadline=until)["error"] == said


def test_money_pays_the_fee_of_a_purchase_and_of_a_sale(world: World) -> None:
    world.pin(KRAKEN, level_quantity="1")
    for number, side in enumerate(("buy", "sell")):
        order(world, type=side, ordertype="market", volume="0.02", price="", cl_ord_id=str(number))

    sale, purchase = result(world, "TradesHistory", consolidate_taker="false")["trades"].values()

    for row in (sale, purchase):
        # 0.4 % of its worth.
        assert Decimal(row["fee"]) == Decimal(row["cost"]) * Decimal("0.004")
    balances = result(world, "BalanceEx")
    assert balances["XXBT"]["balance"] == "0"
    money = 100_000 + Decimal(sale["cost"]) - Decimal(purchase["cost"])
    money -= Decimal(sale["fee"]) + Decimal(purchase["fee"])
    assert Decimal(balances["USDT"]["balance"]) == money


def test_what_is_sold_for_dollars_is_paid_in_dollars(world: World) -> None:
    ledger, owner = world.simulator.ledger, world.account(KRAKEN)
    ledger.move(owner, "cash", "USD", Decimal(5000), now=world.at)
    pairs = world.public(KRAKEN, "/0/public/AssetPairs").body["result"]
    assert (pairs["XBTUSD"]["quote"], pairs["XBTUSDT"]["quote"]) == ("ZUSD", "USDT")
    world.place(KRAKEN, Side.BUY, "0.02", symbol="XBTUSD")

    [bought] = result(world, "TradesHistory", consolidate_taker="false")["trades"].values()

    balances = result(world, "BalanceEx")
    paid = Decimal(bought["cost"]) + Decimal(bought["fee"])
    assert bought["pair"] == "XBTUSD"
    assert Decimal(balances["ZUSD"]["balance"]) == 5000 - paid
    assert Decimal(balances["USDT"]["balance"]) == 100_000


def test_what_is_bought_with_its_fee_may_not_cost_more_than_is_there(world: World) -> None:
    # 1.66 at 60,000 are 99,600, and 0.4 % of it is 398.4.
    assert order(world, volume="1.66", price="60000")["error"] == []
    result(world, "CancelOrder", cl_ord_id=ID)
    # 99,900, and its fee.
    assert order(world, volume="1.665", price="60000")["error"] == ["EOrder:Insufficient funds"]


# --- The account ------------------------------------------------------------------------------


def test_executions_come_newest_first_fifty_a_page_since_a_second(world: World) -> None:
    for number in range(51):
        world.wait(seconds=1)
        world.place(KRAKEN, Side.BUY, "0.0001", client_order_id=str(number))
    first_at = int(world.simulator.ledger.trades[0].filled_at.timestamp())

    def page(**parameters: Any) -> list[str]:
        asked = {"consolidate_taker": "false", **parameters}
        return list(result(world, "TradesHistory", **asked)["trades"])

    assert len(page()) == 50
    assert page()[0].endswith("1000051")
    assert [one[-7:] for one in page(ofs=50)] == ["1000001"]
    # The second that is named is left out.
    assert len(page(start=first_at)) == 50
    assert page(start=first_at, ofs=50) == []


def test_fees_are_told_in_percent(world: World) -> None:
    told_fees = result(world, "TradeVolume", pair="XBTUSDT")

    assert told_fees["fees"]["XBTUSDT"]["fee"] == "0.4000"
    assert told_fees["fees_maker"]["XBTUSDT"]["fee"] == "0.2500"


def test_a_keys_rights_are_its_owners(world: World) -> None:
    owner = world.account(KRAKEN)
    assert "withdraw-funds" not in result(world, "GetApiKeyInfo")["permissions"]
    owner.may_withdraw = owner.may_transfer = True
    owner.is_bound_to_address = False

    info = result(world, "GetApiKeyInfo")

    assert {"withdraw-funds", "earn-funds"} <= set(info["permissions"])
    assert (info["ipAllowlist"], info["nonceWindow"]) == ([], 10_000_000)


# --- The market -------------------------------------------------------------------------------


def test_pairs_are_listed_by_older_names(world: World) -> None:
    pairs = world.public(KRAKEN, "/0/public/AssetPairs").body["result"]

    assert (pairs["XBTUSDT"]["wsname"], pairs["XBTUSDT"]["base"]) == ("XBT/USDT", "XXBT")
    assert (pairs["XBTUSDT"]["pair_decimals"], pairs["XBTUSDT"]["costmin"]) == (1, "0.5")
    assert world.public(KRAKEN, "/0/public/Depth", pair="NOSUCH").body["error"] == [
        "EQuery:Unknown asset pair"
    ]


def test_its_time_is_of_whole_seconds(world: World) -> None:
    world.at = datetime.fromisoformat("2026-01-05T12:00:30.900+00:00")

    assert world.public(KRAKEN, "/0/public/Time").body["result"]["unixtime"] == 1767614430


def test_maintenance_shows_in_its_state(world: World) -> None:
    assert world.public(KRAKEN, "/0/public/SystemStatus").body["result"]["status"] == "online"
    ends = world.at + timedelta(hours=1)
    world.simulator.announcements.announce_maintenance(
        KRAKEN, title="upgrade", begins_at=world.at, ends_at=ends
    )

    assert world.public(KRAKEN, "/0/public/SystemStatus").body["result"]["status"] == "maintenance"


# --- Sockets ----------------------------------------------------------------------------------


def test_a_book_begins_whole_and_goes_on_with_what_changes(world: World) -> None:
    socket = socket_at(world, "ws.kraken.com", "/v2")
    asked = {"channel": "book", "symbol": ["BTC/USDT", "NO/SUCH"], "depth": 10}

    accepted, whole, refused = says(socket, world, {"method": "subscribe", "params": asked})

    assert accepted["success"] is True
    assert "NO/SUCH" in refused["error"]
    assert (whole["type"], len(whole["data"][0]["bids"])) == ("snapshot", 10)
    world.wait(seconds=1)
    [update] = [orjson.loads(row.body) for row in socket.beat(now=world.at)]
    assert update["type"] == "update"
    assert socket.beat(now=world.at) == []


def test_an_account_is_told_to_whoever_brings_its_token(world: World) -> None:
    heard: list[Any] = []
    socket = socket_at(world, "ws-auth.kraken.com", "/v2", heard)
    world.place(KRAKEN, Side.BUY, "0.01", price="50000", client_order_id=ID)
    assert heard == []
    token = result(world, "GetWebSocketsToken")["token"]
    params = {"channel": "executions", "token": token}

    status, accepted, working = says(socket, world, {"method": "subscribe", "params": params})

    assert (status["channel"], accepted["success"]) == ("status", True)
    assert [row["cl_ord_id"] for row in working["data"]] == [ID]
    world.place(KRAKEN, Side.BUY, "0.01", client_order_id="other")
    kinds = [row["exec_type"] for message in heard for row in message["data"]]
    assert (kinds[:2], kinds[-2:]) == (["pending_new", "new"], ["trade", "filled"])
    # What is told of an order that begins to work leaves out what was told before.
    assert "symbol" not in heard[1]["data"][0]


@pytest.mark.parametrize("token", ["", "another"])
def test_without_its_token_nothing_is_told(world: World, token: str) -> None:
    heard: list[Any] = []
    socket = socket_at(world, "ws-auth.kraken.com", "/v2", heard)
    params = {"channel": "executions", "token": token}

    [refused] = says(socket, world, {"method": "subscribe", "params": params})

    assert (refused["success"], refused["error"]) == (False, "ESession:Invalid session")
    world.place(KRAKEN, Side.BUY, "0.01")
    assert heard == []
    assert socket.beat(now=world.at) == []
