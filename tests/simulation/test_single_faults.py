"""One fault at a time on the way of an order, each with the outcome it must have."""

from __future__ import annotations

from decimal import Decimal

import pytest

from exchanges.models import AccountPosition
from exchanges.simulator.listings import BITGET, BYBIT, USDM
from tests.simulation.disturbances import CANCEL, FILLS, POSITIONS, QUERY
from tests.simulation.drill import FLAT, THIN, Drill
from tests.simulation.laboratory import Laboratory
from tests.simulation.markets import CREATE
from tests.simulation.streams import Weather
from tests.simulation.world import BALANCES_EVERY
from trading.models import Event, Order
from trading.services.lookup import ORDER_LIFETIME

pytestmark = pytest.mark.simulation

DEEP = Decimal(2)
OPEN_ORDERS = "/fapi/v1/openOrders"


@pytest.fixture
def drill(laboratory: Laboratory) -> Drill:
    return Drill(laboratory)


@pytest.mark.parametrize(
    "kind",
    [
        "create-unanswered",
        "create-reset",
        "create-5xx-accepted",
        "create-unknown",
        "create-truncated",
        "create-html",
        "create-empty",
        "create-null",
        "create-object",
        "create-answer-late",
    ],
)
def test_orders_that_arrived_without_a_usable_answer_are_found_and_hedge(
    drill: Drill, kind: str
) -> None:
    drill.fault(kind, USDM)
    drill.fault(kind, BYBIT)

    position = drill.enter(wait=20.0)
    drill.rest()

    assert drill.far.faults_fired == 2
    assert drill.state() == "open"
    assert drill.orders(USDM) == ["open filled"]
    assert drill.orders(BYBIT) == ["hedge filled"]
    assert position.changes.filter(to_state="unknown").count() == 2


def test_an_order_that_shows_late_is_not_taken_for_absent(drill: Drill) -> None:
    """For ten seconds the venue knows no such order and lists neither it nor its fills."""
    drill.fault("create-unanswered", USDM)
    read = {"venue": USDM, "method": "GET", "count": None}
    drill.disturb(**read, path=QUERY[USDM], action="reject", status=400, code=-2013)
    for path in (OPEN_ORDERS, FILLS[USDM], POSITIONS[USDM]):
        drill.disturb(**read, path=path, action="garbage", body="[]")
    drill.world.streams.weather.lost = 1.0

    drill.enter(wait=6.0)
    assert drill.orders(USDM) == ["open unknown"]
    drill.far.calm()
    drill.do("time", amount="10")
    drill.rest()

    assert drill.orders(USDM)[0] == "open filled"
    assert drill.held()[0] == -drill.held()[1]


def test_a_clock_that_jumps_an_hour_proves_no_order_absent(drill: Drill) -> None:
    """By the clock its lifetime is over at once; by the seconds that passed it is not."""
    drill.fault("create-unanswered", USDM)
    read = {"venue": USDM, "method": "GET", "count": None}
    drill.disturb(**read, path=QUERY[USDM], action="reject", status=400, code=-2013)
    for path in (OPEN_ORDERS, FILLS[USDM], POSITIONS[USDM]):
        drill.disturb(**read, path=path, action="garbage", body="[]")
    drill.world.streams.weather.lost = 1.0

    drill.enter(wait=0.5)
    drill.do("skew", amount="3600", wait=6.0)
    assert drill.orders(USDM) == ["open unknown"]
    drill.far.calm()
    drill.rest()

    assert drill.orders(USDM)[0] == "open filled"
    assert drill.held()[0] == -drill.held()[1]


@pytest.mark.parametrize("kind", ["create-dropped", "create-5xx", "create-overloaded"])
def test_an_order_that_never_arrived_is_absent_only_after_its_lifetime(
    drill: Drill, kind: str
) -> None:
    drill.fault(kind, USDM)

    position = drill.enter(wait=10.0)
    assert drill.orders(USDM) == ["open unknown"]
    drill.rest()

    order = Order.objects.get()
    assert order.sent_at is not None
    told = Event.objects.get(kind="order.unknown")
    assert told.sentence.endswith("is unknown: it does not show there")
    ruled = position.changes.get(order=order, to_state="not_placed")
    assert ruled.at - order.sent_at > ORDER_LIFETIME
    assert (drill.state(), drill.held()) == ("abandoned", FLAT)


@pytest.mark.parametrize("kind", ["create-dropped", "create-5xx", "create-refused"])
def test_a_hedge_that_never_arrived_or_was_refused_unwinds_the_first_leg(
    drill: Drill, kind: str
) -> None:
    drill.fault(kind, BYBIT)

    drill.enter()
    drill.rest()

    assert len(drill.orders(BYBIT)) == 1
    assert drill.orders(USDM) == ["open filled", "reduce filled"]
    assert (drill.state(), drill.held()) == ("closed", FLAT)


def test_an_unknown_order_that_cannot_be_asked_about_stays_unknown_and_is_cried_out(
    drill: Drill,
) -> None:
    drill.fault("create-unanswered", USDM)
    for path in (QUERY[USDM], OPEN_ORDERS, FILLS[USDM]):
        drill.disturb(venue=USDM, method="GET", path=path, action="server_error", count=None)
    drill.world.streams.weather.lost = 1.0

    drill.enter(wait=60.0)

    assert drill.orders(USDM) == ["open unknown"]
    assert drill.cried("order.unknown")
    assert len(drill.sent()) == 1

    drill.rest()
    assert drill.held()[0] == -drill.held()[1]


def test_a_rate_limited_hedge_was_not_placed_and_is_a_new_intent(drill: Drill) -> None:
    drill.fault("create-429", BYBIT)

    drill.enter()
    drill.rest()

    assert drill.orders(BYBIT) == ["hedge rejected", "hedge filled"]
    assert len(drill.sent()) == 3


@pytest.mark.parametrize("lost", [0.0, 1.0], ids=["streamed", "not-streamed"])
@pytest.mark.parametrize(
    ("level", "ends"), [(THIN, "open canceled"), (DEEP, "open filled")], ids=["part", "whole"]
)
def test_a_fill_that_races_the_cancel_counts_and_is_hedged(
    drill: Drill, level: Decimal, ends: str, lost: float
) -> None:
    """The market comes back while the cancel is on its way; a whole fill leaves it nothing."""
    drill.world.streams.weather = Weather(lost=lost)
    method, path = CANCEL[USDM]
    drill.disturb(venue=USDM, method=method, path=path, action="delay", seconds=1.2)

    def come_back() -> None:
        drill.far.thin_out("BTC", level)
        drill.far.move_price("BTC", Decimal("0.99"))

    drill.when_struck(come_back)
    drill.rest_first_leg()
    drill.do("time", amount="20")
    drill.rest()

    assert drill.orders(USDM)[0] == ends
    if lost:
        first = Order.objects.get(purpose="open")
        assert first.looked_up_at is not None
        assert first.cancel_requested_at is not None
        assert first.looked_up_at > first.cancel_requested_at, "the cancel's answer was believed"
    long, short = drill.held()
    assert long > 0
    assert long == -short


@pytest.mark.parametrize("kind", ["cancel-unanswered", "cancel-dropped", "cancel-5xx"])
def test_a_cancel_without_an_answer_leaves_the_order_alive_until_a_look_says_otherwise(
    drill: Drill, kind: str
) -> None:
    drill.fault(kind, USDM)
    drill.rest_first_leg()

    drill.do("time", amount="11")
    drill.rest()

    assert drill.far.faults_fired == 1
    assert drill.orders(USDM) == ["open canceled"]
    assert (drill.state(), drill.held()) == ("abandoned", FLAT)


@pytest.mark.parametrize(
    "market", ["perpetuals", "contracts by number", "contracts at Bitget", "Gate against KuCoin"]
)
def test_a_venue_that_lists_no_position_for_a_while_is_not_taken_for_flat(
    laboratory: Laboratory, market: str
) -> None:
    """Not by the reconciliation, nor by what the minutely read keeps for the screens."""
    drill = Drill(laboratory, market)
    first, second = drill.far.market.venues
    drill.enter(wait=BALANCES_EVERY.total_seconds() + 1)
    # Bitget is asked for two margin coins.
    drill.fault("positions-empty", first, count=12 if first == BITGET else 6)

    drill.world.reconcile()
    kept = AccountPosition.objects.filter(account__user__username="alice")
    assert [row.account.exchange.code for row in kept] == [second]
    drill.do("doorbell", number=1, wait=5.0)
    drill.rest()

    assert (drill.orders(first), drill.orders(second)) == (["open filled"], ["hedge filled"])
    assert drill.state() == "open"
    assert not drill.cried("position.unwinding")


def test_an_order_that_neither_fills_nor_cancels_is_cried_out(drill: Drill) -> None:
    method, path = CANCEL[USDM]
    drill.disturb(venue=USDM, method=method, path=path, action="drop_before_accept", count=None)
    drill.rest_first_leg()

    drill.do("time", amount="60")

    assert drill.cried("order.stuck")
    assert drill.orders(USDM) == ["open open"]
    assert drill.orders(BYBIT) == []
    drill.rest()
    assert drill.held() == FLAT


@pytest.mark.parametrize("is_entry", [True, False], ids=["hedge", "close"])
def test_a_market_order_that_fills_in_part_is_not_taken_for_full(
    drill: Drill, is_entry: bool
) -> None:
    if not is_entry:
        drill.enter()
    drill.far.thin_out("BTC", THIN, venues=(BYBIT,))

    drill.enter(wait=30.0) if is_entry else drill.leave(wait=30.0)
    drill.rest()

    purpose = "hedge" if is_entry else "reduce"
    rows = Order.objects.filter(order_type="market", purpose=purpose).order_by("created_at")
    first, *_, last = rows
    assert 0 < first.filled_base_quantity < first.base_quantity
    assert last.state == "filled"
    assert drill.held()[0] == -drill.held()[1]
    assert drill.state() == ("open" if is_entry else "closed")


def test_a_hedge_and_an_unwinding_that_are_refused_end_held_with_an_alert(drill: Drill) -> None:
    drill.fault("create-refused", BYBIT, count=100)
    margin = {"action": "reject", "code": -2019, "message": "Margin is insufficient."}
    reducing = {"path": CREATE[USDM], "contains": "reduceOnly=true", "count": None}
    drill.disturb(venue=USDM, method="POST", **reducing, **margin)

    drill.enter(wait=60.0)

    assert drill.orders(USDM) == ["open filled", *["reduce rejected"] * 4]
    assert drill.state() == "held"
    drill.rest()


def test_a_venue_that_is_overloaded_for_all_but_reducing_orders_lets_the_close_pass(
    drill: Drill,
) -> None:
    drill.enter()
    drill.disturb(
        venue=USDM,
        method="POST",
        client_order_id="ca0o",
        action="server_error",
        status=503,
        code=-1008,
        count=None,
    )

    drill.enter(user="bob")
    drill.leave()
    assert (drill.state(), drill.held()) == ("closed", FLAT)
    drill.rest()

    assert drill.far.faults_fired == 1
    assert drill.held("bob") == FLAT


@pytest.mark.parametrize("code", [-2025, -4140, -2027], ids=["orders", "halt", "position"])
def test_a_limit_or_halt_of_the_venue_ends_the_entry_without_a_second_order(
    drill: Drill, code: int
) -> None:
    create = {"venue": USDM, "method": "POST", "path": CREATE[USDM]}
    drill.disturb(**create, action="reject", code=code, message="not now", count=None)

    drill.enter(wait=40.0)
    drill.rest()

    assert drill.orders(USDM) == ["open rejected"]
    assert (drill.state(), drill.held()) == ("abandoned", FLAT)
