"""Kraken Futures' face: signatures, what it remembers of orders, and funding that accrues."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchanges.domain import Side
from exchanges.simulator.accounts import Origin
from exchanges.simulator.faces.kraken_futures_calls import signature
from exchanges.simulator.listings import KRAKEN_FUTURES
from tests.simulator.open_sockets import says, socket_at
from tests.simulator.world import World

D = Decimal
SYMBOL = "PF_XBTUSD"
TRADING, HISTORY = "/derivatives/api/v3/", "/api/history/v3/"
FEEDS = ("open_orders_verbose", "fills", "open_positions", "balances")


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path, interval_minutes=60, watched=True)
    made.pin(KRAKEN_FUTURES, price="60000", funding_rate="0.001")
    return made


def get(world: World, path: str, **asked: Any) -> Any:
    return world.private(KRAKEN_FUTURES, "GET", path, **asked).body


def post(world: World, name: str, **asked: Any) -> Any:
    return world.private(KRAKEN_FUTURES, "POST", f"{TRADING}{name}", **asked).body


def send(world: World, own_id: str = "one", **terms: Any) -> Any:
    asked = {"orderType": "mkt", "symbol": SYMBOL, "side": "sell", "size": "0.1"} | terms
    return post(world, "sendorder", cliOrdId=own_id, **asked)["sendStatus"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda one: replace(one, headers={**one.headers, "authent": "AAAA"}),
        lambda one: replace(one, headers={**one.headers, "apikey": "another"}),
        lambda one: replace(one, query="symbol=PF_ETHUSD"),
        lambda one: replace(one, host="demo-futures.kraken.com"),
        lambda one: replace(one, headers={}),
    ],
    ids=["signature", "key", "what is asked", "place of practice", "nothing"],
)
def test_what_is_not_signed_by_a_key_of_this_place_is_refused(
    world: World, spoil: Callable[[Any], Any]
) -> None:
    request = world.request(KRAKEN_FUTURES, "GET", f"{TRADING}openpositions", symbol=SYMBOL)

    response = world.venues.answer(spoil(request)).response

    assert response is not None
    assert response.outcome == "authenticationError"


def test_an_id_is_taken_for_good(world: World) -> None:
    assert send(world)["status"] == "placed"
    world.wait(hours=1)

    assert send(world)["status"] == "clientOrderIdAlreadyExist"


def test_an_order_is_shown_for_five_seconds_after_its_end_and_remembered_after(
    world: World,
) -> None:
    number = send(world)["order_id"]

    def shown() -> list[str]:
        told = post(world, "orders/status", cliOrdIds="one")["orders"]
        return [row["status"] for row in told]

    world.wait(seconds=5)
    assert shown() == ["FULLY_EXECUTED"]
    world.wait(seconds=1)
    assert shown() == []
    [event] = get(world, f"{HISTORY}orders", tradeable=SYMBOL)["elements"]
    assert event["event"]["OrderPlaced"]["order"]["clientId"] == "one"
    fills = get(world, f"{TRADING}fills")["fills"]
    assert {(row["order_id"], row["cliOrdId"]) for row in fills} == {(number, "one")}


def test_what_would_be_done_later_than_asked_is_not_done(world: World) -> None:
    late = "2026-01-05T12:00:30.000000Z"

    assert send(world, processBefore=late)["status"] == "wouldProcessAfterSpecifiedTime"
    send(world, "two", orderType="lmt", limitPrice="61000")
    cancelled = post(world, "cancelorder", cliOrdId="two", processBefore=late)["cancelStatus"]
    assert cancelled["status"] == "wouldProcessAfterSpecifiedTime"
    assert [row["cliOrdId"] for row in get(world, f"{TRADING}openorders")["openOrders"]] == ["two"]


@pytest.mark.parametrize(
    ("terms", "status"),
    [
        ({"size": "0.00001"}, "invalidSize"),
        ({"orderType": "lmt", "limitPrice": "60000.01"}, "invalidPrice"),
        ({"orderType": "lmt", "limitPrice": "80000", "side": "buy"}, "outsidePriceCollar"),
        ({"orderType": "post", "limitPrice": "59000"}, "postWouldExecute"),
        ({"orderType": "ioc", "limitPrice": "61000"}, "iocWouldNotExecute"),
        ({"size": "90"}, "insufficientAvailableFunds"),
        ({"reduceOnly": "true"}, "wouldNotReducePosition"),
    ],
)
def test_what_is_not_placed_is_told_in_an_answer_of_success(
    world: World, terms: dict[str, str], status: str
) -> None:
    assert send(world, **terms)["status"] == status


def test_a_request_that_lacks_something_is_an_error(world: World) -> None:
    asked = {"orderType": "mkt", "symbol": SYMBOL, "side": "sell"}

    assert post(world, "sendorder", **asked)["error"] == "requiredArgumentMissing"
    assert (
        post(world, "sendorder", size="1", **{**asked, "side": "x"})["error"] == "invalidArgument"
    )
    assert get(world, "/derivatives/api/v3/nothing")["error"] == "notFound"


def test_funding_accrues_and_is_paid_by_each_change_and_each_hour(world: World) -> None:
    wallet = world.account(KRAKEN_FUTURES).wallets["flex"]
    send(world)
    world.wait(minutes=15)
    [position] = get(world, f"{TRADING}openpositions")["openPositions"]
    flex = get(world, f"{TRADING}accounts")["accounts"]["flex"]
    # 6 dollars an hour.
    assert (position["unrealizedFunding"], flex["unrealizedFunding"]) == (1.5, 1.5)
    before = wallet["USD"]

    send(world, "two", side="buy", size="0.05")

    [paid] = world.simulator.ledger.funding
    [_, trade] = world.simulator.ledger.trades
    assert (paid.payment, paid.trade_number) == (D("1.5"), trade.number)
    assert wallet["USD"] - before == paid.payment + trade.realised_pnl - trade.fee
    world.wait(minutes=45)
    # 44.5 minutes of half of it.
    assert [row.payment for row in world.simulator.ledger.funding] == [D("1.5"), D("2.225")]


def test_what_was_earned_while_nothing_ran_is_paid_at_the_next_start(world: World) -> None:
    send(world)
    world.simulator.ledger.commit()
    world.at = world.at.replace(hour=14, minute=30)

    world.open()

    paid = world.simulator.ledger.funding
    assert [row.payment for row in paid] == [D("5.95"), D(6)]
    assert len({row.venue_payment_id for row in paid}) == 2


def test_the_rate_of_an_hour_is_told_by_its_beginning_and_does_not_change_within(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, interval_minutes=60, watched=True)

    def newest() -> tuple[Any, Any]:
        tickers = world.public(KRAKEN_FUTURES, f"{TRADING}tickers").body["tickers"]
        rates = world.public(
            KRAKEN_FUTURES, "/derivatives/api/v4/historicalfundingrates", symbol=SYMBOL
        ).body["rates"]
        ticker = next(row for row in tickers if row["symbol"] == SYMBOL)
        assert ticker["fundingRate"] == rates[-1]["fundingRate"]
        return rates[-1]["timestamp"], rates[-1]["fundingRate"]

    first = newest()
    world.wait(minutes=50)
    assert newest() == first
    assert first[0] == "2026-01-05T12:00:00.000Z"
    world.wait(minutes=10)
    assert newest()[0] == "2026-01-05T13:00:00.000Z"


def test_the_log_tells_what_the_wallet_held_and_each_entry_has_its_number(world: World) -> None:
    owner = world.account(KRAKEN_FUTURES)
    world.simulator.ledger.move(owner, "flex", "USD", D(500), now=world.at)
    world.wait(seconds=1)
    send(world)
    world.wait(hours=1)

    logs = get(world, f"{HISTORY}account-log", sort="asc")["logs"]

    assert [row["info"] for row in logs] == [
        "cross-exchange transfer",
        *("futures trade", "futures trade"),
        "funding rate change",
    ]
    own = [row for row in logs if row["asset"] == "usd"]
    assert own[0]["new_balance"] == 100_500
    assert own[-1]["new_balance"] == float(owner.wallets["flex"]["USD"])
    numbers = [row["id"] for row in logs]
    assert numbers == sorted(set(numbers))


def test_a_contract_is_on_isolated_margin_while_it_has_a_leverage(world: World) -> None:
    path = f"{TRADING}leveragepreferences"

    def preferences() -> Any:
        return get(world, path)["leveragePreferences"]

    world.private(KRAKEN_FUTURES, "PUT", path, symbol=SYMBOL, maxLeverage="5")
    assert preferences() == [{"symbol": SYMBOL, "maxLeverage": 5}]
    world.private(KRAKEN_FUTURES, "PUT", path, symbol=SYMBOL)
    assert preferences() == []


# --- The socket -----------------------------------------------------------------------------------


def test_private_feeds_are_told_to_who_signs_the_challenge(world: World) -> None:
    owner, heard = world.account(KRAKEN_FUTURES), list[Any]()
    socket = socket_at(world, "futures.kraken.com", "/ws/v1", heard)
    [told] = says(socket, world, {"event": "challenge", "api_key": owner.api_key})
    signed = {
        "event": "subscribe",
        "api_key": owner.api_key,
        "original_challenge": told["message"],
        "signed_challenge": signature(owner.secret, told["message"]),
    }

    for feed in FEEDS:
        accepted, present = says(socket, world, {**signed, "feed": feed})
        assert (accepted["event"], accepted["feed"]) == ("subscribed", feed)
        assert present["feed"].removesuffix("_snapshot") == feed
    send(world)

    assert {row["feed"] for row in heard} == set(FEEDS)
    [fill] = next(row["fills"] for row in heard if row["feed"] == "fills")
    assert (fill["cli_ord_id"], fill["qty"], fill["buy"]) == ("one", 0.1, False)
    assert heard[-1]["flex_futures"]["currencies"]["USD"]["quantity"] < 100_000


@pytest.mark.parametrize("secret", ["not base64", base64.b64encode(b"another").decode()])
def test_who_does_not_sign_it_hears_nothing(world: World, secret: str) -> None:
    owner = world.account(KRAKEN_FUTURES)
    socket = socket_at(world, "futures.kraken.com", "/ws/v1")
    [told] = says(socket, world, {"event": "challenge", "api_key": owner.api_key})
    is_base64 = secret != "not base64"
    asked = {
        "event": "subscribe",
        "feed": "fills",
        "api_key": owner.api_key,
        "original_challenge": told["message"],
        "signed_challenge": signature(secret, told["message"]) if is_base64 else "",
    }

    [refused] = says(socket, world, asked)

    assert refused == {"event": "alert", "message": "Failed to subscribe to authenticated feed"}


def test_it_says_once_a_second_that_it_is_there(world: World) -> None:
    socket = socket_at(world, "futures.kraken.com", "/ws/v1")
    says(socket, world, {"event": "subscribe", "feed": "heartbeat"})
    beats = 0
    for _ in range(12):
        world.wait(seconds=0.25)
        beats += len(socket.beat(now=world.at))

    assert beats == 3


def test_a_liquidation_pays_what_was_earned_first(world: World) -> None:
    world.place(KRAKEN_FUTURES, Side.SELL, "0.1")
    world.wait(minutes=30)
    owner, listing = world.account(KRAKEN_FUTURES), world.listing(KRAKEN_FUTURES)
    world.simulator.engine.close_by_venue(owner, listing, Origin.LIQUIDATION, now=world.at)

    [paid] = world.simulator.ledger.funding
    assert paid.payment == 3
