"""What only Bitget has: early stamps, two places of a look-up, orders answered without a number.

Payloads that the simulator does not make are written after its documentation (v2, classic account).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import orjson
import pytest

from exchanges.access import KeyFacts
from exchanges.ccxt_adapter import parse_account
from exchanges.ccxt_adapter.account import CcxtAccount
from exchanges.ccxt_adapter.calls import bitget_rows as rows
from exchanges.client_order_ids import client_order_id
from exchanges.domain import ClientOrderId, FillCause, Side, Symbol, VenueOrderStatus
from exchanges.errors import (
    CredentialRefused,
    OrderNotFound,
    OrderOutcomeUnknown,
    SettingRefused,
    VenueError,
)
from exchanges.simulator.wire import WireRequest, milliseconds
from exchanges.venues import PROFILES
from tests.conformance.bench import Bench
from tests.conformance.cards import SUBJECTS
from tests.protocol.canned import CannedAccount
from tests.protocol.conftest import assert_exact
from tests.protocol.test_bitget import CONTRACT, answered, of_dollars
from tests.simulator.nearby import call
from tests.simulator.world import World

pytestmark = pytest.mark.protocol

PROFILE = PROFILES["bitget"]
[SUBJECT] = [subject for subject in SUBJECTS if subject.venue == "bitget"]
BITCOIN = Symbol("BTC/USDT:USDT")
OWN_ID = ClientOrderId("ca0o0001aaaaaaaaaaaaaaaaaaaaaaaa")
ORDER = {
    "symbol": "BTCUSDT",
    "size": "0.02",
    "orderId": "123456",
    "clientOid": OWN_ID,
    "baseVolume": "0.01",
    "priceAvg": "60010.5",
    "state": "canceled",
    "side": "buy",
    "reduceOnly": "NO",
}
FILL = {
    "tradeId": "1",
    "symbol": "BTCUSDT",
    "orderId": "123456",
    "price": "60000",
    "baseVolume": "0.01",
    "feeDetail": [
        {"deduction": "no", "feeCoin": "USDT", "totalDeductionFee": "0", "totalFee": "-0.36"}
    ],
    "side": "buy",
    "tradeSide": "buy_single",
    "posMode": "one_way_mode",
    "tradeScope": "taker",
    "cTime": "1761659449917",
}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    opened = Bench.at(World(tmp_path, interval_minutes=60, watched=True), SUBJECT)
    yield opened
    opened.close()


def refusal(code: str, message: str) -> dict[str, Any]:
    return {"code": code, "msg": message, "requestTime": 1761659449917, "data": None}


class Asked(CannedAccount):
    """An account at a venue that answers each path with one payload."""

    def __init__(self, **payloads: Any) -> None:
        named = {f"/mix/{name.replace('__', '/')}": told for name, told in payloads.items()}
        contracts = {"/mix/market/contracts": of_dollars(CONTRACT)}
        super().__init__("bitget", contracts | named)


# --- Signing ----------------------------------------------------------------------------------


def signed(bench: Bench, method: str) -> WireRequest:
    """Return a look-up, or an order that is signed and not yet sent."""
    call(bench.client.ready())
    name = {"GET": "position/all-position", "POST": "order/place-order"}[method]
    order = {"symbol": "BTCUSDT", "marginCoin": "USDT", "productType": "USDT-FUTURES"} | {
        "marginMode": "crossed",
        "side": "buy",
        "orderType": "market",
        "size": "0.01",
        "clientOid": "a1",
    }
    params = order if method == "POST" else {"productType": "USDT-FUTURES"}
    api = ["private", "mix"]
    made = bench.client.exchange.sign(f"v2/mix/{name}", api, method, params)
    path, _, query = made["url"].removeprefix("https://api.bitget.com").partition("?")
    return WireRequest(
        host="api.bitget.com",
        method=method,
        path=path,
        query=query,
        body=(made["body"] or "").encode(),
        headers={key.lower(): value for key, value in made["headers"].items()},
    )


def code_of(bench: Bench, request: WireRequest) -> str:
    response = bench.world.venues.answer(request).response
    assert response is not None
    return str(orjson.loads(response.body)["code"])


def test_order_is_stamped_so_early_that_it_is_refused_after_five_seconds(bench: Bench) -> None:
    late, in_time = signed(bench, "POST"), signed(bench, "POST")
    stamp = milliseconds(bench.world.at) - 25_000

    assert int(late.headers["access-timestamp"]) == stamp
    bench.world.at += timedelta(seconds=5)
    assert code_of(bench, in_time) == "00000"
    bench.world.at += timedelta(seconds=1)
    assert code_of(bench, late) == "40008"
    assert bench.placed() == 1


def test_read_carries_the_time_itself(bench: Bench) -> None:
    request = signed(bench, "GET")

    assert int(request.headers["access-timestamp"]) == milliseconds(bench.world.at)
    assert code_of(bench, request) == "00000"


def test_nothing_names_a_broker(bench: Bench) -> None:
    for method in ("GET", "POST"):
        assert "x-channel-api-code" not in signed(bench, method).headers


def test_own_id_is_of_letters_and_digits_that_the_venue_takes(bench: Bench) -> None:
    own_id = client_order_id(UUID(int=2**128 - 1), 35, "close", 46_655)

    # Letters, digits, -, +, _ and #, fewer than 50.
    assert own_id.isalnum() and own_id.isascii() and len(own_id) < 50


# --- Look-ups ---------------------------------------------------------------------------------


def history(*found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the list of past orders, null where there is none."""
    return answered({"entrustedList": [*found] or None, "endId": None})


@pytest.mark.parametrize(
    "detail",
    [
        refusal("40109", "The data of the order cannot be found"),
        refusal("45057", "The order does not exist!"),
        answered(None),
    ],
)
def test_order_that_is_shown_no_more_is_found_in_the_history(detail: Any) -> None:
    past = {key: value for key, value in ORDER.items() if key != "state"} | {"status": "canceled"}
    asked = Asked(order__detail=detail, **{"order__orders-history": history(past)})

    found = asked.look_up(OWN_ID, BITCOIN)

    assert (found.venue_order_id, found.status) == ("123456", VenueOrderStatus.CANCELED)
    assert (found.filled_base_quantity, found.average_price) == (
        Decimal("0.01"),
        Decimal("60010.5"),
    )
    [query] = asked.venue.requests("/orders-history")
    assert (query["clientOid"], query["productType"]) == (OWN_ID, "USDT-FUTURES")
    assert_exact(found)


def test_order_is_unknown_where_neither_place_shows_it() -> None:
    detail = refusal("40109", "The data of the order cannot be found")

    with pytest.raises(OrderNotFound):
        Asked(order__detail=detail, **{"order__orders-history": history()}).look_up(OWN_ID, BITCOIN)


@pytest.mark.parametrize(
    ("detail", "past"),
    [
        (refusal("40015", "System is abnormal"), history()),
        (refusal("40109", "not found"), refusal("40725", "service return an error")),
        (refusal("40109", "not found"), answered({"endId": None})),
        (refusal("40109", "not found"), answered(None)),
        (answered(ORDER | {"state": "resting"}), history()),
        (answered(ORDER | {"clientOid": "another"}), history()),
    ],
)
def test_look_up_that_fails_never_says_that_there_is_no_order(detail: Any, past: Any) -> None:
    with pytest.raises(VenueError) as failure:
        Asked(order__detail=detail, **{"order__orders-history": past}).look_up(OWN_ID, BITCOIN)

    assert not isinstance(failure.value, OrderNotFound)


def test_order_answered_without_a_number_is_unknown_and_found_by_our_id(bench: Bench) -> None:
    bench.submit(bench.order("0.03"))
    first = bench.order("0.02", Side.SELL, "61000", reduce_only=True)
    second = bench.order("0.02", Side.SELL, "61000", reduce_only=True)
    bench.submit(first)

    with pytest.raises(OrderOutcomeUnknown, match="no venue id"):
        bench.submit(second)

    assert bench.find(first).status is VenueOrderStatus.CANCELED
    assert bench.find(second).status is VenueOrderStatus.OPEN


def test_order_filled_in_part_is_among_those_that_work(bench: Bench) -> None:
    bench.pin(level_quantity="0.004")
    touch = call(bench.market.depth(BITCOIN, levels=5)).asks[0]
    untouched, begun = bench.order(price=59_000), bench.order("0.02", price=touch.price)
    for request in (untouched, begun):
        bench.submit(request)

    for asked in ((BITCOIN,), ()):
        working = call(bench.trading.open_orders(*asked))

        assert {order.client_order_id: order.status for order in working} == {
            untouched.client_order_id: VenueOrderStatus.OPEN,
            begun.client_order_id: VenueOrderStatus.PARTIAL,
        }


# --- Rows -------------------------------------------------------------------------------------


def test_fee_is_paid_in_the_coin_it_names() -> None:
    in_tokens = {"feeCoin": "BGB", "totalFee": "-0.0171"}

    row = rows.fill(FILL | {"feeDetail": [in_tokens]})

    assert (row["fee"], row["fee_asset"]) == (Decimal("0.0171"), "BGB")


def test_fee_in_two_coins_is_not_understood() -> None:
    parts = [{"feeCoin": coin, "totalFee": "-0.1"} for coin in ("BGB", "USDT")]

    with pytest.raises(ValueError, match="2 coins"):
        rows.fill(FILL | {"feeDetail": parts})


@pytest.mark.parametrize(
    ("word", "cause"),
    [
        ("buy_single", FillCause.ORDER),
        ("burst_sell_single", FillCause.LIQUIDATION),
        ("reduce_buy_single", FillCause.LIQUIDATION),
        ("dte_sys_adl_sell_in_single_side_mode", FillCause.ADL),
        ("delivery_buy_single", FillCause.SETTLEMENT),
    ],
)
def test_closing_by_the_venue_is_told_by_its_side(word: str, cause: FillCause) -> None:
    assert PROFILE.cause(kind=word) is cause


def test_position_at_no_risk_has_no_liquidation_price() -> None:
    held = {
        "symbol": "BTCUSDT",
        "total": "0.5",
        "holdSide": "short",
        "liquidationPrice": "-12.5",
        "marginMode": "isolated",
        "marginSize": "9.66",
        "posMode": "one_way_mode",
    }

    row = rows.position(held)

    assert (row["amount"], row["liquidation_price"]) == (Decimal("-0.5"), None)
    assert row["margin"] == "9.66"
    assert rows.position(held | {"marginMode": "crossed"})["margin"] == ""
    assert not parse_account.is_hedge_mode(row, {"mode": "posMode"})


# --- The account ------------------------------------------------------------------------------


def test_fills_up_to_now_are_read_where_the_venues_time_is_taken_for_a_later_one(
    bench: Bench,
) -> None:
    bench.submit(bench.order())
    bench.client.exchange.options["timeDifference"] = -400

    [fill] = call(bench.account.fills(BITCOIN, since=bench.world.at - timedelta(minutes=1)))

    assert fill.base_quantity == Decimal("0.01")


def test_bills_that_are_no_transfers_are_none_and_money_that_left_is_negative() -> None:
    def bills(query: Mapping[str, str]) -> Any:
        kinds = {"1": "trans_to_exchange", "2": "buy", "3": "trans_from_exchange"}
        row = {"amount": "5", "coin": "USDT", "symbol": "", "cTime": "17616"}
        told = [row | {"billId": key, "businessType": kind} for key, kind in kinds.items()]
        return answered({"bills": told if "USDT" in query["productType"] else None, "endId": "3"})

    asked = Asked(account__bill=bills)
    since = asked.venue.now - timedelta(days=1)
    moved = asked.of(CcxtAccount(asked.client).transfers(since=since))

    assert [(one.venue_transfer_id, one.amount) for one in moved] == [("1", -5), ("3", 5)]


def check_key(**changes: Any) -> KeyFacts:
    told = {"posMode": "one_way_mode", "assetMode": "single"} | changes
    rights = told.pop("authorities", ["coow", "cpow", "stor"])
    info = {"userId": "7", "ips": "", "authorities": rights}
    asked = Asked(account__account=answered(told))
    asked.venue.payloads["/spot/account/info"] = answered(info)
    return cast(KeyFacts, asked.of(CcxtAccount(asked.client).check_key()))


@pytest.mark.parametrize(
    ("changes", "advice"),
    [
        ({"authorities": ["coow", "cpow", "wwow"]}, "may withdraw"),
        ({"authorities": ["coow", "cpow", "wtow"]}, r"may move money \(transfer\)"),
        ({"authorities": ["cpow", "stor"]}, "may not trade futures.*Orders"),
        ({"authorities": ["coow"]}, "may not trade futures.*Holdings"),
        ({"authorities": ["trade", "readonly"]}, "may not trade futures"),
        ({"posMode": "hedge_mode"}, "One-way Mode"),
        ({"assetMode": "union"}, "Single-asset mode"),
    ],
)
def test_key_is_refused_with_what_to_do(changes: dict[str, Any], advice: str) -> None:
    with pytest.raises(CredentialRefused, match=advice):
        check_key(**changes)


def test_key_that_suits_tells_its_account_and_that_it_is_bound_to_no_address() -> None:
    facts = check_key()

    assert (facts.venue_uid, facts.is_bound_to_address) == ("7", False)


def test_contract_on_isolated_margin_is_set_to_cross_unless_it_is_held(bench: Bench) -> None:
    bench.owner.isolate("bitget", "BTCUSDT")

    call(bench.trading.prepare(BITCOIN, leverage=Decimal(5)))

    assert not bench.owner.is_isolated("bitget", "BTCUSDT")
    assert bench.owner.leverage("bitget", "BTCUSDT") == 5
    bench.submit(bench.order("0.01"))
    bench.owner.isolate("bitget", "BTCUSDT")
    with pytest.raises(SettingRefused, match="margin mode cannot be adjusted"):
        call(bench.trading.prepare(BITCOIN, leverage=Decimal(5)))
