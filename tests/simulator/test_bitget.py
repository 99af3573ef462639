"""Bitget's protocol as the simulator speaks it: signatures, orders, refusals, bills, sockets.

Names and shapes are those of its documentation (v2, classic futures account).
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
from exchanges.simulator.faces.passphrase_signature import signature
from exchanges.simulator.listings import BITGET
from exchanges.simulator.wire import WireRequest
from tests.simulator.open_sockets import says, socket_at
from tests.simulator.world import Reply, World

pytestmark = pytest.mark.core

HOST = "ws.bitget.com"
PRODUCT = {"productType": "USDT-FUTURES"}
NAMED = {"symbol": "BTCUSDT", "marginCoin": "USDT"} | PRODUCT
ORDER = NAMED | {
    "marginMode": "crossed",
    "side": "buy",
    "orderType": "limit",
    "force": "gtc",
    "size": "0.01",
    "price": "59000",
}


@pytest.fixture(autouse=True)
def pinned(world: World) -> None:
    world.pin(BITGET, price="60000")


def get(world: World, path: str, **parameters: Any) -> Any:
    return world.private(BITGET, "GET", f"/api/v2/{path}", **parameters).body["data"]


def post(world: World, path: str, **parameters: Any) -> Reply:
    return world.private(BITGET, "POST", f"/api/v2/mix/{path}", **parameters)


def order(world: World, **changes: Any) -> Reply:
    return post(world, "order/place-order", **(ORDER | changes))


def told(world: World, request: WireRequest) -> tuple[int, str]:
    response = world.venues.answer(request).response
    assert response is not None
    return response.status, orjson.loads(response.body)["code"]


# --- Signatures -------------------------------------------------------------------------------


def changed(**headers: str) -> Callable[[WireRequest], WireRequest]:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: replace(request, headers={**request.headers, **names})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (changed(access_sign="bm90IHRoZSBzaWduYXR1cmU="), "40009"),
        (changed(access_passphrase="another"), "40012"),
        (changed(access_key="another"), "40037"),
        (changed(access_key=""), "40001"),
        (changed(access_timestamp="yesterday"), "40005"),
        (changed(paptrading="1"), "40099"),
        # The signature covers path, query and body.
        (lambda request: replace(request, query="productType=USDC-FUTURES"), "40009"),
        (lambda request: replace(request, path="/api/v2/mix/account/accounts"), "40009"),
        (lambda request: replace(request, body=b"{}"), "40009"),
    ],
)
def test_request_that_its_owner_did_not_sign_so_is_refused(
    world: World, change: Callable[[WireRequest], WireRequest], code: str
) -> None:
    signed = world.request(BITGET, "GET", "/api/v2/mix/position/all-position", **PRODUCT)

    assert told(world, signed) == (200, "00000")
    assert told(world, change(signed)) == (400, code)


@pytest.mark.parametrize(("seconds", "code"), [(30, "00000"), (31, "40008"), (-31, "40008")])
def test_request_is_served_for_thirty_seconds(world: World, seconds: int, code: str) -> None:
    signed = world.request(BITGET, "GET", "/api/v2/mix/position/all-position", **PRODUCT)

    world.at += timedelta(seconds=seconds)

    assert told(world, signed)[1] == code


def test_signature_is_what_openssl_makes_of_the_documented_text() -> None:
    text = "16273667805456GET/api/mix/v2/market/depth?limit=20&symbol=BTCUSDT"

    found = signature("22582BD0CFF14C41EDBF1AB98506286D", text)

    assert found == "30l+qfOwyfwL90Ss/Wz2h2be1+vlW/DKH5rcFIsocEI="


# --- Orders -----------------------------------------------------------------------------------


def test_order_is_told_in_coins_by_look_up_and_list(world: World) -> None:
    placed = order(world, clientOid="a1").body["data"]

    found = get(world, "mix/order/detail", clientOid="a1", **NAMED)
    [listed] = get(world, "mix/order/orders-pending", **PRODUCT)["entrustedList"]
    assert found["orderId"] == listed["orderId"] == placed["orderId"]
    assert (found["state"], found["size"], found["baseVolume"]) == ("live", "0.01", "0")
    assert (found["reduceOnly"], found["posMode"]) == ("NO", "one_way_mode")
    assert (listed["status"], listed["priceAvg"]) == ("live", "")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"size": "100"}, "40762"),
        ({"size": "0.0005"}, "45111"),
        ({"size": "0.0015"}, "22038"),
        ({"size": "0.001", "price": "4000"}, "45110"),
        ({"price": "59000.05"}, "45115"),
        ({"price": "63001"}, "22047"),
        ({"price": ""}, "40019"),
        ({"reduceOnly": "YES"}, "22002"),
        ({"symbol": "NOPEUSDT"}, "40034"),
        ({"productType": "USDC-FUTURES"}, "40034"),
        ({"force": "fok"}, "40017"),
        ({"side": "up"}, "40017"),
        ({"marginMode": "cash"}, "40017"),
        ({"size": "many"}, "40017"),
        ({"tradeSide": "open"}, "40774"),
        ({"clientOid": "with a space"}, "40305"),
        ({"clientOid": "x" * 50}, "40305"),
    ],
)
def test_refused_order_leaves_no_trace(world: World, changes: dict[str, Any], code: str) -> None:
    reply = order(world, **changes)

    assert (reply.status, reply.body["code"]) == (400, code)
    assert world.simulator.ledger.orders == {}


def test_client_id_is_taken_for_good(world: World) -> None:
    order(world, clientOid="a1")
    post(world, "order/cancel-order", clientOid="a1", **NAMED)

    assert order(world, clientOid="a1").body["code"] == "40786"


def test_crossing_post_only_order_is_accepted_and_canceled(world: World) -> None:
    order(world, force="post_only", price="60100", clientOid="a1")

    found = get(world, "mix/order/detail", clientOid="a1", **NAMED)
    assert (found["state"], found["baseVolume"]) == ("canceled", "0")


def test_orders_nobody_placed_are_neither_found_nor_canceled(world: World) -> None:
    asked = world.private(BITGET, "GET", "/api/v2/mix/order/detail", clientOid="none", **NAMED)
    canceled = post(world, "order/cancel-order", clientOid="none", **NAMED)
    past = get(world, "mix/order/orders-history", clientOid="none", **NAMED)

    assert (asked.body["code"], canceled.body["code"]) == ("40109", "40768")
    assert past == {"entrustedList": None, "endId": None}


def test_reduce_only_order_takes_the_room_of_older_ones_and_is_answered_without_number(
    world: World,
) -> None:
    world.place(BITGET, Side.BUY, "0.03")
    closing = {"side": "sell", "price": "61000", "reduceOnly": "YES", "size": "0.02"}
    first = order(world, clientOid="a1", **closing).body["data"]
    second = order(world, clientOid="a2", **closing).body["data"]

    assert (first["orderId"] is None, second["orderId"]) == (False, None)
    assert get(world, "mix/order/detail", clientOid="a1", **NAMED)["state"] == "canceled"
    assert get(world, "mix/order/detail", clientOid="a2", **NAMED)["state"] == "live"


# --- Account ----------------------------------------------------------------------------------


def test_fees_that_were_paid_are_negative_and_forced_closings_tell_themselves(
    world: World,
) -> None:
    world.place(BITGET, Side.BUY, "0.5")
    account, listing = world.account(BITGET), world.listing(BITGET)
    world.simulator.engine.close_by_venue(account, listing, Origin.LIQUIDATION, now=world.at)

    closed, opened = get(world, "mix/order/fills", **PRODUCT)["fillList"]

    assert (opened["tradeSide"], opened["tradeScope"]) == ("buy_single", "taker")
    assert Decimal(opened["feeDetail"][0]["totalFee"]) < 0
    assert "clientOid" not in opened
    assert closed["tradeSide"] == "burst_sell_single"


def test_funding_is_a_bill_with_its_own_number_and_sign(world: World) -> None:
    world.pin(BITGET, funding_rate="0.001")
    world.place(BITGET, Side.BUY, "0.5")
    world.wait(minutes=4)

    kind = "contract_settle_fee"
    [bill] = get(world, "mix/account/bill", businessType=kind, **PRODUCT)["bills"]
    [booked] = world.simulator.ledger.funding

    assert Decimal(bill["amount"]) == booked.payment == Decimal("-30.000")
    assert (bill["billId"], bill["symbol"]) == (booked.venue_payment_id, "BTCUSDT")


def test_bills_are_handed_out_by_pages_older_than_an_id(world: World) -> None:
    account, ledger = world.account(BITGET), world.simulator.ledger
    for amount in range(1, 6):
        world.at += timedelta(seconds=1)
        ledger.move(account, "futures", "USDT", Decimal(amount), now=world.at)

    first = get(world, "mix/account/bill", limit=2, **PRODUCT)
    second = get(world, "mix/account/bill", limit=2, idLessThan=first["endId"], **PRODUCT)

    amounts = [row["amount"] for page in (first, second) for row in page["bills"]]
    assert amounts == ["5", "4", "3", "2"]


def test_short_position_has_a_side_and_no_sign(world: World) -> None:
    world.place(BITGET, Side.SELL, "0.5")

    [held] = get(world, "mix/position/all-position", **PRODUCT)

    assert (held["total"], held["holdSide"], held["posMode"]) == ("0.5", "short", "one_way_mode")


def test_margin_mode_and_leverage_are_changed_per_contract(world: World) -> None:
    assert post(world, "account/set-leverage", leverage="200", **NAMED).body["code"] == "40797"
    post(world, "account/set-leverage", leverage="5", **NAMED)
    post(world, "account/set-margin-mode", marginMode="isolated", **NAMED)

    account = get(world, "mix/account/account", **NAMED)
    assert (account["marginMode"], account["isolatedLongLever"]) == ("isolated", "5")
    order(world)
    again = post(world, "account/set-margin-mode", marginMode="crossed", **NAMED)
    assert again.body["code"] == "45117"


def test_rate_tells_its_hours_and_next_settlement(world: World) -> None:
    [row] = world.public(BITGET, "/api/v2/mix/market/current-fund-rate", **PRODUCT).body["data"][:1]

    # Four minutes.
    assert row["fundingRateInterval"] == "0.066667"
    assert int(row["nextUpdate"]) % 240_000 == 0


# --- Sockets ----------------------------------------------------------------------------------


def login(world: World, **changes: str) -> dict[str, Any]:
    account, stamp = world.account(BITGET), str(int(world.at.timestamp()))
    given = {
        "apiKey": account.api_key,
        "passphrase": account.passphrase,
        "timestamp": stamp,
        "sign": signature(account.secret, f"{stamp}GET/user/verify"),
    }
    return {"op": "login", "args": [given | changes]}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"sign": "bm90IHRoZSBzaWduYXR1cmU="}, 30015),
        ({"passphrase": "another"}, 30012),
        ({"apiKey": "another"}, 30011),
        ({"timestamp": "soon"}, 30013),
        ({"timestamp": "1700000000"}, 30014),
    ],
)
def test_login_that_its_owner_did_not_sign_so_is_refused(
    world: World, changes: dict[str, str], code: int
) -> None:
    socket = socket_at(world, HOST, "/v2/ws/private")

    [answer] = says(socket, world, login(world, **changes))

    assert (answer["event"], answer["code"]) == ("error", code)
    subscribed = {"op": "subscribe", "args": [{"instType": "USDT-FUTURES", "channel": "orders"}]}
    assert says(socket, world, subscribed)[0]["code"] == 30004


def test_private_channels_tell_an_execution_with_our_id(world: World) -> None:
    heard: list[Any] = []
    socket = socket_at(world, HOST, "/v2/ws/private", heard)
    says(socket, world, login(world))
    channels = [
        {"instType": "USDT-FUTURES", "channel": name, "instId": "default"}
        for name in ("orders", "fill", "positions", "account")
    ]
    says(socket, world, {"op": "subscribe", "args": channels})

    world.place(BITGET, Side.SELL, "0.01", client_order_id="a1")

    told = {message["arg"]["channel"]: message["data"] for message in heard}
    assert [row["status"] for row in told["orders"]] == ["filled"]
    [fill], [held] = told["fill"], told["positions"]
    assert (fill["clientOid"], fill["baseVolume"], fill["tradeScope"]) == ("a1", "0.01", "taker")
    assert (held["instId"], held["holdSide"], held["total"]) == ("BTCUSDT", "short", "0.01")
    assert told["account"][0]["marginCoin"] == "USDT"


def test_public_channel_begins_with_its_state_and_comes_once_a_beat(world: World) -> None:
    socket = socket_at(world, HOST, "/v2/ws/public")
    argument = {"instType": "USDT-FUTURES", "channel": "ticker", "instId": "BTCUSDT"}

    accepted, first = says(socket, world, {"op": "subscribe", "args": [argument]})

    assert (accepted["event"], first["data"][0]["symbolType"]) == ("subscribe", 1)
    assert socket.beat(now=world.at) == []
    world.at += timedelta(seconds=1)
    assert len(socket.beat(now=world.at)) == 1
    assert says(socket, world, "ping") == [b"pong"]
    other = argument | {"instId": "NOPEUSDT"}
    assert says(socket, world, {"op": "subscribe", "args": [other]})[0]["code"] == 30001
