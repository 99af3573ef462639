"""What a report that does not say all, or says less than was sent, makes of an order."""

from __future__ import annotations

import pytest

from exchanges.domain import VenueOrderStatus
from exchanges.errors import OrderOutcomeUnknown
from exchanges.models import ExchangeAccount
from tests.services import test_submit as orders
from tests.services.test_submit import NOW, D
from trading.core.states import OrderState, Purpose
from trading.models import Position
from trading.services.order_facts import absorb_report

pytestmark = pytest.mark.db

position = orders.position


def test_a_closing_order_that_its_venue_cut_to_what_was_left_ends_and_halts_nobody(
    position: Position,
) -> None:
    """OKX lowers the size of a reduce-only order to that of the position, and fills it whole."""
    order = orders.intend(position, Purpose.REDUCE)
    silent = orders.ScriptedVenue(OrderOutcomeUnknown("no answer", venue="okx"))
    assert orders.send(order, position, silent) is OrderState.UNKNOWN

    absorb_report(
        order, orders.report(base_quantity=D("0.4"), filled_base_quantity=D("0.4")), now=NOW
    )

    order.refresh_from_db()
    assert (order.state, order.filled_base_quantity) == (OrderState.CANCELED, D("0.4"))
    assert order.is_final_at_venue
    assert not ExchangeAccount.objects.get().is_halted


def test_an_order_that_is_filled_without_a_figure_is_filled_whole(position: Position) -> None:
    """Else its leg is empty in our books, and is hedged a second time."""
    order = orders.intend(position)
    filled = orders.report(status=VenueOrderStatus.FILLED, filled_base_quantity=None)

    assert orders.send(order, position, orders.ScriptedVenue(filled)) is OrderState.FILLED

    assert order.filled_base_quantity == order.base_quantity


@pytest.mark.parametrize("ended", [VenueOrderStatus.CANCELED, VenueOrderStatus.EXPIRED])
def test_an_order_that_ended_without_a_figure_is_looked_up_until_its_fills_are_told(
    position: Position, ended: VenueOrderStatus
) -> None:
    order = orders.intend(position)
    untold = orders.report(status=ended, filled_base_quantity=None)

    assert orders.send(order, position, orders.ScriptedVenue(untold)) is OrderState.OPEN
    assert not order.is_final_at_venue

    absorb_report(order, orders.report(status=ended, filled_base_quantity=D("0.4")), now=NOW)
    assert (order.state, order.filled_base_quantity) == (OrderState(ended.value), D("0.4"))
    assert order.is_final_at_venue
