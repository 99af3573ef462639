"""OKX's protocol as the simulator speaks it: signatures, contracts, refusals, bills."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest

from exchanges.domain import Side
from exchanges.simulator.accounts import Origin
from exchanges.simulator.faces.passphrase_signature import signature
from exchanges.simulator.listings import OKX
from exchanges.simulator.wire import WireRequest, milliseconds
from tests.simulator.world import Reply, World

pytestmark = pytest.mark.core

BTC = "BTC-USDT-SWAP"
ORDER = {
    "instId": BTC,
    "tdMode": "cross",
    "side": "buy",
    "ordType": "limit",
    "sz": "1",
    "px": "59000",
}


@pytest.fixture(autouse=True)
def pinned(world: World) -> None:
    world.pin(OKX, price="60000")


def get(world: World, path: str, **parameters: Any) -> list[Any]:
    rows: list[Any] = world.private(OKX, "GET", f"/api/v5/{path}", **parameters).body["data"]
    return rows


def post(world: World, path: str, **parameters: Any) -> Reply:
    return world.private(OKX, "POST", f"/api/v5/{path}", **parameters)


def order(world: World, **changes: Any) -> Reply:
    return post(world, "trade/order", **(ORDER | changes))


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
        (changed(ok_access_sign="bm90IHRoZSBzaWduYXR1cmU="), "50113"),
        (changed(ok_access_passphrase="another"), "50105"),
        (changed(ok_access_key="another"), "50111"),
        (changed(ok_access_key=""), "50103"),
        (changed(ok_access_timestamp="yesterday"), "50112"),
        (changed(ok_access_timestamp="2026-01-05T11:59:59.000Z"), "50102"),
        (changed(x_simulated_trading="1"), "50101"),
        # The signature covers path, query and body.
        (lambda request: replace(request, query="instType=FUTURES"), "50113"),
        (lambda request: replace(request, path="/api/v5/account/balance"), "50113"),
        (lambda request: replace(request, body=b"{}"), "50113"),
    ],
)
def test_request_that_its_owner_did_not_sign_so_is_refused(
    world: World, change: Callable[[WireRequest], WireRequest], code: str
) -> None:
    signed = world.request(OKX, "GET", "/api/v5/account/positions", instType="SWAP")

    assert told(world, signed) == (200, "0")
    assert told(world, change(signed)) == (401, code)


def test_signature_of_the_guides_example_is_what_openssl_makes_of_it() -> None:
    text = "2020-12-08T09:08:57.715ZGET/api/v5/account/balance?ccy=BTC"

    found = signature("22582BD0CFF14C41EDBF1AB98506286D", text)

    assert found == "HiZhvSfMtWJA3uUIVXV3a/bSXNPCWvYFXoGCVS8V4zY="


def test_order_that_comes_after_its_deadline_is_not_placed(world: World) -> None:
    request = world.request(OKX, "POST", "/api/v5/trade/order", **ORDER)
    late, in_time = milliseconds(world.at) - 1, milliseconds(world.at) + 5_000

    assert told(world, changed(exptime=str(late))(request)) == (200, "50037")
    assert world.simulator.ledger.orders == {}
    assert told(world, changed(exptime=str(in_time))(request)) == (200, "0")


# --- Orders -----------------------------------------------------------------------------------


def test_sizes_count_contracts_of_a_hundredth_bitcoin(world: World) -> None:
    reply = order(world, sz="2.5", clOrdId="a1", tag="t1")

    [row] = get(world, "trade/order", instId=BTC, clOrdId="a1")
    [booked] = world.simulator.ledger.orders.values()
    assert (reply.body["code"], reply.body["data"][0]["sCode"]) == ("0", "0")
    assert (row["sz"], row["accFillSz"], row["state"]) == ("2.5", "0", "live")
    assert (row["tag"], row["reduceOnly"], row["posSide"]) == ("t1", "false", "net")
    assert booked.base_quantity == Decimal("0.025")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"sz": "10000"}, "51008"),
        ({"sz": "0.005"}, "51020"),
        ({"sz": "1.005"}, "51121"),
        ({"px": "59000.05"}, "51150"),
        ({"px": "63001"}, "51006"),
        ({"px": ""}, "51204"),
        ({"reduceOnly": True}, "51169"),
        ({"instId": "NOPE-USDT-SWAP"}, "51001"),
        ({"ordType": "fok"}, "51000"),
        ({"side": "up"}, "51000"),
        ({"tdMode": "cash"}, "51000"),
        ({"tdMode": ""}, "50014"),
        ({"sz": "many"}, "51000"),
        ({"posSide": "long"}, "51000"),
        ({"clOrdId": "with-a-dash"}, "51000"),
        ({"clOrdId": "x" * 33}, "51000"),
        ({"tag": "x" * 17}, "51000"),
    ],
)
def test_refused_order_has_its_code_in_its_row(
    world: World, changes: dict[str, Any], code: str
) -> None:
    reply = order(world, **changes)

    assert (reply.status, reply.body["code"]) == (200, "1")
    assert reply.body["data"][0]["sCode"] == code
    assert reply.body["data"][0]["ordId"] == ""
    assert world.simulator.ledger.orders == {}


def test_client_id_is_taken_for_good(world: World) -> None:
    order(world, clOrdId="a1")
    post(world, "trade/cancel-order", instId=BTC, clOrdId="a1")

    assert order(world, clOrdId="a1").body["data"][0]["sCode"] == "51016"


def test_reduce_only_in_the_direction_of_the_position_has_its_own_code(world: World) -> None:
    world.place(OKX, Side.BUY, "0.01")

    assert order(world, reduceOnly=True).body["data"][0]["sCode"] == "51170"


def test_crossing_post_only_order_is_accepted_and_canceled(world: World) -> None:
    order(world, ordType="post_only", px="60100", clOrdId="a1")

    [row] = get(world, "trade/order", instId=BTC, clOrdId="a1")
    assert (row["state"], row["cancelSource"], row["accFillSz"]) == ("canceled", "31", "0")


def test_orders_nobody_placed_are_neither_found_nor_canceled(world: World) -> None:
    asked = world.private(OKX, "GET", "/api/v5/trade/order", instId=BTC, clOrdId="none")
    canceled = post(world, "trade/cancel-order", instId=BTC, clOrdId="none")

    assert asked.body["code"] == "51603"
    assert (canceled.body["code"], canceled.body["data"][0]["sCode"]) == ("1", "51400")


def test_batch_answers_for_each_of_its_orders(world: World) -> None:
    request = world.request(OKX, "POST", "/api/v5/trade/batch-orders")
    body = orjson.dumps([ORDER | {"clOrdId": "a1"}, ORDER | {"clOrdId": "a2", "sz": "0"}])
    stamp = request.headers["ok-access-timestamp"]
    text = f"{stamp}POST/api/v5/trade/batch-orders{body.decode()}"
    signed = changed(ok_access_sign=signature("okx-secret", text))(replace(request, body=body))

    response = world.venues.answer(signed).response

    assert response is not None
    answer = orjson.loads(response.body)
    assert answer["code"] == "2"
    assert [row["sCode"] for row in answer["data"]] == ["0", "51020"]


SPOT = "BTC-USDT"
SPOT_ORDER = {"instId": SPOT, "tdMode": "cash", "side": "buy", "ordType": "limit", "px": "59000"}


@pytest.fixture
def spot(world: World) -> World:
    world.pin(OKX, SPOT, price="60000")
    return world


def buy_spot(world: World, **changes: Any) -> str:
    answer = post(world, "trade/order", **(SPOT_ORDER | {"sz": "0.1"} | changes)).body
    code: str = answer["data"][0]["sCode"]
    return code


def assets(world: World) -> dict[str, Any]:
    [account] = get(world, "account/balance")
    return {row["ccy"]: row for row in account["details"]}


def test_spot_is_counted_in_coins_and_pays_its_fee_from_what_it_gets(spot: World) -> None:
    assert buy_spot(spot, ordType="market", px="", tgtCcy="base_ccy") == "0"

    [fill] = get(spot, "trade/fills", instType="SPOT")
    assert (fill["fillSz"], fill["feeCcy"], fill["instType"]) == ("0.1", "BTC", "SPOT")
    # 0.1 % of 0.1 BTC.
    assert (fill["fee"], assets(spot)["BTC"]["cashBal"]) == ("-0.0001", "0.0999")


def test_dollars_are_there_once_for_spot_and_contracts(spot: World) -> None:
    # 1.6 BTC at 59,000 leave 5,600 of 100,000 USDT.
    assert buy_spot(spot, sz="1.6") == "0"

    assert assets(spot)["USDT"]["availEq"] == "5600"
    # 2 BTC at 59,000 and 20x need 5,900 of margin, 1 BTC half of it.
    assert order(spot, sz="200").body["data"][0]["sCode"] == "51008"
    assert order(spot, sz="100").body["data"][0]["sCode"] == "0"
    assert buy_spot(spot, sz="0.05") == "51008"
    assert buy_spot(spot, sz="0.04") == "0"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"tdMode": "cross"}, "51000"),
        ({"ordType": "market", "px": ""}, "51000"),
        ({"sz": "0.000001"}, "51020"),
        ({"side": "sell"}, "51008"),
    ],
)
def test_spot_order_is_refused_with_its_code(
    spot: World, changes: dict[str, Any], code: str
) -> None:
    assert buy_spot(spot, **changes) == code


# --- Account ----------------------------------------------------------------------------------


def test_fees_that_were_paid_are_negative_and_forced_closings_tell_themselves(
    world: World,
) -> None:
    world.place(OKX, Side.BUY, "0.5")
    account, listing = world.account(OKX), world.listing(OKX)
    world.simulator.engine.close_by_venue(account, listing, Origin.LIQUIDATION, now=world.at)

    closed, opened = get(world, "trade/fills-history", instType="SWAP")

    assert (opened["subType"], opened["execType"]) == ("1", "T")
    assert Decimal(opened["fee"]) < 0
    assert (closed["subType"], closed["execType"]) == ("107", "")
    # A liquidation's number is below zero, so that it is taken for no other execution.
    assert closed["tradeId"].startswith("-")


def test_funding_is_a_bill_with_its_own_number_and_sign(world: World) -> None:
    world.pin(OKX, funding_rate="0.001")
    world.place(OKX, Side.BUY, "0.5")
    world.wait(minutes=4)

    [bill] = get(world, "account/bills", type="8", instType="SWAP", instId=BTC)
    [booked] = world.simulator.ledger.funding

    assert (bill["subType"], Decimal(bill["pnl"])) == ("173", booked.payment)
    assert booked.payment == Decimal("-30.000")
    assert (bill["billId"], bill["sz"]) == (booked.venue_payment_id, "50")


def test_money_moved_is_a_bill_of_its_own(world: World) -> None:
    account = world.account(OKX)
    world.simulator.ledger.move(account, "trading", "USDT", Decimal("-250"), now=world.at)

    [bill] = get(world, "account/bills-archive", type="1")

    assert (bill["subType"], bill["balChg"], bill["ccy"]) == ("12", "-250", "USDT")


def test_bills_are_handed_out_by_pages_older_than_an_id(world: World) -> None:
    account, ledger = world.account(OKX), world.simulator.ledger
    for amount in range(1, 6):
        world.at += timedelta(seconds=1)
        ledger.move(account, "trading", "USDT", Decimal(amount), now=world.at)

    first = get(world, "account/bills", type="1", limit=2)
    second = get(world, "account/bills", type="1", limit=2, after=first[-1]["billId"])

    assert [row["balChg"] for row in [*first, *second]] == ["5", "4", "3", "2"]


def test_short_position_is_negative_in_net_mode_and_has_a_side_in_hedge_mode(
    world: World,
) -> None:
    world.place(OKX, Side.SELL, "0.5")
    [net] = get(world, "account/positions", instType="SWAP")
    world.account(OKX).is_hedge_mode = True
    [hedged] = get(world, "account/positions", instType="SWAP")

    assert (net["pos"], net["posSide"]) == ("-50", "net")
    assert (hedged["pos"], hedged["posSide"]) == ("50", "short")


def test_isolated_margin_is_what_each_order_says(world: World) -> None:
    order(world, ordType="market", tdMode="isolated")
    post(world, "account/position/margin-balance", instId=BTC, posSide="net", type="add", amt="7")

    [row] = get(world, "account/positions", instType="SWAP")
    # 600 at 20x, and what was added.
    assert row["mgnMode"] == "isolated"
    assert abs(Decimal(row["margin"]) - 37) < Decimal("0.1")
    crossed = order(world, side="sell", px="61000", reduceOnly=True)
    assert crossed.body["data"][0]["sCode"] == "51169"


def test_countdown_of_the_account_takes_every_order_and_outlasts_a_restart(world: World) -> None:
    order(world, clOrdId="a1", tag="t1")
    order(world, clOrdId="a2")
    post(world, "trade/cancel-all-after", timeOut="20")

    world.simulator.ledger.close()
    world.open()
    world.wait(seconds=21)

    assert get(world, "trade/orders-pending") == []


@pytest.mark.parametrize("seconds", ["5", "121", "soon"])
def test_countdown_takes_ten_to_a_hundred_and_twenty_seconds(world: World, seconds: str) -> None:
    assert post(world, "trade/cancel-all-after", timeOut=seconds).body["code"] == "51000"


def test_next_two_settlements_tell_the_interval(world: World) -> None:
    [row] = world.public(OKX, "/api/v5/public/funding-rate", instId=BTC).body["data"]

    apart = int(row["nextFundingTime"]) - int(row["fundingTime"])
    assert apart == 4 * 60_000
    assert datetime.fromtimestamp(int(row["fundingTime"]) / 1000, UTC) > world.at
