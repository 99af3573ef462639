"""Every refusal carries the venue's own code, over the venue's own protocol."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from exchanges.domain import Side
from exchanges.simulator.listings import BYBIT, SPOT, USDM
from tests.simulator.world import Reply, World

pytestmark = pytest.mark.core

USDM_ORDER = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01",
    "price": "59000",
}
BYBIT_ORDER = {
    "category": "linear",
    "symbol": "BTCUSDT",
    "side": "Buy",
    "orderType": "Limit",
    "qty": "0.01",
    "price": "59000",
}


@pytest.fixture(autouse=True)
def pinned(world: World) -> None:
    for venue in (USDM, BYBIT, SPOT):
        world.pin(venue, price="60000")


def usdm(world: World, **changes: Any) -> Reply:
    return world.private(USDM, "POST", "/fapi/v1/order", **(USDM_ORDER | changes))


def spot(world: World, **changes: Any) -> Reply:
    return world.private(SPOT, "POST", "/api/v3/order", **(USDM_ORDER | changes))


def bybit(world: World, **changes: Any) -> Reply:
    return world.private(BYBIT, "POST", "/v5/order/create", **(BYBIT_ORDER | changes))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"quantity": "100"}, -2019),
        ({"quantity": "0.001"}, -4164),
        ({"quantity": "0.0105"}, -1111),
        ({"price": "59000.05"}, -1111),
        ({"quantity": "0.0001"}, -4003),
        ({"reduceOnly": "true"}, -2022),
        ({"price": "60000.1", "timeInForce": "GTX"}, -5022),
        ({"price": "63001"}, -4016),
        ({"symbol": "NOPEUSDT"}, -1121),
        ({"timeInForce": "GFD"}, -1115),
        ({"side": "UP"}, -1117),
        ({"type": "STOP"}, -1116),
        ({"quantity": "many"}, -1100),
        ({"quantity": ""}, -1102),
        ({"positionSide": "LONG"}, -4061),
    ],
)
def test_binance_usdm_refuses_an_order(world: World, changes: dict[str, Any], code: int) -> None:
    reply = usdm(world, **changes)

    assert (reply.status, reply.body["code"]) == (400, code)
    assert world.simulator.ledger.orders == {}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"quantity": "100"}, -2010),
        ({"quantity": "0.00005"}, -1013),
        ({"quantity": "0.010000005"}, -1111),
        ({"price": "59000.005"}, -1013),
        ({"type": "LIMIT_MAKER", "price": "60001"}, -2010),
        ({"price": "73000"}, -1013),
        ({"symbol": "XRPUSDT"}, -1121),
        ({"side": "SELL", "price": "61000"}, -2010),
    ],
)
def test_binance_spot_refuses_an_order(world: World, changes: dict[str, Any], code: int) -> None:
    reply = spot(world, **changes)

    assert (reply.status, reply.body["code"]) == (400, code)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"qty": "100"}, 110007),
        ({"qty": "0.001", "price": "4000"}, 110094),
        ({"qty": "0.0105"}, 10001),
        ({"price": "59000.05"}, 10001),
        ({"reduceOnly": True}, 110017),
        ({"price": "63001"}, 110003),
        ({"symbol": "NOPEUSDT"}, 10001),
        ({"category": "inverse", "symbol": "BTCUSD"}, 10001),
        ({"orderType": "Stop"}, 10001),
        ({"side": "Up"}, 10001),
        ({"qty": "many"}, 10001),
    ],
)
def test_bybit_refuses_an_order_with_http_200(
    world: World, changes: dict[str, Any], code: int
) -> None:
    reply = bybit(world, **changes)

    assert (reply.status, reply.body["retCode"]) == (200, code)
    assert world.simulator.ledger.orders == {}


def test_a_taken_client_id_is_refused_in_each_venues_words(world: World) -> None:
    usdm(world, newClientOrderId="a")
    spot(world, newClientOrderId="a")
    bybit(world, orderLinkId="a")

    assert usdm(world, newClientOrderId="a").body["code"] == -4116
    assert spot(world, newClientOrderId="a").body["code"] == -2010
    assert bybit(world, orderLinkId="a").body["retCode"] == 110072


def test_an_unknown_order_is_said_to_be_unknown(world: World) -> None:
    named: dict[str, Any] = {"symbol": "BTCUSDT", "origClientOrderId": "never"}
    linked: dict[str, Any] = {
        "category": "linear",
        "symbol": "BTCUSDT",
        "orderLinkId": "never",
    }

    assert world.private(USDM, "GET", "/fapi/v1/order", **named).body["code"] == -2013
    assert world.private(USDM, "DELETE", "/fapi/v1/order", **named).body["code"] == -2011
    assert world.private(SPOT, "GET", "/api/v3/order", **named).body["code"] == -2013
    assert world.private(SPOT, "DELETE", "/api/v3/order", **named).body["code"] == -2011
    assert world.private(BYBIT, "POST", "/v5/order/cancel", **linked).body["retCode"] == 110001
    found = world.private(BYBIT, "GET", "/v5/order/realtime", **linked)
    assert (found.body["retCode"], found.body["result"]["list"]) == (0, [])


@pytest.mark.parametrize("path", ["/fapi/v3/account", "/fapi/v3/positionRisk", "/fapi/v1/income"])
def test_binance_checks_key_signature_and_clock(world: World, path: str) -> None:
    good = world.request(USDM, "GET", path)
    forged = replace(good, query=good.query[:-4] + "0000")
    foreign = replace(good, headers={"x-mbx-apikey": "nobody"})
    old = world.request(USDM, "GET", path, timestamp=1767614400000)

    assert _code(world, good) is None
    assert _code(world, forged) == -1022
    assert _code(world, foreign) == -2015
    assert _code(world, old) == -1021


def test_binance_refuses_a_timestamp_from_the_future(world: World) -> None:
    ahead = world.request(USDM, "GET", "/fapi/v3/account", timestamp=1900000000000)

    assert _code(world, ahead) == -1021


def test_bybit_checks_key_signature_and_clock(world: World) -> None:
    good = world.request(BYBIT, "GET", "/v5/account/wallet-balance", accountType="UNIFIED")
    forged = replace(good, headers={**good.headers, "x-bapi-sign": "0" * 64})
    foreign = replace(good, headers={**good.headers, "x-bapi-api-key": "nobody"})

    assert _code(world, good) is None
    assert _code(world, forged) == 10004
    assert _code(world, foreign) == 10003
    world.at = world.at.replace(minute=1)
    assert _code(world, good) == 10002


def test_a_key_of_one_venue_is_none_at_the_other(world: World) -> None:
    world.account(USDM)
    request = world.request(BYBIT, "GET", "/v5/account/wallet-balance")
    headers = {**request.headers, "x-bapi-api-key": "binance-key"}

    assert _code(world, replace(request, headers=headers)) == 10003


def test_settings_that_do_not_change_are_answered_as_the_venues_do(world: World) -> None:
    leverage = {"category": "linear", "symbol": "BTCUSDT", "buyLeverage": "5", "sellLeverage": "5"}
    first = world.private(BYBIT, "POST", "/v5/position/set-leverage", **leverage)
    again = world.private(BYBIT, "POST", "/v5/position/set-leverage", **leverage)
    mode = world.private(
        BYBIT, "POST", "/v5/position/switch-mode", category="linear", symbol="BTCUSDT", mode=0
    )
    dual = world.private(USDM, "POST", "/fapi/v1/positionSide/dual", dualSidePosition="false")
    margin = world.private(
        USDM, "POST", "/fapi/v1/marginType", symbol="BTCUSDT", marginType="CROSSED"
    )

    assert (first.body["retCode"], again.body["retCode"]) == (0, 110043)
    assert mode.body["retCode"] == 110025
    assert (dual.body["code"], margin.body["code"]) == (-4059, -4046)


def test_leverage_above_the_limit_is_refused(world: World) -> None:
    usdm = world.private(USDM, "POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=126)
    changes = {"category": "linear", "symbol": "BTCUSDT", "buyLeverage": "126"}
    bybit = world.private(BYBIT, "POST", "/v5/position/set-leverage", **changes)

    assert (usdm.body["code"], bybit.body["retCode"]) == (-4028, 110013)


def test_an_account_in_hedge_mode_says_so(world: World) -> None:
    world.private(USDM, "POST", "/fapi/v1/positionSide/dual", dualSidePosition="true")

    mode = world.private(USDM, "GET", "/fapi/v1/positionSide/dual")

    assert mode.body == {"dualSidePosition": True}
    assert usdm(world).body["code"] == -4061


def test_the_position_mode_cannot_change_under_a_position(world: World) -> None:
    world.place(USDM, Side.BUY, "0.1")

    reply = world.private(USDM, "POST", "/fapi/v1/positionSide/dual", dualSidePosition="true")

    assert reply.body["code"] == -4068


@pytest.mark.parametrize(
    ("venue", "path", "hours"),
    [(USDM, "/fapi/v1/userTrades", 168), (SPOT, "/api/v3/myTrades", 24)],
)
def test_a_longer_look_back_than_the_venue_allows_is_refused(
    world: World, venue: str, path: str, hours: int
) -> None:
    start = 1767600000000
    span: dict[str, Any] = {
        "symbol": "BTCUSDT",
        "startTime": start,
        "endTime": start + hours * 3_600_000,
    }

    allowed = world.private(venue, "GET", path, **span)
    span["endTime"] += 1
    refused = world.private(venue, "GET", path, **span)

    assert (allowed.body, refused.body["code"]) == ([], -1127)


def test_bybit_looks_back_seven_days_at_most(world: World) -> None:
    start = 1767600000000
    span = {"startTime": start, "endTime": start + 7 * 86_400_000 + 1}

    refused = world.private(BYBIT, "GET", "/v5/execution/list", category="linear", **span)

    assert refused.body["retCode"] == 10001


def test_an_unknown_path_is_refused_by_name(world: World) -> None:
    reply = world.public(USDM, "/fapi/v1/nowhere")

    assert (reply.status, reply.body["code"]) == (404, -5000)


def _code(world: World, request: Any) -> int | None:
    """Return the error code a venue answers with, or None."""
    response = world.venues.answer(request).response
    assert response is not None
    return None if response.outcome == "ok" else int(response.outcome)
