"""What is sent while the clock of this machine is not the venue's."""

from __future__ import annotations

from datetime import timedelta

import pytest

from exchanges.errors import VenueUnavailable
from tests.services import test_submit as orders
from trading.core.states import OrderState, Purpose
from trading.models import Order, Position
from trading.services.submit import submit

pytestmark = pytest.mark.db

HOUR = timedelta(hours=1)
position = orders.position


def venue_at(ahead: timedelta | Exception) -> orders.ScriptedVenue:
    return orders.ScriptedVenue(orders.report(), clock_ahead=ahead)


def submitted(position: Position, venue: orders.ScriptedVenue, *intents: Order) -> str:
    venues = orders.venues_of(venue)
    return submit(list(intents), position=position, venues=venues, clock=lambda: orders.NOW)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-3600, "3600.0 s behind that of Bybit"), (2.6, "2.6 s ahead of that of Bybit")],
)
def test_by_a_clock_that_is_off_nothing_opens_and_a_close_is_sent(
    position: Position, seconds: float, words: str
) -> None:
    venue = venue_at(timedelta(seconds=seconds))
    opening, closing = (orders.intend(position, p) for p in (Purpose.OPEN, Purpose.REDUCE))

    cause = submitted(position, venue, opening)
    opening.refresh_from_db()

    assert words in cause
    assert (opening.state, venue.sent) == (OrderState.DROPPED, [])
    assert orders.send(closing, position, venue) is OrderState.FILLED


def test_half_of_what_venues_take_opens(position: Position) -> None:
    venue = venue_at(timedelta(seconds=-2.5))

    assert orders.send(orders.intend(position), position, venue) is OrderState.FILLED


def test_of_two_legs_at_once_the_hedge_does_not_go_alone(position: Position) -> None:
    venue = venue_at(HOUR)
    intents = [orders.intend(position, p) for p in (Purpose.OPEN, Purpose.HEDGE)]

    submitted(position, venue, *intents)

    states = [Order.objects.get(pk=order.pk).state for order in intents]
    assert (states, venue.sent) == ([OrderState.DROPPED, OrderState.DROPPED], [])


def test_what_was_sent_before_the_clock_jumped_is_left_as_it_is(position: Position) -> None:
    venue, order = venue_at(timedelta(0)), orders.intend(position)
    orders.send(order, position, venue)

    venue.clock_ahead = HOUR
    submitted(position, venue, Order.objects.get(pk=order.pk))

    order.refresh_from_db()
    assert (order.state, len(venue.sent)) == (OrderState.FILLED, 1)


def test_nothing_opens_where_the_venue_does_not_tell_its_time(position: Position) -> None:
    venue = venue_at(VenueUnavailable("its time could not be read within 1 s", venue="bybit"))

    assert orders.send(orders.intend(position), position, venue) is OrderState.DROPPED
    assert venue.sent == []
