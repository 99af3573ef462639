"""Orders at Kraken: ids of 128 bits, an end in each, two lists to look in, numbered requests.

Payloads that the simulator does not make are written after its documentation (Spot REST).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchanges.client_order_ids import in_venue_form
from exchanges.domain import ClientOrderId, Side, TimeInForce, VenueOrderStatus
from exchanges.errors import (
    ClockRefused,
    CredentialRefused,
    OrderNotFound,
    OrderOutcomeUnknown,
    UnexpectedPayload,
    VenueUnavailable,
)
from exchanges.simulator.wire import milliseconds
from tests.conformance.bench import Bench
from tests.protocol.kraken_told import A_SHARE, DOLLAR, ORDER, OWN_ID, SUBJECT, Asked, order, told
from tests.simulator.nearby import call
from tests.simulator.world import World

pytestmark = pytest.mark.protocol

D = Decimal
NONE_OPEN, NONE_CLOSED = told({"open": {}}), told({"closed": {}, "count": 0})


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    opened = Bench.at(World(tmp_path, interval_minutes=60, watched=True), SUBJECT)
    yield opened
    opened.close()


def test_an_own_id_is_128_bits_in_hex_without_a_prefix() -> None:
    made = in_venue_form(ClientOrderId("ca0o0001aaaaaaaaaaaaaaaaaaaaaaaa"), "kraken")

    assert len(made) == 32
    assert int(made, 16)


def test_an_order_names_its_id_its_end_and_fees_in_money() -> None:
    at = Asked(AddOrder=told({"descr": {"order": ""}, "txid": ["OUF4EM-FRGI2-MQMWZD"]}))
    request = order(force=TimeInForce.POST_ONLY)

    report = at.of(at.trading.submit(request))

    [sent] = at.sent("AddOrder")
    nonce = sent["nonce"]
    assert sent == {
        "nonce": nonce,
        "pair": "XXBTZUSD",
        "type": "buy",
        "ordertype": "limit",
        "volume": "0.01",
        "price": "27500.1",
        "timeinforce": "GTC",
        "oflags": "fciq,post",
        "cl_ord_id": OWN_ID,
        # 5 s after 12:30, in the venue's time.
        "deadline": "2026-03-01T12:30:05.000Z",
    }
    assert int(nonce) >= 1_772_368_200_000_000
    assert (report.venue_order_id, report.client_order_id) == ("OUF4EM-FRGI2-MQMWZD", None)


def test_the_end_of_an_order_is_in_the_venues_time() -> None:
    at = Asked(AddOrder=told({"txid": ["OUF4EM-FRGI2-MQMWZD"]}))
    # Ours is two seconds ahead of the venue.
    at.client.exchange.options["timeDifference"] = 2_000

    at.of(at.trading.submit(order()))

    assert at.sent("AddOrder")[0]["deadline"] == "2026-03-01T12:30:03.000Z"


@pytest.mark.parametrize("numbers", [[], ["O1-A", "O2-B"], None])
def test_an_answer_without_one_number_leaves_the_order_unknown(numbers: Any) -> None:
    at = Asked(AddOrder=told({"descr": {}, "txid": numbers}))

    with pytest.raises(OrderOutcomeUnknown):
        at.of(at.trading.submit(order()))


def test_a_late_order_is_not_executed_and_is_absent(bench: Bench) -> None:
    request = bench.order(price=59_000)
    lag = bench.client.exchange.options
    lag["timeDifference"] = 6_000

    with pytest.raises(OrderOutcomeUnknown, match="Deadline elapsed"):
        bench.submit(request)

    assert bench.placed() == 0
    with pytest.raises(OrderNotFound):
        bench.find(request)


def test_an_ended_order_is_looked_up_in_the_later_list_and_known_by_its_bits() -> None:
    at = Asked(OpenOrders=NONE_OPEN, ClosedOrders=told({"closed": {"OBCMZD-JIEE7-77TH3F": ORDER}}))

    report = at.look_up()

    assert (report.client_order_id, report.venue_order_id) == (OWN_ID, "OBCMZD-JIEE7-77TH3F")
    assert (report.symbol, report.side) == (DOLLAR, Side.BUY)
    assert (report.status, report.filled_base_quantity) == (VenueOrderStatus.FILLED, D("1.25"))
    assert report.average_price == D(27500)
    asked = [one.path.rpartition("/")[2] for one in at.venue.asked if "private" in one.path]
    assert asked == ["OpenOrders", "ClosedOrders"]
    assert at.sent("ClosedOrders")[0]["cl_ord_id"] == OWN_ID


def test_a_working_order_is_not_looked_for_among_the_ended() -> None:
    working = ORDER | {"status": "open", "vol_exec": "0.25"}
    at = Asked(OpenOrders=told({"open": {"OBCMZD-JIEE7-77TH3F": working}}))

    assert at.look_up().status is VenueOrderStatus.PARTIAL
    assert at.sent("ClosedOrders") == []


def test_an_order_is_absent_only_where_both_lists_say_so() -> None:
    with pytest.raises(OrderNotFound):
        Asked(OpenOrders=NONE_OPEN, ClosedOrders=NONE_CLOSED).look_up()
    down = {"error": ["EService:Unavailable"]}
    for lists in (
        {"OpenOrders": down, "ClosedOrders": NONE_CLOSED},
        {"OpenOrders": NONE_OPEN, "ClosedOrders": down},
    ):
        with pytest.raises(VenueUnavailable):
            Asked(**lists).look_up()


def test_orders_of_what_is_not_listed_do_not_hide_our_own() -> None:
    working = ORDER | {"status": "open", "vol_exec": "0.25"}
    share = working | {"descr": {"pair": A_SHARE, "type": "buy"}, "cl_ord_id": None}
    at = Asked(OpenOrders=told({"open": {"O1-A": share, "O2-B": working}}))

    [found] = at.of(at.trading.open_orders())

    assert (found.venue_order_id, found.client_order_id) == ("O2-B", OWN_ID)


@pytest.mark.parametrize(
    "found",
    [
        {"O1-A": ORDER, "O2-B": ORDER},
        {"O1-A": ORDER | {"cl_ord_id": None}},
        {"O1-A": ORDER | {"cl_ord_id": "another"}},
        {"O1-A": ORDER | {"status": "unheard of"}},
        {"O1-A": ORDER | {"descr": {"pair": "NOSUCH", "type": "buy"}}},
        [ORDER],
        None,
    ],
)
def test_a_look_up_that_shows_no_one_order_of_ours_proves_nothing(found: Any) -> None:
    at = Asked(OpenOrders=NONE_OPEN, ClosedOrders=told({"closed": found}))

    with pytest.raises(UnexpectedPayload):
        at.look_up()


def test_a_cancel_of_nothing_finds_nothing() -> None:
    for answer in (told({"count": 0}), {"error": ["EOrder:Unknown order"]}):
        at = Asked(CancelOrder=answer)
        with pytest.raises(OrderNotFound):
            at.of(at.trading.cancel(OWN_ID, DOLLAR))


def test_an_id_may_serve_again_and_is_then_told_as_two_orders(bench: Bench) -> None:
    """The venue checks ids of working orders alone: nothing here may ever be sent twice."""
    request = bench.order()
    bench.submit(request)
    bench.submit(request)

    with pytest.raises(UnexpectedPayload):
        bench.find(request)


# --- Numbers of requests ----------------------------------------------------------------------


def test_clients_of_one_key_never_use_a_number_twice(bench: Bench) -> None:
    """The clock of this world stands still."""
    others = [bench.over(""), bench.over("")]

    numbers = [
        client.exchange.incrementing_nonce() for client in (bench.client, *others) for _ in range(3)
    ]

    assert numbers == sorted(set(numbers))


def test_an_order_whose_number_is_refused_was_surely_not_placed(bench: Bench) -> None:
    """Another process signs by a clock that is twenty seconds ahead."""
    world, far_ahead = bench.world, milliseconds(bench.world.at + timedelta(seconds=20)) * 1000
    world.private("kraken", "POST", "/0/private/BalanceEx", nonce=far_ahead)

    with pytest.raises(ClockRefused):
        bench.submit(bench.order(price=59_000))

    assert bench.placed() == 0


def test_a_request_may_arrive_after_one_that_was_signed_later(bench: Bench) -> None:
    first, second = (bench.client.exchange.sign("BalanceEx", ["private"], "POST") for _ in range(2))

    async def send(signed: dict[str, Any]) -> Any:
        exchange = bench.client.exchange
        return await exchange.fetch(
            signed["url"], signed["method"], signed["headers"], signed["body"]
        )

    call(bench.client.ready())
    assert call(send(second))["error"] == []
    assert call(send(first))["error"] == []
    with pytest.raises(Exception, match="Invalid nonce"):
        call(send(first))


def test_a_secret_that_is_none_is_told_before_anything_is_sent() -> None:
    at = Asked()
    at.client.exchange.secret = "not base64"

    with pytest.raises(CredentialRefused, match="check the key"):
        at.of(at.account.balances())

    assert [one.path for one in at.venue.asked if "private" in one.path] == []
