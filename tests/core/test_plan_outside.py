"""What a plan does after a venue or the owner has closed a leg, in every state."""

from __future__ import annotations

from datetime import timedelta

import pytest

from exchanges.domain import OrderType, Side
from tests.position_views import NOW, D, assert_records, filled, make_leg, make_order, step_of
from trading.core.states import OrderState, PositionEvent, PositionState, Purpose
from trading.core.steps import Cancel, Drop, PlaceAll, ReadBack, Wait

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


@pytest.mark.parametrize("is_killed", [True, False])
def test_an_entry_order_that_still_rests_is_cancelled_when_the_position_is_held(
    is_killed: bool,
) -> None:
    resting = make_order(0, base_quantity=D(2), filled=D(1), state=OrderState.PARTIAL)
    long = make_leg(0, net_base=D(1), orders=(resting,))

    step = step_of(S.HELD, long, SHORT_GONE, is_killed=is_killed)

    assert step == Cancel(order_id=resting.id)


@pytest.mark.parametrize("purpose", Purpose)
def test_what_was_written_and_not_sent_before_the_hold_is_never_sent(purpose: Purpose) -> None:
    written = make_order(0, purpose=purpose, state=OrderState.PLANNED)
    long = make_leg(0, net_base=D(1), orders=(filled(0), written))

    step = step_of(S.HELD, long, SHORT_GONE)

    assert step == Drop(order_id=written.id, cause="the position is held for a person")


def test_a_closing_order_of_a_held_position_ends_at_its_own_time() -> None:
    closing = make_order(0, purpose=Purpose.REDUCE, side=Side.SELL)
    long = make_leg(0, net_base=D(1), orders=(filled(0), closing))

    assert isinstance(step_of(S.HELD, long, SHORT_GONE), Wait)
    late = step_of(S.HELD, long, SHORT_GONE, now=NOW + timedelta(seconds=30))
    assert late == Cancel(order_id=closing.id)
