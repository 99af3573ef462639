"""The kill switch while an entry is under way: nothing new is opened, everything ends flat."""

from __future__ import annotations

from collections.abc import Generator
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from tests.machine import wait_until
from tests.scenarios.desk import ENDS, FIRST_LEG, PATIENCE, SECOND_LEG, Desk
from tests.scenarios.venue_books import VenueOrder

pytestmark = pytest.mark.scenario

# What was licensed before the press may still arrive, but not later than this.
IN_FLIGHT = timedelta(seconds=5)


@pytest.fixture
def armed(desk: Desk) -> Generator[Desk]:
    """A desk whose switch is armed again afterwards."""
    yield desk
    desk.person.rearm()


def assert_flat_and_nothing_opened_since(pressed_at: datetime, desk: Desk, base: str) -> None:
    """I16 and I17: no licence to open after the press, only what was already on its way."""
    opening = [intent for intent in desk.books.intents() if intent.purpose != "reduce"]
    assert not any(intent.sent_at and intent.sent_at > pressed_at for intent in opening)
    orders = desk.venues.orders(base)
    late = pressed_at + IN_FLIGHT
    assert not any(order.created_at > late and not order.reduce_only for order in orders)
    assert not any(order.is_open for order in orders)
    assert desk.venues.held(base) == {}
    desk.assert_one_order_per_intent()
    desk.assert_books_agree()


def test_kill_while_the_first_leg_rests_ends_flat(armed: Desk) -> None:
    position = armed.open("AVAX")
    assert armed.order(position, FIRST_LEG).is_open

    pressed_at = armed.person.kill()

    armed.wait_for(position, *ENDS)
    assert_flat_and_nothing_opened_since(pressed_at, armed, "AVAX")


def test_kill_while_the_first_leg_fills_in_parts_ends_flat(armed: Desk) -> None:
    position = armed.open("LINK")
    order = armed.order(position, FIRST_LEG)
    assert order.is_open
    let_it_fill_in_parts(armed, order)
    wait_until(
        lambda: armed.venues.held("LINK"), timeout=PATIENCE, what="a part of the first leg fills"
    )

    pressed_at = armed.person.kill()

    armed.wait_for(position, *ENDS)
    [first] = [o for o in armed.venues.orders("LINK") if o.client_order_id == order.client_order_id]
    assert 0 < first.filled < first.base_quantity
    assert_flat_and_nothing_opened_since(pressed_at, armed, "LINK")


def test_kill_while_the_hedge_is_on_its_way_ends_flat(armed: Desk) -> None:
    armed.simulator.fault(method="POST", client_order_id=SECOND_LEG, action="delay", seconds=3)
    position = armed.open("ADA")
    armed.bring_market_to(position)
    wait_until(
        lambda: armed.awaits_answer(position, SECOND_LEG),
        timeout=PATIENCE,
        what="the hedge is on its way",
    )

    pressed_at = armed.person.kill()

    assert armed.wait_for(position, *ENDS).state == "closed"
    assert armed.faults_struck() == 1
    assert_flat_and_nothing_opened_since(pressed_at, armed, "ADA")


def let_it_fill_in_parts(desk: Desk, order: VenueOrder) -> None:
    """Bring a thin market to the order: about a hundredth of it every quarter of a second."""
    assert order.price is not None
    towards = Decimal("-0.0001") if order.side == "buy" else Decimal("0.0001")
    desk.simulator.pin(
        order.venue,
        "LINK",
        price=str(order.price * (1 + towards)),
        level_quantity=str((order.base_quantity / 100).quantize(Decimal("0.1"))),
    )
