"""Hyperliquid as the simulator speaks it: signatures, refusals in words, hourly funding."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from exchanges.ccxt_adapter.calls.hyperliquid_signing import signature
from exchanges.domain import Side
from exchanges.simulator.accounts import Origin
from exchanges.simulator.faces.hyperliquid_signatures import address_of, signer_of
from exchanges.simulator.faces.hyperliquid_sockets import Socket
from exchanges.simulator.listings import HYPERLIQUID, USDM
from exchanges.simulator.wire import WireRequest, milliseconds
from tests.simulator.world import World
from tests.wallets import wallet_of

pytestmark = pytest.mark.core

CLOID = "0x" + "ab" * 16
WALLET = wallet_of(HYPERLIQUID)


@pytest.fixture(autouse=True)
def pinned(world: World) -> None:
    world.account(HYPERLIQUID)
    world.pin(HYPERLIQUID, price="60000")


def info(world: World, kind: str, **asked: Any) -> Any:
    request = WireRequest(
        host="api.hyperliquid.xyz",
        method="POST",
        path="/info",
        body=orjson.dumps({"type": kind, **asked}),
    )
    response = world.venues.answer(request).response
    assert response is not None
    return orjson.loads(response.body)


def of_wallet(world: World, kind: str, **asked: Any) -> Any:
    return info(world, kind, user=WALLET.address, **asked)


def order(price: str = "59000", **changes: Any) -> dict[str, Any]:
    row = {
        "a": 0,
        "b": True,
        "p": price,
        "s": "0.01",
        "r": False,
        "t": {"limit": {"tif": "Gtc"}},
        "c": CLOID,
    }
    return {"type": "order", "orders": [row | changes], "grouping": "na"}


def body_of(world: World, action: dict[str, Any], **changes: Any) -> dict[str, Any]:
    nonce = milliseconds(world.at)
    until = nonce + 5000
    signed = signature(action, nonce, until, WALLET.agent_key)
    return {
        "action": action,
        "nonce": nonce,
        "signature": signed,
        "expiresAfter": until,
    } | changes


def act(world: World, action: dict[str, Any], **changes: Any) -> Any:
    """Send a signed action and let a moment pass: no two have one nonce."""
    return send(world, body_of(world, action, **changes))


def send(world: World, body: dict[str, Any]) -> Any:
    request = WireRequest(
        host="api.hyperliquid.xyz", method="POST", path="/exchange", body=orjson.dumps(body)
    )
    response = world.venues.answer(request).response
    assert response is not None
    world.at += timedelta(milliseconds=1)
    return orjson.loads(response.body)


def status(world: World, action: dict[str, Any]) -> Any:
    [only] = act(world, action)["response"]["data"]["statuses"]
    return only


# --- Signatures -------------------------------------------------------------------------------


def test_signer_of_the_venues_own_example_is_recovered() -> None:
    """The example is a test of the venue's own client, signed without a deadline."""
    key = "0x" + "0123456789" * 6 + "0123"
    action = {
        "type": "order",
        "orders": [
            {
                "a": 1,
                "b": True,
                "p": "100",
                "s": "100",
                "r": False,
                "t": {"limit": {"tif": "Gtc"}},
            }
        ],
        "grouping": "na",
    }
    signed = {
        "r": "0xd65369825a9df5d80099e513cce430311d7d26ddf477f5b3a33d2806b100d78e",
        "s": "0x2b54116ff64054968aa237c20ca9ff68000f977c93289157748a3162b6ea940e",
        "v": 28,
    }

    assert signer_of(action, 0, None, signed) == address_of(key)


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body["action"]["orders"][0].update(s="1"),
        lambda body: body["action"]["orders"][0].update(p="60001"),
        lambda body: body.update(nonce=body["nonce"] + 1),
        lambda body: body.update(expiresAfter=body["expiresAfter"] + 1),
        lambda body: body.pop("expiresAfter"),
    ],
    ids=["size", "price", "nonce", "deadline", "no deadline"],
)
def test_an_action_that_was_changed_is_a_strangers(
    world: World, change: Callable[[dict[str, Any]], object]
) -> None:
    body = body_of(world, order())
    change(body)

    answer = send(world, body)

    assert answer["status"] == "err"
    assert answer["response"].startswith("User or API Wallet 0x")
    assert not world.simulator.ledger.orders


def test_what_is_no_signature_is_malformed(world: World) -> None:
    nothing = {"r": "0x0", "s": "0x0", "v": 27}

    assert "Failed to deserialize" in act(world, order(), signature=nothing)
    assert "Failed to deserialize" in act(world, order(), signature={"r": "zz"})


def test_a_nonce_counts_once_and_only_near_the_venues_time(world: World) -> None:
    body = body_of(world, order())
    send(world, body)

    assert "Invalid nonce" in send(world, body)["response"]

    late = body_of(world, order(c="0x" + "cd" * 16))
    world.at += timedelta(seconds=6)
    assert "expiresAfter" in send(world, late)["response"]


# --- Orders -----------------------------------------------------------------------------------


def test_a_resting_order_is_found_by_number_and_by_own_id(world: World) -> None:
    placed = status(world, order())

    number = placed["resting"]["oid"]
    by_id, by_number = (of_wallet(world, "orderStatus", oid=name) for name in (CLOID, number))

    assert placed["resting"]["cloid"] == CLOID
    assert by_id == by_number
    assert by_id["order"]["status"] == "open"
    assert by_id["order"]["order"] == of_wallet(world, "frontendOpenOrders")[0]
    assert of_wallet(world, "orderStatus", oid="0x" + "00" * 16) == {"status": "unknownOid"}


def test_an_immediate_order_fills_or_is_refused(world: World) -> None:
    immediate = {"limit": {"tif": "Ioc"}}

    filled = status(world, order("61000", t=immediate))["filled"]
    missed = status(world, order("50000", t=immediate, c="0x" + "cd" * 16))

    assert (filled["totalSz"], filled["avgPx"]) == ("0.01", "60001")
    assert missed["error"].startswith("Order could not immediately match")
    told = of_wallet(world, "orderStatus", oid="0x" + "cd" * 16)
    assert told["order"]["status"] == "iocCancelRejected"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"s": "0.000001"}, "Order has invalid size. asset=0"),
        ({"p": "59000.5"}, "Price must be divisible by tick size. asset=0"),
        ({"s": "0.0001"}, "Order must have minimum value of $10. asset=0"),
        ({"s": "50"}, "Insufficient margin to place order. asset=0"),
        ({"r": True}, "Reduce only order would increase position. asset=0"),
        ({"t": {"limit": {"tif": "Alo"}}, "p": "61000"}, "Post only order would have immediately"),
        ({"p": "600000"}, "Order price cannot be more than 80% away"),
    ],
)
def test_a_refused_order_is_told_in_words(
    world: World, changes: dict[str, Any], words: str
) -> None:
    assert status(world, order(**changes))["error"].startswith(words)
    assert not world.simulator.ledger.orders


def test_an_id_is_taken_for_good(world: World) -> None:
    status(world, order())
    cancel = {"type": "cancelByCloid", "cancels": [{"asset": 0, "cloid": CLOID}]}

    assert status(world, cancel) == "success"
    assert status(world, cancel)["error"].startswith("Order was never placed, already canceled")
    assert status(world, order())["error"].startswith("Duplicate cloid")


def test_a_builder_is_refused_and_so_is_every_other_action(world: World) -> None:
    assert "Builder fee" in act(world, order() | {"builder": {"b": "0x0", "f": 10}})["response"]
    for name in ("approveBuilderFee", "setReferrer", "withdraw3", "usdSend"):
        assert act(world, {"type": name})["response"] == f"{name} is not simulated"


def test_leverage_is_whole_offered_and_cross_or_isolated(world: World) -> None:
    def update(**changes: Any) -> Any:
        action = {"type": "updateLeverage", "asset": 0, "isCross": True, "leverage": 5}
        return act(world, action | changes)

    assert update() == {"status": "ok", "response": {"type": "default"}}
    assert update(leverage=41)["response"] == "Invalid leverage value"
    status(world, order("61000", t={"limit": {"tif": "Ioc"}}))
    assert update(isCross=False)["response"].startswith("Cannot switch leverage type")


def test_scheduled_cancel_takes_every_order_of_the_wallet(world: World) -> None:
    status(world, order())
    at = milliseconds(world.at) + 10_000
    assert act(world, {"type": "scheduleCancel", "time": at})["status"] == "ok"
    soon = act(world, {"type": "scheduleCancel", "time": milliseconds(world.at) + 1000})

    world.wait(seconds=11)

    assert soon["response"].startswith("Scheduled cancel time must be at least 5 seconds")
    assert of_wallet(world, "frontendOpenOrders") == []


# --- Money ------------------------------------------------------------------------------------


def test_funding_is_hourly_at_the_oracle_price_and_an_eighth_of_eight_hours(tmp_path: Path) -> None:
    world = World(tmp_path, interval_minutes=480)
    bought = world.place(HYPERLIQUID, Side.BUY, "0.1")
    world.place(USDM, Side.BUY, "0.1")
    listing, market = world.listing(HYPERLIQUID), world.simulator.market

    world.wait(minutes=59, seconds=30)

    [paid] = world.simulator.ledger.funding
    assert paid.venue == bought.venue == HYPERLIQUID
    assert paid.settled_at.minute == 0
    assert paid.settlement_price == market.index(listing, paid.settled_at)
    assert paid.settlement_price != market.mark(listing, paid.settled_at)
    # One hundredth of a percent for eight hours, give or take.
    assert 0 < paid.funding_rate < Decimal("0.00005")
    [row] = of_wallet(world, "userFunding", startTime=0)
    assert (row["delta"]["usdc"], row["delta"]["coin"]) == (f"{paid.payment.normalize():f}", "BTC")
    [history] = info(world, "fundingHistory", coin="BTC", startTime=row["time"])
    assert history["fundingRate"] == row["delta"]["fundingRate"]


def test_predicted_rates_name_their_hours(world: World, tmp_path: Path) -> None:
    [(_, own)] = [pair for pair in info(world, "predictedFundings")[0][1] if pair[0] == "HlPerp"]
    hourly = World(tmp_path / "hourly", interval_minutes=60)
    [(_, told)] = [pair for pair in info(hourly, "predictedFundings")[0][1] if pair[0] == "HlPerp"]

    assert own["fundingIntervalHours"] == 0.066667
    assert told["fundingIntervalHours"] == 1


def test_account_value_counts_what_is_won_and_what_is_set_apart(world: World) -> None:
    act(world, {"type": "updateLeverage", "asset": 0, "isCross": False, "leverage": 10})
    status(world, order("61000", s="0.1", t={"limit": {"tif": "Ioc"}}))
    add = {"type": "updateIsolatedMargin", "asset": 0, "isBuy": True, "ntli": 25_000_000}
    act(world, add)
    world.pin(HYPERLIQUID, price="60500")

    state = of_wallet(world, "clearinghouseState")

    [held] = [row["position"] for row in state["assetPositions"]]
    # 600.01 of initial margin at 10x for 6,000.10, and 25 added.
    assert (held["leverage"]["type"], held["marginUsed"]) == ("isolated", "625.01")
    assert held["unrealizedPnl"] == "49.9"
    fee = Decimal("6000.10") * Decimal("0.00045")
    assert Decimal(state["marginSummary"]["accountValue"]) == 100_000 + Decimal("49.9") - fee


def test_a_liquidated_wallet_is_named_in_its_fills(world: World) -> None:
    world.place(HYPERLIQUID, Side.BUY, "0.1")
    listing, owner = world.listing(HYPERLIQUID), world.account(HYPERLIQUID)
    world.simulator.engine.close_by_venue(owner, listing, Origin.LIQUIDATION, now=world.at)

    opened, closed = of_wallet(world, "userFillsByTime", startTime=0)

    assert "liquidation" not in opened
    assert closed["liquidation"]["liquidatedUser"] == WALLET.address
    assert (opened["dir"], closed["dir"]) == ("Open Long", "Close Long")


def test_role_of_an_address_tells_agents_from_wallets(world: World) -> None:
    agent = address_of(WALLET.agent_key)

    assert info(world, "userRole", user=agent) == {
        "role": "agent",
        "data": {"user": WALLET.address},
    }
    assert info(world, "userRole", user=WALLET.address) == {"role": "user"}
    assert info(world, "userRole", user="0x" + "00" * 20) == {"role": "missing"}
    [listed] = of_wallet(world, "extraAgents")
    assert listed["address"] == agent


# --- Sockets ----------------------------------------------------------------------------------


def heard(socket: Socket, world: World, **subscription: Any) -> list[Any]:
    text = orjson.dumps({"method": "subscribe", "subscription": subscription}).decode()
    return [orjson.loads(one.body) for one in socket.receive(text, now=world.at)]


def test_a_channel_begins_with_its_state_and_tells_changes(world: World) -> None:
    socket = Socket(world.simulator)

    reply, first = heard(socket, world, type="bbo", coin="BTC")
    world.wait(seconds=1)
    resting = socket.beat(now=world.at)
    world.pin(HYPERLIQUID, price="60100")
    world.wait(seconds=1)
    [changed] = socket.beat(now=world.at)

    assert reply["channel"] == "subscriptionResponse"
    assert [side["px"] for side in first["data"]["bbo"]] == ["59999", "60001"]
    assert resting == []
    assert orjson.loads(changed.body)["data"]["bbo"][0]["px"] == "60099"


def test_orders_fills_and_payments_of_a_wallet_are_told_to_all_who_ask(world: World) -> None:
    socket, messages = Socket(world.simulator), list[Any]()
    for name in ("orderUpdates", "userFills", "userFundings"):
        heard(socket, world, type=name, user=WALLET.address)
    world.simulator.listeners.append(lambda event: messages.extend(socket.happened(event)))

    status(world, order("61000", t={"limit": {"tif": "Ioc"}}))
    world.wait(minutes=4)

    told = [orjson.loads(one.body) for one in messages]
    channels = [one["channel"] for one in told]
    assert channels == ["orderUpdates", "orderUpdates", "userFills", "userFundings"]
    assert [one["data"][0]["status"] for one in told[:2]] == ["open", "filled"]
    assert told[2]["data"]["fills"][0]["cloid"] == CLOID
    assert told[3]["data"]["fundings"][0]["coin"] == "BTC"


def test_what_is_no_channel_is_refused_and_a_ping_answered(world: World) -> None:
    socket = Socket(world.simulator)

    assert heard(socket, world, type="bbo", coin="NOPE")[0]["channel"] == "error"
    assert heard(socket, world, type="userFills", user="0x0")[0]["channel"] == "error"
    [pong] = socket.receive('{"method": "ping"}', now=world.at)
    assert orjson.loads(pong.body) == {"channel": "pong"}
