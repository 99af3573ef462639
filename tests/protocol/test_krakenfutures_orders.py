"""Kraken Futures' orders through the real adapter: what only it has.

Payloads are written after docs.kraken.com/api, Futures: nobody here has asked the venue. The rest
is asked of the simulated venue.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import ccxt
import pytest

from exchanges.ccxt_adapter.calls import kraken_futures_orders as orders
from exchanges.ccxt_adapter.calls.kraken_futures_signing import signature
from exchanges.domain import (
    Side,
    TimeInForce,
    VenueOrderStatus,
)
from exchanges.errors import (
    ClockRefused,
    OrderNotFound,
    OrderOutcomeUnknown,
    OrderRejected,
    PostOnlyWouldTake,
    SettingRefused,
)
from exchanges.limits.buckets import Size
from exchanges.limits.lanes import CLAIMS, Lane
from exchanges.simulator.listings import KRAKEN_FUTURES
from exchanges.venues.krakenfutures import PROFILE
from tests.protocol.canned import CannedVenue
from tests.protocol.krakenfutures_desk import NUMBER, PF, SYMBOL, Desk
from tests.protocol.venue_desk import OWN, D
from tests.simulation.transport import InProcessSession
from tests.simulator.nearby import call
from trading.services.lookup import ORDER_LIFETIME

pytestmark = pytest.mark.protocol


@pytest.fixture
def desk(tmp_path: Path) -> Generator[Desk]:
    opened = Desk(tmp_path)
    yield opened
    call(opened.client.close())


# --- Signing ------------------------------------------------------------------------------------


def test_a_challenge_is_signed_as_the_documents_show() -> None:
    secret = (
        "7zxMEF5p/Z8l2p2U7Ghv6x14Af+Fx+92tPgUdVQ748FOIrEoT9bgT+bTRfXc5pz8na+hL/QdrCVG7bh9KpT0eMTm"
    )

    assert signature(secret, "c100b894-1729-464d-ace1-52dbce11db42") == (
        "4JEpF3ix66GA2B+ooK128Ift4XQVtc137N9yeg4Kqsn9PI0Kpzbysl9M1IeCEdjg0zl00wkVqcsnG4bmnlMb3A=="
    )


def test_a_secret_that_is_none_of_this_venue_is_an_incomplete_key() -> None:
    with pytest.raises(ccxt.AuthenticationError):
        signature("not base64!", "text")


def test_what_is_signed_is_what_stands_in_the_address_and_ends_in_five_seconds(desk: Desk) -> None:
    desk.submit(price=D(59_000))

    [sent] = [one for one in desk.far.came if one.path.endswith("/sendorder")]
    asked = dict(parse_qsl(sent.query))
    owner = desk.world.account(KRAKEN_FUTURES)
    assert (sent.method, sent.body) == ("POST", b"")
    assert sent.headers["authent"] == signature(owner.secret, f"{sent.query}/api/v3/sendorder")
    assert asked == {
        "orderType": "lmt",
        "symbol": PF,
        "side": "buy",
        "size": "0.01",
        "limitPrice": "59000",
        "cliOrdId": OWN,
        "reduceOnly": "false",
        "processBefore": "2026-01-05T12:00:35.000000Z",
    }


def test_an_order_that_comes_too_late_is_refused_and_the_clock_is_set(desk: Desk) -> None:
    call(desk.client.ready())
    desk.client.exchange.options["timeDifference"] = 6_000

    with pytest.raises(ClockRefused):
        desk.submit()

    assert not desk.world.simulator.ledger.orders
    assert desk.client.exchange.options["timeDifference"] == 0


# --- Placing ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("terms", "kind"),
    [
        ({}, "mkt"),
        ({"price": D(61_000), "time_in_force": TimeInForce.IOC}, "ioc"),
        ({"price": D(59_000), "time_in_force": TimeInForce.POST_ONLY}, "post"),
    ],
)
def test_each_form_of_an_order_has_its_name(desk: Desk, terms: dict[str, Any], kind: str) -> None:
    desk.submit(**terms)

    [asked] = desk.far.asked("/sendorder")
    assert asked["orderType"] == kind


def test_a_post_only_order_that_would_take_is_refused_as_such(desk: Desk) -> None:
    with pytest.raises(PostOnlyWouldTake):
        desk.submit(price=D(60_500), time_in_force=TimeInForce.POST_ONLY)


def test_an_immediate_order_that_finds_nothing_is_refused(desk: Desk) -> None:
    with pytest.raises(OrderRejected):
        desk.submit(price=D(58_000), time_in_force=TimeInForce.IOC)


def sent(status: str, **more: Any) -> dict[str, Any]:
    told = {"status": status, "cliOrdId": OWN, **more}
    return {"result": "success", "sendStatus": told, "serverTime": "2026-03-01T12:30:00.000Z"}


@pytest.mark.parametrize(
    "answer",
    [
        sent("placed"),
        sent("cancelled", order_id=NUMBER),
        sent("something new", order_id=NUMBER),
        {"result": "error", "error": "Server Error", "serverTime": "2026-03-01T12:30:00.000Z"},
        {"result": "error", "error": "Unavailable", "serverTime": "2026-03-01T12:30:00.000Z"},
        {"result": "success", "serverTime": "2026-03-01T12:30:00.000Z"},
    ],
)
def test_an_answer_that_proves_nothing_leaves_the_order_unknown(desk: Desk, answer: Any) -> None:
    far = CannedVenue(KRAKEN_FUTURES, {"/sendorder": answer})
    call(desk.client.ready())
    desk.client.exchange.session = InProcessSession(lambda: far)

    with pytest.raises(OrderOutcomeUnknown):
        desk.submit()

    assert len(far.asked) == 1


def test_an_answer_is_held_to_what_was_sent(desk: Desk) -> None:
    other = {"orderId": NUMBER, "symbol": PF, "side": "sell", "quantity": 0.01, "reduceOnly": False}
    events = [{"type": "PLACE", "order": other}]
    far = CannedVenue(
        KRAKEN_FUTURES, {"/sendorder": sent("placed", order_id=NUMBER, orderEvents=events)}
    )
    call(desk.client.ready())
    desk.client.exchange.session = InProcessSession(lambda: far)

    with pytest.raises(OrderOutcomeUnknown, match="another side"):
        desk.submit()


# --- Looking up ---------------------------------------------------------------------------------


def test_an_order_is_found_by_its_id_long_after_it_was_filled(desk: Desk) -> None:
    desk.submit(base_quantity=D("0.02"))
    desk.world.wait(hours=5)

    found = desk.find()

    assert (found.status, found.filled_base_quantity) == (VenueOrderStatus.FILLED, D("0.02"))
    assert found.base_quantity == D("0.02")
    assert found.average_price == desk.world.simulator.ledger.trades[0].price
    assert desk.far.asked("/history/v3/orders")[0]["tradeable"] == PF


def test_an_order_is_found_by_its_id_after_it_was_cancelled_with_a_part_filled(desk: Desk) -> None:
    desk.world.pin(KRAKEN_FUTURES, level_quantity="0.004")
    touch = desk.world.simulator.book(desk.world.listing(KRAKEN_FUTURES), desk.world.at).ask
    desk.submit(base_quantity=D("0.02"), price=touch.price)
    call(desk.trading.cancel(OWN, SYMBOL))
    at_once = desk.find()
    desk.world.wait(seconds=6)

    later = desk.find()

    for found, whole in ((at_once, None), (later, D("0.02"))):
        assert (found.status, found.base_quantity, found.filled_base_quantity) == (
            VenueOrderStatus.CANCELED,
            whole,
            touch.base_quantity,
        )


@pytest.mark.parametrize(
    ("status", "quantity", "filled", "whole"),
    [
        ("ENTERED_BOOK", "0.02", "0", D("0.02")),
        ("ENTERED_BOOK", "0.02", "0.005", None),
        ("CANCELLED", "0.015", "0.005", None),
        # All of it, or nothing left.
        ("FULLY_EXECUTED", "0.02", "0.02", D("0.02")),
        ("FULLY_EXECUTED", "0", "0.02", D("0.02")),
    ],
)
def test_a_quantity_that_may_be_what_is_left_is_not_taken_for_the_whole(
    status: str, quantity: str, filled: str, whole: D | None
) -> None:
    told = {"orderId": NUMBER, "cliOrdId": OWN, "symbol": PF, "side": "buy", "reduceOnly": False}
    row = orders.shown({"order": told | {"quantity": quantity, "filled": filled}, "status": status})

    assert (row["quantity"], row["filled"]) == (whole, D(filled))


def test_what_neither_look_up_nor_past_tells_of_is_not_found(desk: Desk) -> None:
    with pytest.raises(OrderNotFound):
        desk.find()

    asked = [one.path.rpartition("/v3/")[2] for one in desk.far.came]
    assert asked[-3:] == ["orders/status", "fills", "orders"]


def test_the_history_allows_at_once_what_it_takes_to_prove_an_absence() -> None:
    """Looks until an order's lifetime is over, then its fills, whose fees are in the log."""
    [history] = [quota for quota in PROFILE.quotas.all if quota.group == "history"]
    bucket = Size.of(history.limit, history.window.total_seconds(), history.at_once)
    room = bucket.capacity * (1 - CLAIMS[Lane.LOOK_UP].floor)

    looks = ORDER_LIFETIME // PROFILE.look_up_every + 1
    log = history.weights["GET account-log 25"] + history.weights["GET account-log 1000"]
    assert looks * history.weights["GET orders"] + log <= room


def test_an_order_stays_unfound_only_while_all_pages_are_read(desk: Desk) -> None:
    desk.submit(price=D(59_000))
    call(desk.trading.cancel(OWN, SYMBOL))
    desk.world.wait(seconds=6)
    for _ in range(600):
        desk.world.place(KRAKEN_FUTURES, Side.BUY, "0.001", price="59000")
    desk.world.wait(seconds=1)

    assert desk.find().status is VenueOrderStatus.CANCELED


def test_an_order_that_waits_for_its_trigger_hides_no_other(desk: Desk) -> None:
    """As the documents show a take profit: without a size."""
    waits = {
        "order_id": NUMBER,
        "symbol": PF,
        "side": "sell",
        "orderType": "take_profit",
        "stopPrice": 70_000,
        "status": "untouched",
        "filledSize": 0,
        "reduceOnly": True,
    }
    works = waits | {"order_id": "2", "cliOrdId": OWN, "orderType": "lmt", "unfilledSize": 0.02}
    said = {"result": "success", "serverTime": "2026-03-01T12:30:00.000Z"}
    far = CannedVenue(KRAKEN_FUTURES, {"/openorders": {**said, "openOrders": [waits, works]}})
    call(desk.client.ready())
    desk.client.exchange.session = InProcessSession(lambda: far)

    reports = call(desk.trading.open_orders(SYMBOL))

    assert [(one.client_order_id, one.base_quantity) for one in reports] == [
        (None, None),
        (OWN, D("0.02")),
    ]


# --- Settings -----------------------------------------------------------------------------------


def test_a_contract_on_isolated_margin_is_set_back_to_cross(desk: Desk) -> None:
    owner = desk.world.account(KRAKEN_FUTURES)
    owner.isolate(KRAKEN_FUTURES, PF)

    call(desk.trading.prepare(SYMBOL, leverage=D(3)))

    assert not owner.is_isolated(KRAKEN_FUTURES, PF)
    [put] = [one for one in desk.far.came if one.method == "PUT"]
    # No leverage: with one it would be isolated.
    assert put.query == f"symbol={PF}"


def test_a_contract_whose_profits_are_paid_in_another_currency_is_refused(desk: Desk) -> None:
    preference = [{"symbol": PF, "pnlCurrency": "BTC"}]
    said = {"result": "success", "serverTime": "2026-03-01T12:30:00.000Z"}
    far = CannedVenue(
        KRAKEN_FUTURES,
        {
            "/leveragepreferences": {**said, "leveragePreferences": []},
            "/pnlpreferences": {**said, "preferences": preference},
        },
    )
    call(desk.client.ready())
    desk.client.exchange.session = InProcessSession(lambda: far)

    with pytest.raises(SettingRefused, match="paid in BTC"):
        call(desk.trading.prepare(SYMBOL, leverage=D(3)))
