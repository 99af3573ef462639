"""Gate's protocol as the simulator speaks it: signatures, orders, refusals, its book, sockets.

Names and shapes are those of its documentation (APIv4, classic account).
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
from exchanges.simulator.faces.gate_calls import signature
from exchanges.simulator.listings import GATE
from exchanges.simulator.wire import WireRequest
from tests.simulator.open_sockets import says, socket_at
from tests.simulator.world import Reply, World

pytestmark = pytest.mark.core

HOST, DOOR = "fx-ws.gateio.ws", "/v4/ws/usdt"
PATH = "/api/v4/futures/usdt/"
ORDER = {"contract": "BTC_USDT", "size": "100", "price": "59000", "tif": "gtc", "text": "t-a1"}


@pytest.fixture(autouse=True)
def pinned(world: World) -> None:
    world.pin(GATE, price="60000")


def ask(world: World, method: str, path: str, **parameters: Any) -> Reply:
    return world.private(GATE, method, PATH + path, **parameters)


def get(world: World, path: str, **parameters: Any) -> Any:
    return ask(world, "GET", path, **parameters).body


def order(world: World, **changes: Any) -> Reply:
    return ask(world, "POST", "orders", **(ORDER | changes))


def told(world: World, request: WireRequest) -> tuple[int, str]:
    response = world.venues.answer(request).response
    assert response is not None
    body = orjson.loads(response.body)
    return response.status, body.get("label", "ok")


# --- Signatures -------------------------------------------------------------------------------


def changed(**headers: str) -> Callable[[WireRequest], WireRequest]:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: replace(request, headers={**request.headers, **names})


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        (changed(sign="ab" * 64), (401, "INVALID_SIGNATURE")),
        (changed(key="another"), (401, "INVALID_KEY")),
        (changed(key=""), (400, "MISSING_REQUIRED_HEADER")),
        (changed(sign=""), (400, "MISSING_REQUIRED_HEADER")),
        (changed(timestamp="yesterday"), (403, "REQUEST_EXPIRED")),
        (changed(timestamp="1767614430000"), (403, "REQUEST_EXPIRED")),
        # The signature covers path, query and body.
        (lambda request: replace(request, query="holding=false"), (401, "INVALID_SIGNATURE")),
        (lambda request: replace(request, path=f"{PATH}orders"), (401, "INVALID_SIGNATURE")),
        (lambda request: replace(request, body=b"{}"), (401, "INVALID_SIGNATURE")),
        (lambda request: replace(request, host="api-testnet.gateapi.io"), (401, "INVALID_KEY")),
    ],
)
def test_request_that_its_owner_did_not_sign_so_is_refused(
    world: World, change: Callable[[WireRequest], WireRequest], answer: tuple[int, str]
) -> None:
    world.place(GATE, Side.BUY, "0.01")
    signed = world.request(GATE, "GET", f"{PATH}accounts", holding="true")

    assert told(world, signed) == (200, "ok")
    assert told(world, change(signed)) == answer


@pytest.mark.parametrize(
    ("seconds", "label"), [(60, "ok"), (61, "REQUEST_EXPIRED"), (-61, "REQUEST_EXPIRED")]
)
def test_request_is_served_for_a_minute(world: World, seconds: int, label: str) -> None:
    signed = world.request(GATE, "GET", f"{PATH}accounts")

    world.at += timedelta(seconds=seconds)

    assert told(world, signed)[1] == label


def test_order_past_its_deadline_is_refused(world: World) -> None:
    signed = world.request(GATE, "POST", f"{PATH}orders", **ORDER)
    until = str(int(world.at.timestamp() * 1000) + 2_000)
    late = changed(x_gate_exptime=until)(signed)

    world.at += timedelta(milliseconds=2_001)

    assert told(world, late) == (403, "REQUEST_EXPIRED")
    assert world.simulator.ledger.orders == {}


def test_signature_is_that_of_the_documents_example() -> None:
    hashed = (
        "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
        "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"
    )
    query = "contract=BTC_USD&status=finished&limit=50"

    found = signature("secret", f"GET\n/api/v4/futures/orders\n{query}\n{hashed}\n1541993715")

    assert found == (
        "55f84ea195d6fe57ce62464daaa7c3c02fa9d1dde954e4c898289c9a2407a3d6"
        "fb3faf24deff16790d726b66ac9f74526668b13bd01029199cc4fcc522418b8a"
    )


# --- Orders -----------------------------------------------------------------------------------


def test_order_is_told_in_contracts_by_number_and_by_our_id(world: World) -> None:
    placed = order(world)

    by_id, by_number = get(world, "orders/t-a1"), get(world, f"orders/{placed.body['id']}")
    [listed] = get(world, "orders", status="open", contract="BTC_USDT")
    assert placed.status == 201
    assert placed.body == by_id == by_number == listed
    assert (by_id["size"], by_id["left"], by_id["status"]) == ("100", "100", "open")
    # 100 contracts of 0.0001 coins.
    assert world.simulator.ledger.orders[1].base_quantity == Decimal("0.01")


def test_sizes_are_whole_numbers_to_who_does_not_ask_for_parts(world: World) -> None:
    signed = world.request(GATE, "POST", f"{PATH}orders", **ORDER)
    response = world.venues.answer(changed(x_gate_size_decimal="")(signed)).response

    assert response is not None
    assert orjson.loads(response.body)["size"] == 100


@pytest.mark.parametrize(
    ("changes", "label"),
    [
        ({"size": "500000"}, "INSUFFICIENT_AVAILABLE"),
        ({"size": "0"}, "INVALID_PARAM_VALUE"),
        ({"size": "0.5"}, "SIZE_TOO_SMALL"),
        ({"size": "1.5"}, "INVALID_PARAM_VALUE"),
        ({"size": "many"}, "INVALID_PARAM_VALUE"),
        ({"price": "59000.05"}, "INVALID_PARAM_VALUE"),
        ({"price": "63001"}, "PRICE_TOO_DEVIATED"),
        ({"price": ""}, "MISSING_REQUIRED_PARAM"),
        # No price is any price, which a resting order cannot have.
        ({"price": "0"}, "INVALID_PARAM_VALUE"),
        ({"tif": "poc", "price": "60100"}, "ORDER_POC_IMMEDIATE"),
        ({"tif": "day"}, "INVALID_PARAM_VALUE"),
        ({"reduce_only": True}, "REDUCE_EXCEEDED"),
        ({"reduce_only": "yes"}, "INVALID_PARAM_VALUE"),
        ({"contract": "NOPE_USDT"}, "CONTRACT_NOT_FOUND"),
        ({"text": "a1"}, "INVALID_PARAM_VALUE"),
        ({"text": "t-with a space"}, "INVALID_PARAM_VALUE"),
        ({"text": "t-" + "x" * 29}, "INVALID_PARAM_VALUE"),
    ],
)
def test_refused_order_leaves_no_trace(world: World, changes: dict[str, Any], label: str) -> None:
    reply = order(world, **changes)

    assert (reply.status, reply.body["label"]) == (400, label)
    assert world.simulator.ledger.orders == {}


def test_order_in_hedge_mode_is_refused(world: World) -> None:
    world.account(GATE).is_hedge_mode = True

    assert order(world).body["label"] == "POSITION_DUAL_MODE"


def test_client_id_is_taken_again_and_shows_the_latest_order(world: World) -> None:
    first, second = order(world).body["id"], order(world).body["id"]

    assert first != second
    assert get(world, "orders/t-a1")["id"] == second


def test_ended_order_is_shown_by_our_id_for_a_minute_and_by_its_number_after(world: World) -> None:
    number = order(world, price="0", tif="ioc").body["id"]
    world.at += timedelta(seconds=60)
    assert get(world, "orders/t-a1")["id"] == number

    world.at += timedelta(seconds=1)

    assert get(world, "orders/t-a1")["label"] == "ORDER_NOT_FOUND"
    assert get(world, f"orders/{number}")["finish_as"] == "filled"
    assert [row["text"] for row in get(world, "orders", status="finished")] == ["t-a1"]


def test_unfilled_order_is_forgotten_ten_minutes_after_its_end(world: World) -> None:
    number = order(world).body["id"]
    ask(world, "DELETE", "orders/t-a1")
    assert get(world, f"orders/{number}")["finish_as"] == "cancelled"

    world.at += timedelta(minutes=10, seconds=1)

    assert get(world, f"orders/{number}")["label"] == "ORDER_NOT_FOUND"
    assert get(world, "orders", status="finished") == []


def test_second_cancel_finds_the_order_finished(world: World) -> None:
    order(world)

    assert ask(world, "DELETE", "orders/t-a1").body["status"] == "finished"
    assert ask(world, "DELETE", "orders/t-a1").body["label"] == "ORDER_FINISHED"
    assert ask(world, "DELETE", "orders/t-b2").body["label"] == "ORDER_NOT_FOUND"


def test_lists_are_handed_out_by_pages_newest_first(world: World) -> None:
    for number in range(5):
        order(world, text=f"t-{number}")

    first = get(world, "orders", status="open", limit=2)
    second = get(world, "orders", status="open", limit=2, offset=2)

    assert [row["text"] for row in (*first, *second)] == ["t-4", "t-3", "t-2", "t-1"]


# --- Account ----------------------------------------------------------------------------------


def test_fees_that_were_paid_are_positive_and_forced_closings_tell_themselves(
    world: World,
) -> None:
    order(world, price="0", tif="ioc", text="t-own")
    account, listing = world.account(GATE), world.listing(GATE)
    world.simulator.engine.close_by_venue(account, listing, Origin.LIQUIDATION, now=world.at)

    closed, opened = get(world, "my_trades", contract="BTC_USDT")
    [by_time, _] = get(world, "my_trades_timerange", contract="BTC_USDT")

    assert (opened["text"], opened["role"], opened["size"]) == ("t-own", "taker", "100")
    assert Decimal(opened["fee"]) > 0
    assert (closed["text"].startswith("liq-"), closed["size"]) == (True, "-100")
    assert by_time["trade_id"] == str(closed["id"])


def test_funding_is_a_change_with_its_own_number_and_sign(world: World) -> None:
    world.pin(GATE, funding_rate="0.001")
    world.place(GATE, Side.BUY, "0.5")
    world.wait(minutes=4)

    [change] = get(world, "account_book", type="fund")
    [booked] = world.simulator.ledger.funding

    assert Decimal(change["change"]) == booked.payment == Decimal("-30.000")
    assert change["contract"] == "BTC_USDT"
    assert booked.venue_payment_id.endswith(f"-BTC_USDT-{change['id']}")


def test_book_is_bounded_by_whole_seconds(world: World) -> None:
    account, ledger = world.account(GATE), world.simulator.ledger
    for amount in (1, 2, 3):
        ledger.move(account, "perpetual", "USDT", Decimal(amount), now=world.at)
        world.at += timedelta(seconds=1)
    begin = int(world.at.timestamp()) - 3

    rows = get(world, "account_book", type="dnw", **{"from": begin + 1, "to": begin + 2})

    assert [row["change"] for row in rows] == ["3", "2"]


def test_short_position_has_a_size_below_zero_and_no_leverage_of_its_own(world: World) -> None:
    world.place(GATE, Side.SELL, "0.5")

    [held] = get(world, "positions", holding="true")

    assert (held["size"], held["mode"], held["leverage"]) == ("-5000", "single", "0")
    assert held["cross_leverage_limit"] == "20"


def test_leverage_of_its_own_isolates_a_contract_and_none_sets_it_back(world: World) -> None:
    path, account = "positions/BTC_USDT/leverage", world.account(GATE)

    ask(world, "POST", path, leverage="5")
    assert account.is_isolated(GATE, "BTC_USDT")
    ask(world, "POST", path, leverage="0", cross_leverage_limit="7")

    assert not account.is_isolated(GATE, "BTC_USDT")
    assert account.leverage(GATE, "BTC_USDT") == 7
    too_much = ask(world, "POST", path, leverage="0", cross_leverage_limit="1000")
    assert too_much.body["label"] == "LEVERAGE_TOO_HIGH"


def test_rate_tells_its_seconds_and_next_settlement(world: World) -> None:
    [row, *_] = world.public(GATE, f"{PATH}contracts").body

    # Four minutes.
    assert row["funding_interval"] == 240
    assert row["funding_next_apply"] % 240 == 0
    assert row["quanto_multiplier"] == "0.0001"


# --- Sockets ----------------------------------------------------------------------------------


def listening(world: World, channel: str, **changes: Any) -> dict[str, Any]:
    account, stamp = world.account(GATE), int(world.at.timestamp())
    made = signature(account.secret, f"channel={channel}&event=subscribe&time={stamp}")
    return {
        "time": stamp,
        "channel": channel,
        "event": "subscribe",
        "payload": ["1", "!all"],
        "auth": {"method": "api_key", "KEY": account.api_key, "SIGN": made},
    } | changes


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"auth": None}, 4),
        ({"auth": {"method": "api_key", "KEY": "another", "SIGN": "ab"}}, 4),
        ({"auth": {"method": "api_key", "KEY": "gate-key", "SIGN": "ab"}}, 4),
        ({"time": 1700000000}, 4),
        ({"payload": ["2", "!all"]}, 2),
        ({"payload": []}, 2),
        ({"event": "listen"}, 2),
    ],
)
def test_subscription_that_its_owner_did_not_sign_so_is_refused(
    world: World, changes: dict[str, Any], code: int
) -> None:
    socket = socket_at(world, HOST, DOOR)

    [answer] = says(socket, world, listening(world, "futures.orders", **changes))

    assert answer["error"]["code"] == code
    assert socket.topics == []


def test_private_channels_tell_an_execution_with_our_id(world: World) -> None:
    heard: list[Any] = []
    socket = socket_at(world, HOST, DOOR, heard)
    for name in ("futures.orders", "futures.usertrades", "futures.positions"):
        [accepted] = says(socket, world, listening(world, name))
        assert accepted["result"] == {"status": "success"}

    world.place(GATE, Side.SELL, "0.01", client_order_id="t-a1")

    told = {message["channel"]: message["result"] for message in heard}
    [done], [fill] = told["futures.orders"], told["futures.usertrades"]
    [held] = told["futures.positions"]
    assert (done["status"], done["finish_as"], done["size"]) == ("finished", "filled", "-100")
    assert (fill["text"], fill["size"], fill["role"]) == ("t-a1", "-100", "taker")
    assert (held["contract"], held["size"], held["mode"]) == ("BTC_USDT", "-100", "single")


def test_closed_position_is_told_with_no_size(world: World) -> None:
    heard: list[Any] = []
    world.place(GATE, Side.SELL, "0.01")
    socket = socket_at(world, HOST, DOOR, heard)
    says(socket, world, listening(world, "futures.positions"))

    world.place(GATE, Side.BUY, "0.01")

    assert [row["size"] for message in heard for row in message["result"]] == ["0"]


def test_public_channel_comes_once_a_beat_and_fails_as_a_whole(world: World) -> None:
    socket = socket_at(world, HOST, DOOR)
    asked = {"time": 1, "channel": "futures.book_ticker", "event": "subscribe"}

    accepted, first = says(socket, world, asked | {"payload": ["BTC_USDT"]})

    assert (accepted["event"], first["result"]["s"]) == ("subscribe", "BTC_USDT")
    assert socket.beat(now=world.at) == []
    world.at += timedelta(seconds=1)
    assert len(socket.beat(now=world.at)) == 1
    [failed] = says(socket, world, asked | {"payload": ["ETH_USDT", "NOPE_USDT"]})
    assert (failed["error"]["code"], socket.topics) == (2, ["futures.book_ticker:BTC_USDT"])
    [pong] = says(socket, world, {"time": 1, "channel": "futures.ping"})
    assert pong["channel"] == "futures.pong"
