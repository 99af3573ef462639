"""OKX's sockets as the simulator opens them: login, channels, what happens to an account."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson
import pytest

from exchanges.domain import Side
from exchanges.simulator.faces.passphrase_signature import signature
from exchanges.simulator.listings import OKX
from tests.simulator.open_sockets import says, socket_at
from tests.simulator.world import World

pytestmark = pytest.mark.core

HOST = "ws.okx.com"
BTC = "BTC-USDT-SWAP"


@pytest.fixture(autouse=True)
def pinned(world: World) -> None:
    world.pin(OKX, price="60000")


def login(world: World, **changes: str) -> dict[str, Any]:
    account, stamp = world.account(OKX), str(int(world.at.timestamp()))
    given = {
        "apiKey": account.api_key,
        "passphrase": account.passphrase,
        "timestamp": stamp,
        "sign": signature(account.secret, f"{stamp}GET/users/self/verify"),
    }
    return {"op": "login", "args": [given | changes]}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, "0"),
        ({"sign": "wrong"}, "60007"),
        ({"passphrase": "wrong"}, "60024"),
        ({"apiKey": "wrong"}, "60005"),
        ({"timestamp": "1"}, "60006"),
        ({"timestamp": "now"}, "60004"),
    ],
)
def test_private_socket_knows_its_owner(world: World, changes: dict[str, str], code: str) -> None:
    socket = socket_at(world, HOST, "/ws/v5/private")
    orders = {"op": "subscribe", "args": [{"channel": "orders", "instType": "ANY"}]}

    [before] = says(socket, world, orders)
    [answer] = says(socket, world, login(world, **changes))
    [after] = says(socket, world, orders)

    assert (before["event"], before["code"]) == ("error", "60011")
    assert answer["code"] == code
    assert (after["event"] == "subscribe") is (code == "0")


def test_fill_is_told_with_its_order_and_then_the_position(world: World) -> None:
    heard: list[Any] = []
    socket = socket_at(world, HOST, "/ws/v5/private", heard)
    says(socket, world, login(world))
    for channel in ("orders", "positions"):
        says(socket, world, {"op": "subscribe", "args": [{"channel": channel, "instType": "ANY"}]})

    world.place(OKX, Side.SELL, "0.01", client_order_id="a1")

    new, filled, held = heard
    assert [row["data"][0]["state"] for row in (new, filled)] == ["live", "filled"]
    row = filled["data"][0]
    assert (row["fillSz"], row["clOrdId"]) == ("1", "a1")
    assert Decimal(row["fillFee"]) < 0
    assert held["data"][0]["pos"] == "-1"


def test_closed_position_is_told_once_as_nothing(world: World) -> None:
    world.place(OKX, Side.SELL, "0.01")
    heard: list[Any] = []
    socket = socket_at(world, HOST, "/ws/v5/private", heard)
    says(socket, world, login(world))
    says(socket, world, {"op": "subscribe", "args": [{"channel": "positions", "instType": "ANY"}]})

    world.place(OKX, Side.BUY, "0.01")

    [told] = heard
    assert told["data"][0]["pos"] == "0"


def test_public_channel_begins_with_its_state_and_tells_what_changes(world: World) -> None:
    socket = socket_at(world, HOST, "/ws/v5/public")
    argument = {"channel": "mark-price", "instId": BTC}

    reply, first = says(socket, world, {"op": "subscribe", "args": [argument]})
    world.simulator.ledger.pins.clear()
    world.wait(seconds=1)
    [changed] = [orjson.loads(row.body) for row in socket.beat(now=world.at)]

    assert (reply["event"], reply["arg"]) == ("subscribe", argument)
    assert first["data"][0]["instId"] == changed["data"][0]["instId"] == BTC
    assert says(socket, world, "ping") == [b"pong"]


@pytest.mark.parametrize(
    "argument",
    [
        {"channel": "mark-price", "instId": "NOPE-USDT-SWAP"},
        {"channel": "orders", "instType": "ANY"},
    ],
)
def test_channel_that_is_none_of_the_public_ones_is_refused(
    world: World, argument: dict[str, str]
) -> None:
    [reply] = says(
        socket_at(world, HOST, "/ws/v5/public"), world, {"op": "subscribe", "args": [argument]}
    )

    assert (reply["event"], reply["code"]) == ("error", "60018")
