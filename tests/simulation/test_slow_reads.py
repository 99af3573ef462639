"""Answers that were long on their way, across what happened meanwhile to the account."""

from __future__ import annotations

from decimal import Decimal

import pytest

from exchanges.simulator.listings import USDM
from tests.simulation.disturbances import EMPTY, FILLS, POSITIONS
from tests.simulation.drill import Drill
from tests.simulation.laboratory import Laboratory
from trading.models import Discrepancy, Event, Order
from trading.services.discrepancies import READ_LAG

pytestmark = pytest.mark.simulation

LATE = {"action": "delay", "after_accept": True, "seconds": 2.5}
OPEN_ORDERS = "/fapi/v1/openOrders"
READ = {"venue": USDM, "method": "GET", "path": POSITIONS[USDM]}
DOWN = Decimal("0.99")


@pytest.fixture
def drill(laboratory: Laboratory) -> Drill:
    """A first leg that rests, and streams that tell of nothing."""
    drill = Drill(laboratory)
    drill.world.streams.weather.lost = 1.0
    drill.rest_first_leg()
    assert drill.orders(USDM) == ["open open"]
    return drill


def told() -> list[str]:
    """Return what people were told of differences."""
    events = Event.objects.filter(kind__startswith="discrepancy")
    return list(events.values_list("sentence", flat=True))


def test_positions_that_were_asked_for_before_a_fill_make_no_difference_of_it(
    drill: Drill,
) -> None:
    """The answer left before the fill and came after it; the fills were asked for after that."""
    drill.disturb(**READ, **LATE)
    drill.at(1, lambda: drill.far.move_price("BTC", DOWN))

    drill.world.reconcile()

    assert drill.far.faults_fired == 1
    assert Order.objects.get(purpose="open").filled_base_quantity > 0
    assert not Discrepancy.objects.exists()
    drill.rest()
    assert told() == []


def test_what_was_filled_while_answers_were_on_their_way_may_be_listed_late_like_anything(
    drill: Drill,
) -> None:
    """A comparison of nine seconds suspects what was filled in its fourth, and was not listed yet.

    Ten seconds and a half after it began the venue lists it as little: within seven of the fill.
    """
    for path in (READ["path"], OPEN_ORDERS, FILLS[USDM]):
        drill.disturb(**READ | {"path": path}, **LATE)
    drill.disturb(**READ, action="garbage", body=EMPTY[USDM], count=None)
    drill.at(4, lambda: drill.far.move_price("BTC", DOWN))
    began = drill.world.now

    drill.world.reconcile()

    compared = (drill.world.now - began).total_seconds()
    assert 8 < compared < 10
    assert Discrepancy.objects.get().confirmed_at is None
    drill.world.sleep(10.5 - compared)
    drill.world.reconcile()
    assert Discrepancy.objects.get().confirmed_at is None
    assert told() == []
    drill.far.calm()
    drill.rest()
    assert not Discrepancy.objects.exists()
    assert told() == []


def test_a_difference_that_lasts_is_told_of_ten_seconds_after_it_was_heard(drill: Drill) -> None:
    """What is not listed for longer than a read may lag is a difference, late answers or not."""
    drill.far.move_price("BTC", DOWN)
    drill.do("time", amount="1")
    assert drill.orders(USDM) == ["open filled"]
    drill.disturb(**READ, **LATE)
    drill.disturb(**READ, action="garbage", body=EMPTY[USDM], count=None)

    drill.world.reconcile()
    drill.world.sleep(READ_LAG.total_seconds())
    drill.world.reconcile()

    assert Discrepancy.objects.get().confirmed_at is not None
    assert "our fills say" in told()[0]
