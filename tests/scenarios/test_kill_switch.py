"""The kill switch while an entry is under way: nothing new is opened, everything ends flat."""

from __future__ import annotations

from collections.abc import Generator
from decimal import Decimal

import pytest

from tests.machine import wait_until
from tests.scenarios.desk import ENDS, PATIENCE, Desk
from tests.scenarios.venue_books import VenueOrder

pytestmark = pytest.mark.scenario


@pytest.fixture
def armed(desk: Desk) -> Generator[Desk]:
    """A desk whose switch is armed again afterwards."""
    yield desk
    desk.person.rearm()


def resting_order(desk: Desk, base: str) -> VenueOrder:
    """Return the first leg's order, waiting at the venue."""
    found: list[VenueOrder] = []

    def rests() -> bool:
        found[:] = [order for order in desk.venues.orders(base) if order.is_open]
        return bool(found)

    wait_until(rests, timeout=PATIENCE, what=f"the first leg of {base} rests at the venue")
    return found[0]


def assert_flat_and_nothing_opened_since_the_press(desk: Desk, base: str) -> None:
    orders = desk.venues.orders(base)
    pressed_at = desk.books.kill_pressed_at()
    assert [o for o in orders if o.created_at > pressed_at and not o.reduce_only] == []
    assert not any(order.is_open for order in orders)
    assert desk.venues.held(base) == {}
    desk.assert_one_order_per_intent()
    desk.assert_books_agree()


def test_kill_while_the_first_leg_rests_ends_flat(armed: Desk) -> None:
    armed.freeze("AVAX")
    position = armed.open("AVAX")
    resting_order(armed, "AVAX")

    armed.person.kill()

    armed.wait_for(position, *ENDS)
    assert_flat_and_nothing_opened_since_the_press(armed, "AVAX")


def test_kill_while_the_first_leg_fills_in_parts_ends_flat(armed: Desk) -> None:
    armed.freeze("LINK")
    position = armed.open("LINK")
    order = resting_order(armed, "LINK")
    let_it_fill_in_parts(armed, order)
    wait_until(
        lambda: armed.venues.held("LINK"), timeout=PATIENCE, what="a part of the first leg fills"
    )

    armed.person.kill()

    armed.wait_for(position, *ENDS)
    [first] = [o for o in armed.venues.orders("LINK") if o.client_order_id == order.client_order_id]
    assert 0 < first.filled < first.base_quantity
    assert_flat_and_nothing_opened_since_the_press(armed, "LINK")


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
