"""What a plan does after a venue or the owner has closed a leg, in every state."""

from __future__ import annotations

import pytest

from exchanges.domain import OrderType, Side
from tests.position_views import NOW, D, assert_records, filled, make_leg, make_order, step_of
from trading.core.states import PositionEvent, PositionState
from trading.core.steps import Cancel, PlaceAll, ReadBack

pytestmark = pytest.mark.core

S, E = PositionState, PositionEvent
LONG = make_leg(0, net_base=D(1), orders=(filled(0),))
SHORT_GONE = make_leg(1, net_base=D(0), orders=(filled(1),), was_closed_outside=True)
LONG_GONE = make_leg(0, net_base=D(0), orders=(filled(0),), was_closed_outside=True)


def test_an_open_position_whose_leg_was_closed_is_imbalanced() -> None:
    assert_records(step_of(S.OPEN, LONG, SHORT_GONE), E.IMBALANCED)


def test_the_leg_that_is_left_is_cut_at_market_to_the_same_size() -> None:
    short = make_leg(1, net_base=D("-0.4"), orders=(filled(1),), was_closed_outside=True)

    step = step_of(S.UNWINDING, LONG, short)

    assert isinstance(step, PlaceAll)
    [place] = step.orders
    assert (place.leg_index, place.side, place.base_quantity) == (0, Side.SELL, D("0.6"))
    assert (place.order_type, place.reduce_only) == (OrderType.MARKET, True)


def test_an_entry_does_not_hedge_again_what_its_venue_closed() -> None:
    assert_records(step_of(S.ENTERING, LONG, SHORT_GONE), E.IMBALANCED)


def test_an_entry_stops_filling_a_leg_that_its_venue_closed() -> None:
    working = make_order(0, base_quantity=D(2), filled=D(1))
    first = make_leg(0, net_base=D(0), orders=(working,), was_closed_outside=True)

    assert isinstance(step_of(S.ENTERING, first, make_leg(1)), Cancel)


def test_an_entry_whose_fills_were_all_closed_is_flat_and_not_as_if_it_never_was() -> None:
    assert isinstance(step_of(S.ENTERING, LONG_GONE, SHORT_GONE), ReadBack)
    assert_records(step_of(S.ENTERING, LONG_GONE, SHORT_GONE, is_confirmed=True), E.FLAT)


def test_an_exit_closes_only_what_is_left() -> None:
    step = step_of(S.EXITING, LONG, SHORT_GONE)

    assert isinstance(step, PlaceAll)
    assert [place.leg_index for place in step.orders] == [0]


def test_a_held_position_ends_once_both_legs_are_gone() -> None:
    assert_records(step_of(S.HELD, LONG_GONE, SHORT_GONE, is_confirmed=True), E.FLAT)
    assert step_of(S.HELD, LONG, SHORT_GONE, now=NOW) != step_of(S.OPEN, LONG, SHORT_GONE)
