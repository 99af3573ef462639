"""KuCoin's protocol as the simulator speaks it: signatures, orders, refusals, funding, sockets.

Names and shapes are those of its documentation (classic futures account, version 3 keys).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest

from exchanges.domain import Side
from exchanges.simulator.accounts import Origin
from exchanges.simulator.listings import KUCOIN
from exchanges.simulator.wire import WireRequest, milliseconds
from tests.simulator.world import Reply, World, base64_of

pytestmark = pytest.mark.core

NAMED = {"symbol": "XBTUSDTM"}
ORDER = NAMED | {
    "clientOid": "a1",
    "side": "buy",
    "type": "limit",
    "timeInForce": "GTC",
    "marginMode": "CROSS",
    "leverage": "1",
    "size": 10,
    "price": "59000",
}
# A week of settlements at every venue: of every four minutes they take half a minute to book.
over_days = pytest.mark.parametrize("world", [480], indirect=True, ids=["settling eight-hourly"])


@pytest.fixture(autouse=True)
def pinned(world: World) -> None:
    world.pin(KUCOIN, price="60000")


def get(world: World, path: str, **parameters: Any) -> Any:
    return world.private(KUCOIN, "GET", f"/api/{path}", **parameters).body["data"]


def post(world: World, path: str, **parameters: Any) -> Reply:
    return world.private(KUCOIN, "POST", f"/api/{path}", **parameters)


def order(world: World, **changes: Any) -> Reply:
    return post(world, "v1/orders", **(ORDER | changes))


def cancel(world: World, own_id: str = "a1") -> Any:
    return world.private(KUCOIN, "DELETE", f"/api/v1/orders/client-order/{own_id}", **NAMED).body


def found(world: World, own_id: str = "a1") -> Any:
    return get(world, "v1/orders/byClientOid", clientOid=own_id)


def told(world: World, request: WireRequest) -> tuple[int, str]:
    response = world.venues.answer(request).response
    assert response is not None
    return response.status, orjson.loads(response.body)["code"]


# --- Signatures -------------------------------------------------------------------------------


def changed(**headers: str) -> Callable[[WireRequest], WireRequest]:
    names = {f"kc-api-{name.replace('_', '-')}": value for name, value in headers.items()}
    return lambda request: replace(request, headers={**request.headers, **names})


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        (changed(sign="bm90IHRoZSBzaWduYXR1cmU="), 401, "400005"),
        # The passphrase as it was typed, unsigned.
        (changed(passphrase="kucoin-passphrase"), 401, "400004"),
        (changed(key="another"), 401, "400003"),
        (changed(key=""), 401, "400001"),
        (changed(key_version="1"), 401, "400009"),
        (changed(timestamp="yesterday"), 400, "400002"),
        # The signature covers path, query and body.
        (lambda request: replace(request, query="currency=USDC"), 401, "400005"),
        (lambda request: replace(request, path="/api/v1/recentFills"), 401, "400005"),
        (lambda request: replace(request, body=b"{}"), 401, "400005"),
    ],
)
def test_request_that_its_owner_did_not_sign_so_is_refused(
    world: World, change: Callable[[WireRequest], WireRequest], status: int, code: str
) -> None:
    signed = world.request(KUCOIN, "GET", "/api/v1/positions", currency="USDT")

    assert told(world, signed) == (200, "200000")
    assert told(world, change(signed)) == (status, code)


@pytest.mark.parametrize(("seconds", "code"), [(5, "200000"), (6, "400002"), (-6, "400002")])
def test_request_is_served_for_five_seconds(world: World, seconds: int, code: str) -> None:
    signed = world.request(KUCOIN, "GET", "/api/v1/positions", currency="USDT")

    world.at += timedelta(seconds=seconds)

    assert told(world, signed)[1] == code


def test_passphrase_and_text_are_signed_with_the_secret(world: World) -> None:
    account, stamp = world.account(KUCOIN), milliseconds(world.at)
    signed = world.request(KUCOIN, "POST", "/api/v1/orders", **ORDER)

    text = f"{stamp}POST/api/v1/orders{signed.body.decode()}"

    assert signed.headers["kc-api-sign"] == base64_of(account.secret, text)
    passphrase = base64_of(account.secret, account.passphrase)
    assert signed.headers["kc-api-passphrase"] == passphrase != account.passphrase


# --- Orders -----------------------------------------------------------------------------------


def test_order_is_told_in_contracts_by_look_up_and_list(world: World) -> None:
    placed = order(world).body["data"]

    asked = found(world)
    [listed] = get(world, "v1/orders", status="active")["items"]
    numbered = get(world, f"v1/orders/{placed['orderId']}")
    assert asked["id"] == listed["id"] == numbered["id"] == placed["orderId"]
    assert (asked["status"], asked["size"], asked["filledSize"]) == ("open", 10, 0)
    assert (asked["isActive"], asked["cancelExist"], asked["marginMode"]) == (True, False, "CROSS")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"size": 100000}, 200, "300003"),
        ({"size": 0}, 200, "300000"),
        ({"size": 1.5}, 400, "100001"),
        ({"price": "59000.05"}, 200, "100001"),
        ({"price": "63001"}, 200, "300011"),
        ({"side": "sell", "price": "56999"}, 200, "300012"),
        ({"price": ""}, 400, "100001"),
        ({"reduceOnly": True}, 200, "300009"),
        ({"symbol": "NOPEUSDTM"}, 400, "100003"),
        ({"timeInForce": "FOK"}, 400, "100001"),
        ({"type": "stop"}, 400, "100001"),
        ({"side": "up"}, 400, "100001"),
        # Not told, an order is one of isolated margin.
        ({"marginMode": ""}, 200, "330005"),
        ({"marginMode": "ISOLATED"}, 200, "330005"),
        ({"leverage": "many"}, 400, "100001"),
        ({"clientOid": ""}, 400, "100001"),
        ({"clientOid": "with a space"}, 400, "100001"),
        ({"clientOid": "x" * 41}, 400, "100001"),
    ],
)
def test_refused_order_leaves_no_trace(
    world: World, changes: dict[str, Any], status: int, code: str
) -> None:
    reply = order(world, **changes)

    assert (reply.status, reply.body["code"]) == (status, code)
    assert world.simulator.ledger.orders == {}


def test_order_of_a_hedged_account_has_to_say_its_side(world: World) -> None:
    post(world, "v2/position/switchPositionMode", positionMode="1")

    assert get(world, "v2/position/getPositionMode") == {"positionMode": 1}
    assert order(world).body["code"] == "330012"


def test_client_id_is_taken_for_good(world: World) -> None:
    order(world)
    assert cancel(world)["code"] == "200000"

    assert order(world).body["code"] == "300018"


def test_crossing_post_only_order_is_accepted_and_canceled(world: World) -> None:
    order(world, postOnly=True, price="60100")

    asked = found(world)
    assert (asked["status"], asked["cancelExist"], asked["filledSize"]) == ("done", True, 0)


def test_orders_nobody_placed_are_neither_found_nor_canceled(world: World) -> None:
    asked = world.private(KUCOIN, "GET", "/api/v1/orders/byClientOid", clientOid="none")
    numbered = world.private(KUCOIN, "GET", "/api/v1/orders/4711")

    assert asked.body == {"code": "100001", "msg": "error.getOrder.orderNotExist"}
    assert (numbered.body["code"], cancel(world, "none")["code"]) == ("100001", "100004")


@over_days
def test_ended_order_is_found_by_its_number_for_longer_than_by_our_id(world: World) -> None:
    number = order(world).body["data"]["orderId"]
    cancel(world)
    world.at += timedelta(days=7)
    assert found(world)["id"] == number

    world.at += timedelta(seconds=1)

    late = world.private(KUCOIN, "GET", "/api/v1/orders/byClientOid", clientOid="a1")
    assert late.body["code"] == "100001"
    assert get(world, f"v1/orders/{number}")["clientOid"] == "a1"


@over_days
def test_order_list_of_the_ended_goes_back_a_week(world: World) -> None:
    order(world)
    cancel(world)

    assert [row["clientOid"] for row in get(world, "v1/orders", status="done")["items"]] == ["a1"]
    assert get(world, "v1/orders", status="active")["items"] == []
    world.at += timedelta(days=8)
    assert get(world, "v1/orders", status="done")["items"] == []


# --- Account ----------------------------------------------------------------------------------


@over_days
def test_list_of_executions_is_behind_the_recent_ones(world: World) -> None:
    world.place(KUCOIN, Side.BUY, "0.01")

    [recent] = get(world, "v1/recentFills")
    assert get(world, "v1/fills")["items"] == []
    world.at += timedelta(seconds=5)
    [listed] = get(world, "v1/fills")["items"]

    assert listed == recent
    assert (recent["size"], recent["liquidity"]) == (10, "taker")
    assert Decimal(recent["fee"]) > 0
    assert "clientOid" not in recent
    world.at += timedelta(days=1)
    assert get(world, "v1/recentFills") == []


def test_forced_closings_tell_themselves(world: World) -> None:
    world.place(KUCOIN, Side.BUY, "0.5")
    account, listing = world.account(KUCOIN), world.listing(KUCOIN)
    world.simulator.engine.close_by_venue(account, listing, Origin.LIQUIDATION, now=world.at)

    closed, opened = get(world, "v1/recentFills")

    assert (opened["tradeType"], closed["tradeType"], closed["side"]) == ("trade", "liquid", "sell")


def test_funding_has_a_number_and_the_sign_of_the_account(world: World) -> None:
    world.pin(KUCOIN, funding_rate="0.001")
    world.place(KUCOIN, Side.BUY, "0.5")
    world.wait(minutes=4)

    [row] = get(world, "v1/funding-history", **NAMED)["dataList"]
    [booked] = world.simulator.ledger.funding

    assert Decimal(str(row["funding"])) == booked.payment == Decimal("-30.000")
    assert (row["symbol"], row["positionQty"]) == ("XBTUSDTM", 500)
    assert row["id"] > 0
    asked = world.private(KUCOIN, "GET", "/api/v1/funding-history")
    assert asked.body["code"] == "100001"


def test_rows_of_a_span_are_cut_to_the_newest_and_say_so(world: World) -> None:
    account, ledger = world.account(KUCOIN), world.simulator.ledger
    for amount in range(1, 6):
        world.at += timedelta(seconds=1)
        ledger.move(account, "contract", "USDT", Decimal(amount), now=world.at)

    kind = {"currency": "USDT", "type": "TransferIn"}
    cut = get(world, "v1/transaction-history", maxCount=2, **kind)
    older = get(
        world,
        "v1/transaction-history",
        endAt=milliseconds(world.at - timedelta(seconds=2)),
        **kind,
    )

    assert ([row["amount"] for row in cut["dataList"]], cut["hasMore"]) == ([5, 4], True)
    assert ([row["amount"] for row in older["dataList"]], older["hasMore"]) == ([3, 2, 1], False)


def test_short_position_is_below_zero(world: World) -> None:
    world.place(KUCOIN, Side.SELL, "0.5")

    [held] = get(world, "v1/positions")

    assert (held["currentQty"], held["positionSide"], held["isOpen"]) == (-500, "BOTH", True)
    assert (held["marginMode"], held["crossMode"]) == ("CROSS", True)


def test_margin_mode_and_leverage_are_changed_per_contract(world: World) -> None:
    too_much = post(world, "v2/changeCrossUserLeverage", leverage="2000", **NAMED)
    assert too_much.body["code"] == "300016"
    assert post(world, "v2/changeCrossUserLeverage", leverage="5", **NAMED).status == 200
    post(world, "v2/position/changeMarginMode", marginMode="ISOLATED", **NAMED)

    assert get(world, "v2/position/getMarginMode", **NAMED)["marginMode"] == "ISOLATED"
    assert order(world).body["code"] == "330005"
    assert order(world, marginMode="ISOLATED").body["code"] == "200000"
    again = post(world, "v2/position/changeMarginMode", marginMode="CROSS", **NAMED)
    assert again.body["code"] == "330014"


def test_key_tells_what_it_may_do(world: World) -> None:
    account = world.account(KUCOIN)
    assert get(world, "v1/user/api-key")["permission"] == "General,Futures"

    account.may_withdraw = account.may_transfer = True
    account.is_bound_to_address = False

    told_of = get(world, "v1/user/api-key")
    assert told_of["permission"] == "General,Futures,Transfer,InnerTransfer"
    assert "ipWhitelist" not in told_of
