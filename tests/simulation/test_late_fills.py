"""Fills of orders that had ended with their position, and that no stream told of."""

from __future__ import annotations

from decimal import Decimal

import pytest

from exchanges.domain import VenueOrderStatus
from exchanges.models import ExchangeAccount
from exchanges.simulator.accounts import Order as VenueOrder
from exchanges.simulator.listings import USDM
from tests.simulation.drill import FLAT, Drill
from tests.simulation.laboratory import Laboratory
from trading.models import Discrepancy, Event, Order, Position, Trade

pytestmark = pytest.mark.simulation


@pytest.fixture
def ended(laboratory: Laboratory) -> Drill:
    """An entry whose first order rested, was cancelled after its time and left nothing."""
    drill = Drill(laboratory)
    drill.rest_first_leg()
    drill.do("time", amount="20")
    assert drill.state() == "abandoned"
    assert drill.orders(USDM) == ["open canceled"]
    drill.world.streams.weather.lost = 1.0
    return drill


def fill_after_all(drill: Drill) -> VenueOrder:
    """Let the venue fill what it had called cancelled, and tell nobody."""
    [order] = [one for one in drill.far.ledger.orders.values() if one.venue == USDM]
    order.status = VenueOrderStatus.OPEN
    drill.far.ledger.put_order(order)
    drill.far.move_price("BTC", Decimal("0.99"), venues=(USDM,))
    drill.do("time", amount="2")
    assert order.filled > 0
    return order


def test_a_late_fill_of_our_own_is_recognised_by_its_order_and_closed(ended: Drill) -> None:
    filled = fill_after_all(ended)

    ended.do("time", amount="90")

    late, closing = Trade.objects.order_by("filled_at")
    assert late.order is not None and closing.order is not None
    assert late.order.client_order_id == filled.client_order_id
    assert (late.base_quantity, closing.order.purpose) == (filled.filled, "reduce")
    assert (ended.state(), ended.held()) == ("closed", FLAT)
    assert not Discrepancy.objects.exists()
    assert not ExchangeAccount.objects.exclude(halted_at=None).exists()
    # Until the minute's comparison it was held by what had ended, and nobody knew.
    assert {violation.rule for violation in ended.observer.violations} <= {"I10", "I25"}


def test_what_a_late_fill_wakes_is_cried_out_with_its_reason(ended: Drill) -> None:
    fill_after_all(ended)

    ended.do("time", amount="90")

    woken = Position.objects.get().changes.get(event="imbalanced")
    assert (woken.from_state, woken.to_state) == ("abandoned", "unwinding")
    assert Event.objects.filter(severity="critical", position=Position.objects.get()).exists()


def test_what_another_trades_after_our_end_is_still_foreign(ended: Drill) -> None:
    ended.do("foreign", venue=USDM, amount="0.05", number=1)

    ended.do("time", amount="90")

    assert Discrepancy.objects.confirmed().get().kind == "foreign"
    assert ExchangeAccount.objects.exclude(halted_at=None).get().exchange.code == USDM
    assert Order.objects.count() == 1
    assert ended.state() == "abandoned"
    ended.rest()
