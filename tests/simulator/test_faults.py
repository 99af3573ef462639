"""Scripted faults: what the venue has done, and what its client gets to see."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from exchanges.simulator.deliveries import Delivery, Ending
from exchanges.simulator.listings import BYBIT, USDM
from tests.simulator.world import World

pytestmark = pytest.mark.core

ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}


@pytest.fixture(autouse=True)
def pinned(world: World) -> None:
    world.pin(USDM, price="60000")
    world.pin(BYBIT, price="60000")


def send(world: World, client_order_id: str = "mine-1", **changes: Any) -> Delivery:
    order = ORDER | {"newClientOrderId": client_order_id} | changes
    return world.deliver(USDM, "POST", "/fapi/v1/order", **order)


def find(world: World, client_order_id: str = "mine-1") -> Any:
    return world.private(
        USDM, "GET", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId=client_order_id
    ).body


def log(world: World) -> list[dict[str, Any]]:
    return world.simulator.ledger.accesses(after=0, limit=100)


def test_without_rules_an_order_is_accepted_and_answered(world: World) -> None:
    assert send(world).ending is Ending.ANSWER
    assert find(world)["status"] == "FILLED"


def test_a_dropped_request_leaves_no_order(world: World) -> None:
    world.venues.faults.add({"action": "drop_before_accept", "path": "/fapi/v1/order"})

    assert send(world).ending is Ending.CLOSE
    assert find(world)["code"] == -2013


@pytest.mark.parametrize(
    ("action", "ending"),
    [("accept_no_answer", Ending.HANG), ("accept_then_reset", Ending.RESET)],
)
def test_an_accepted_order_may_never_be_answered(world: World, action: str, ending: Ending) -> None:
    world.venues.faults.add({"action": action, "method": "POST"})

    delivery = send(world)

    assert (delivery.ending, delivery.response) == (ending, None)
    assert find(world)["status"] == "FILLED"


def test_a_rejection_carries_the_scripted_code(world: World) -> None:
    world.venues.faults.add({"action": "reject", "code": -2019, "message": "Margin"})

    response = send(world).response

    assert response is not None
    assert orjson.loads(response.body) == {"code": -2019, "msg": "Margin"}
    assert find(world)["code"] == -2013


def test_bybit_rejects_with_http_200(world: World) -> None:
    world.venues.faults.add({"action": "reject", "venue": "bybit", "code": 110007})

    reply = world.private(BYBIT, "GET", "/v5/account/wallet-balance")

    assert (reply.status, reply.body["retCode"]) == (200, 110007)


@pytest.mark.parametrize(
    ("action", "status"), [("rate_limit", 429), ("ban", 418), ("server_error", 502)]
)
def test_http_errors_come_before_acceptance(world: World, action: str, status: int) -> None:
    world.venues.faults.add({"action": action, "retry_after": 7})

    response = send(world).response

    assert response is not None
    assert response.status == status
    assert ("Retry-After" in response.headers) is (status != 502)
    assert find(world)["code"] == -2013


def test_a_server_error_may_hide_an_accepted_order(world: World) -> None:
    world.venues.faults.add(
        {
            "action": "server_error_after_accept",
            "status": 503,
            "code": -1000,
            "message": "Unknown error, please check your request or try again later.",
        }
    )

    response = send(world).response

    assert response is not None
    assert response.status == 503
    assert find(world)["status"] == "FILLED"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("empty", b""),
        ("null", b"null"),
        ("object", b"{}"),
        ("html", b"<html>"),
        ("truncated", b"{"),
    ],
)
def test_garbage_with_http_200_hides_an_accepted_order(
    world: World, kind: str, body: bytes
) -> None:
    world.venues.faults.add({"action": "garbage", "garbage": kind})

    response = send(world).response

    assert response is not None
    assert response.status == 200
    assert response.body.startswith(body)
    assert kind != "truncated" or not response.body.endswith(b"}")
    assert find(world)["status"] == "FILLED"


def test_a_hidden_order_is_found_only_after_its_time(world: World) -> None:
    world.venues.faults.add({"action": "hide_order", "seconds": 3, "path": "/fapi/v1/order"})
    send(world)

    assert find(world)["code"] == -2013
    world.wait(seconds=3)
    assert find(world)["status"] == "FILLED"


def test_a_delay_after_acceptance_holds_the_answer_back(world: World) -> None:
    world.venues.faults.add({"action": "delay", "seconds": 2, "after_accept": True})

    assert send(world).delay == 2
    assert find(world)["status"] == "FILLED"


def test_a_rule_strikes_the_nth_match_and_then_count_times(world: World) -> None:
    world.venues.faults.add(
        {"action": "drop_before_accept", "method": "POST", "nth": 2, "count": 1}
    )

    endings = [send(world, f"mine-{number}").ending for number in range(3)]

    assert endings == [Ending.ANSWER, Ending.CLOSE, Ending.ANSWER]


def test_a_rule_strikes_only_the_orders_it_names(world: World) -> None:
    world.venues.faults.add(
        {"action": "drop_before_accept", "client_order_id": "hedge", "contains": "side=SELL"}
    )

    assert send(world, "open-1").ending is Ending.ANSWER
    assert send(world, "hedge-1").ending is Ending.ANSWER
    assert send(world, "hedge-2", side="SELL").ending is Ending.CLOSE


def test_a_seeded_probability_replays_the_same(world: World) -> None:
    def endings(seed: int) -> list[Ending]:
        world.venues.faults.clear()
        rule = {"action": "drop_before_accept", "probability": 0.5, "count": None, "seed": seed}
        world.venues.faults.add(rule)
        return [send(world, f"{seed}-{number}").ending for number in range(12)]

    first = endings(3)

    assert endings(3) == first
    assert set(first) == {Ending.ANSWER, Ending.CLOSE}


def test_a_rule_with_an_unknown_field_is_refused(world: World) -> None:
    with pytest.raises(ValueError, match="unknown fields: symbol"):
        world.venues.faults.add({"action": "reject", "symbol": "BTCUSDT"})


def test_the_access_log_tells_what_was_seen_and_what_was_delivered(world: World) -> None:
    world.venues.faults.add({"action": "accept_no_answer", "method": "POST"})
    send(world)
    find(world)

    seen = [
        (row["method"], row["client_order_id"], row["outcome"], row["delivery"])
        for row in log(world)
    ]

    assert seen == [
        ("POST", "mine-1", "ok", "hang"),
        ("GET", "mine-1", "ok", "answer"),
    ]


def test_the_access_log_goes_on_after_a_restart(world: World) -> None:
    send(world)
    world.simulator.ledger.close()
    world.open()
    find(world)

    assert [row["number"] for row in log(world)] == [1, 2]
