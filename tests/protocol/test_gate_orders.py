"""What only Gate has of orders: deadlines, ids of 28 letters, look-ups that end after a minute.

Payloads that the simulator does not make are written after its documentation (APIv4, Futures).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import orjson
import pytest

from exchanges.ccxt_adapter.calls import gate_rows as rows
from exchanges.client_order_ids import client_order_id, in_venue_form
from exchanges.domain import Side, TimeInForce, VenueOrderStatus
from exchanges.errors import (
    ClockRefused,
    OrderNotFound,
    PostOnlyWouldTake,
    UnexpectedPayload,
    VenueError,
)
from exchanges.simulator.wire import WireRequest, milliseconds
from tests.conformance.bench import Bench
from tests.protocol import gate_desk
from tests.protocol.conftest import assert_exact
from tests.protocol.gate_desk import (
    BITCOIN,
    ORDER,
    OWN_ID,
    UNSHOWN,
    Asked,
    D,
)
from tests.simulator.nearby import call

pytestmark = pytest.mark.protocol


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    yield from gate_desk.opened(tmp_path)


@pytest.fixture(scope="module", autouse=True)
def closed() -> Iterator[None]:
    yield from gate_desk.closed()


# --- Signing ----------------------------------------------------------------------------------


def signed(bench: Bench, method: str) -> WireRequest:
    """Return a look-up, or an order that is signed and not yet sent."""
    call(bench.client.ready())
    order = {"contract": "BTC_USDT", "size": 100, "price": "0", "tif": "ioc", "text": "t-a1"}
    params = {"settle": "usdt", **(order if method == "POST" else {"status": "open"})}
    made = bench.client.exchange.sign("{settle}/orders", ["private", "futures"], method, params)
    path, _, query = made["url"].removeprefix("https://api.gateio.ws").partition("?")
    return WireRequest(
        host="api.gateio.ws",
        method=method,
        path=path,
        query=query,
        body=(made["body"] or "").encode(),
        headers={key.lower(): value for key, value in made["headers"].items()},
    )


def label_of(bench: Bench, request: WireRequest) -> str:
    response = bench.world.venues.answer(request).response
    assert response is not None
    told = orjson.loads(response.body)
    return str(told["label"]) if "label" in told else "ok"


def test_order_is_refused_by_its_deadline_after_five_seconds(bench: Bench) -> None:
    late, in_time = signed(bench, "POST"), signed(bench, "POST")

    assert int(late.headers["x-gate-exptime"]) == milliseconds(bench.world.at) + 5_000
    bench.world.at += timedelta(seconds=5)
    assert label_of(bench, in_time) == "ok"
    bench.world.at += timedelta(milliseconds=1)
    assert label_of(bench, late) == "REQUEST_EXPIRED"
    assert bench.placed() == 1


def test_what_changes_something_is_stamped_early_too_should_the_deadline_not_count(
    bench: Bench,
) -> None:
    late = signed(bench, "POST")
    del cast("dict[str, str]", late.headers)["x-gate-exptime"]

    assert int(late.headers["timestamp"]) == milliseconds(bench.world.at) // 1000 - 55
    bench.world.at += timedelta(seconds=6)
    assert label_of(bench, late) == "REQUEST_EXPIRED"
    assert bench.placed() == 0


def test_read_carries_the_time_itself(bench: Bench) -> None:
    request = signed(bench, "GET")

    assert int(request.headers["timestamp"]) == milliseconds(bench.world.at) // 1000
    assert "x-gate-exptime" not in request.headers
    assert label_of(bench, request) == "ok"


def test_order_by_a_clock_that_is_behind_is_surely_not_placed(bench: Bench) -> None:
    call(bench.client.ready())
    bench.client.exchange.options["timeDifference"] = 10_000

    with pytest.raises(ClockRefused):
        bench.submit(bench.order(price=59_000))

    assert bench.placed() == 0


def test_own_id_is_a_hash_of_as_many_letters_as_the_venue_takes() -> None:
    longest, other = (client_order_id(UUID(int=2**128 - 1), 35, "close", n) for n in (46_655, 0))
    own_id = in_venue_form(longest, "gate")

    assert own_id.startswith("t-")
    assert set(own_id[2:]) <= set("0123456789abcdef")
    assert len(own_id) == 30
    assert own_id == in_venue_form(longest, "gate") != in_venue_form(other, "gate")


# --- Orders -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "side", "size"),
    [(D(100), "buy", 100), (D("100.0"), "sell", -100), (D("0.5"), "sell", "-0.5")],
)
def test_size_is_a_whole_number_unless_a_contract_is_parted(
    amount: Decimal, side: str, size: int | str
) -> None:
    assert rows.contracts(amount, side) == size


def test_market_order_has_no_price_and_takes_what_there_is(bench: Bench) -> None:
    request = bench.order("0.02", Side.SELL)
    bench.submit(request)
    bench.pin(level_quantity="0.004")
    greedy = bench.order("40", reduce_only=True)

    report = bench.submit(greedy)

    # It closes what is held, and its rest ends with it.
    assert report.status is VenueOrderStatus.CANCELED
    assert (report.filled_base_quantity, report.reduce_only) == (D("0.02"), True)


def test_post_only_order_that_would_take_is_refused_and_rests_where_it_does_not(
    bench: Bench,
) -> None:
    resting = replace(bench.order(price=59_000), time_in_force=TimeInForce.POST_ONLY)
    taking = replace(bench.order(price=60_100), time_in_force=TimeInForce.POST_ONLY)

    assert bench.submit(resting).status is VenueOrderStatus.OPEN
    with pytest.raises(PostOnlyWouldTake):
        bench.submit(taking)

    assert bench.placed() == 1


def test_unfilled_answer_of_another_contract_size_leaves_the_order_unknown(bench: Bench) -> None:
    request = bench.order(price=59_000)
    told = ORDER | {"id": 1, "size": "1000", "left": "1000", "status": "open"}
    body = orjson.dumps(told | {"text": request.client_order_id}).decode()
    bench.disturb("garbage", method="POST", body=body)

    with pytest.raises(VenueError, match="names another quantity"):
        bench.submit(request)


# --- Look-ups ---------------------------------------------------------------------------------


def whole(rows: Any) -> Any:
    """Return a list that is told on its first page; what is none is told on each."""
    is_list = isinstance(rows, list)
    return lambda query: [] if is_list and query["offset"] != "0" else rows


@pytest.mark.parametrize("label", ["ORDER_NOT_FOUND", "CLIENT_ID_NOT_FOUND", "ORDER_FINISHED"])
def test_order_that_is_not_shown_by_our_id_is_found_among_what_ended(label: str) -> None:
    others = [ORDER | {"id": number, "text": "web"} for number in range(3)]
    unshown = UNSHOWN | {"label": label}
    asked = Asked(**{f"orders__{OWN_ID}": unshown}, orders=whole([*others, ORDER]))

    found = asked.look_up()

    assert (found.venue_order_id, found.status) == ("15675394", VenueOrderStatus.CANCELED)
    assert (found.side, found.base_quantity) == (Side.SELL, D("0.02"))
    assert (found.filled_base_quantity, found.average_price) == (D("0.01"), D("60010.5"))
    [query] = asked.venue.requests("/usdt/orders")
    assert (query["status"], query["contract"], query["offset"]) == ("finished", "BTC_USDT", "0")
    assert_exact(found)


def test_order_is_found_when_it_ended_long_ago(bench: Bench) -> None:
    request = bench.order("0.02")
    bench.submit(request)

    bench.world.wait(minutes=2)

    assert bench.find(request).status is VenueOrderStatus.FILLED


def test_order_that_ended_unfilled_and_is_forgotten_counts_as_none(bench: Bench) -> None:
    request = bench.order(price=59_000)
    bench.submit(request)
    call(bench.trading.cancel(request.client_order_id, request.symbol))
    assert bench.find(request).status is VenueOrderStatus.CANCELED
    bench.world.wait(minutes=5)
    assert bench.find(request).status is VenueOrderStatus.CANCELED

    bench.world.wait(minutes=6)

    with pytest.raises(OrderNotFound):
        bench.find(request)


def test_fill_that_is_read_names_our_id_and_speaks_for_its_order(bench: Bench) -> None:
    request = bench.order("0.02")
    bench.submit(request)
    bench.world.wait(hours=2)

    fills = call(bench.account.fills(BITCOIN, since=bench.world.at - timedelta(hours=3)))

    assert {fill.client_order_id for fill in fills} == {request.client_order_id}
    assert sum(fill.base_quantity for fill in fills) == D("0.02")


@pytest.mark.parametrize(
    ("shown", "ended"),
    [
        ({"label": "SERVER_ERROR", "message": "Internal server error"}, []),
        ({"label": "FORBIDDEN", "message": "no permission"}, []),
        (UNSHOWN, {"label": "TOO_BUSY", "message": "Server is too busy"}),
        (UNSHOWN, {}),
        (UNSHOWN, None),
        # It ended, so that it was there.
        ({"label": "ORDER_FINISHED", "message": "Order is finished"}, []),
        ({"label": "ORDER_CLOSED", "message": "Order closed"}, [ORDER | {"text": "web"}]),
        (UNSHOWN, [ORDER | {"status": "lost"}]),
        (UNSHOWN, [ORDER | {"contract": "ETH_USDT"}]),
        (UNSHOWN, [{"id": 1}]),
        (ORDER | {"status": "lost"}, []),
        (ORDER | {"text": "t-another"}, []),
        (ORDER | {"contract": "ETH_USDT"}, []),
        ([], []),
    ],
)
def test_look_up_that_fails_never_says_that_there_is_no_order(shown: Any, ended: Any) -> None:
    with pytest.raises(VenueError) as failure:
        Asked(**{f"orders__{OWN_ID}": shown}, orders=whole(ended)).look_up()

    assert not isinstance(failure.value, OrderNotFound)


def test_order_is_none_where_neither_shows_it() -> None:
    with pytest.raises(OrderNotFound):
        Asked(**{f"orders__{OWN_ID}": UNSHOWN}, orders=whole([ORDER | {"text": "web"}])).look_up()


def many(query: Mapping[str, str], *, age: timedelta, now: float) -> list[dict[str, Any]]:
    """Return a full page of others' orders, each page older than the one before."""
    pages = int(query["offset"]) // 100
    at = now - age.total_seconds() * (pages + 1)
    stale = ORDER | {"text": "web", "create_time": at, "finish_time": at}
    return [stale | {"id": number} for number in range(100)]


def test_search_among_what_ended_goes_one_day_back() -> None:
    asked = Asked(**{f"orders__{OWN_ID}": UNSHOWN})
    now = asked.venue.now.timestamp()
    asked.venue.payloads["/usdt/orders"] = lambda query: many(
        query, age=timedelta(hours=10), now=now
    )

    with pytest.raises(OrderNotFound):
        asked.look_up()

    # The third page is thirty hours old.
    assert [query["offset"] for query in asked.venue.requests("/usdt/orders")] == [
        "0",
        "100",
        "200",
    ]


def test_more_than_can_be_searched_proves_nothing() -> None:
    asked = Asked(**{f"orders__{OWN_ID}": UNSHOWN})
    now = asked.venue.now.timestamp()
    asked.venue.payloads["/usdt/orders"] = lambda query: many(
        query, age=timedelta(minutes=1), now=now
    )

    with pytest.raises(UnexpectedPayload):
        asked.look_up()

    assert len(asked.venue.requests("/usdt/orders")) == 10
