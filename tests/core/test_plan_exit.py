"""The planner once a position is hedged: closing, unwinding, holding, waking."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from exchanges.domain import (
    OrderType,
    Side,
)
from tests.position_views import (
    NOW,
    D,
    assert_records,
    filled,
    make_instrument,
    make_leg,
    make_order,
    step_of,
)
from trading.core.states import Goal, OrderState, PositionEvent, PositionState, Purpose
from trading.core.steps import (
    PlaceAll,
    ReadBack,
    Wait,
)

pytestmark = pytest.mark.core


def test_an_open_hedge_rests_until_its_goal_is_flat_and_both_venues_answer() -> None:
    legs = (make_leg(0, net_base=D(1)), make_leg(1, net_base=D(-1)))

    assert isinstance(step_of(PositionState.OPEN, *legs), Wait)
    assert_records(
        step_of(PositionState.OPEN, *legs, goal=Goal.FLAT, is_confirmed=True),
        PositionEvent.EXIT_SUBMITTED,
    )


def test_a_leg_that_vanished_makes_an_open_position_imbalanced() -> None:
    legs = (make_leg(0, net_base=D("0.5")), make_leg(1, net_base=D(-1)))

    assert_records(step_of(PositionState.OPEN, *legs), PositionEvent.IMBALANCED)


@pytest.mark.parametrize(
    ("held", "sent"),
    # One order may be 0.4. What is left of 0.401 is half of it, not a lot of 0.001.
    [("0.4", "0.4"), ("0.401", "0.2"), ("0.8", "0.4"), ("0.801", "0.4"), ("1", "0.4")],
)
def test_a_leg_larger_than_one_order_may_be_is_closed_in_parts(held: str, sent: str) -> None:
    small = replace(make_instrument("bybit"), max_base_quantity=D("0.4"))
    legs = (make_leg(0, net_base=D(held)), make_leg(1, net_base=-D(held), instrument=small))

    step = step_of(PositionState.EXITING, *legs, goal=Goal.FLAT)

    assert isinstance(step, PlaceAll)
    assert [order.base_quantity for order in step.orders] == [D(held), D(sent)]


def test_both_legs_are_closed_together_by_reduce_only_orders() -> None:
    legs = (make_leg(0, net_base=D(1)), make_leg(1, net_base=D(-1)))

    step = step_of(PositionState.EXITING, *legs, goal=Goal.FLAT)

    # sell 1 at 60000.0 x 0.9995 = 59970.0; buy 1 at 60000.1 x 1.0005 = 60030.10005, up to 60030.2
    assert isinstance(step, PlaceAll)
    assert [(o.side, o.base_quantity, o.reduce_only) for o in step.orders] == [
        (Side.SELL, D(1), True),
        (Side.BUY, D(1), True),
    ]
    assert [order.price for order in step.orders] == [D("59970.0"), D("60030.2")]


def test_what_is_left_of_a_close_goes_to_market_after_a_pause() -> None:
    done = filled(0, purpose=Purpose.REDUCE, side=Side.SELL)
    part = make_order(
        1,
        purpose=Purpose.REDUCE,
        side=Side.BUY,
        filled=D("0.7"),
        state=OrderState.CANCELED,
        is_final_at_venue=True,
    )
    legs = (
        make_leg(0, orders=(done,)),
        make_leg(1, orders=(part,), net_base=D("-0.3")),
    )

    early = step_of(PositionState.EXITING, *legs)
    later = step_of(PositionState.EXITING, *legs, now=NOW + timedelta(seconds=1))

    assert isinstance(early, Wait)
    assert isinstance(later, PlaceAll)
    [order] = later.orders
    assert (order.leg_index, order.order_type) == (1, OrderType.MARKET)
    assert order.base_quantity == D("0.3")


def test_unwinding_cuts_the_larger_leg_to_the_smaller() -> None:
    legs = (make_leg(0, net_base=D(1)), make_leg(1, net_base=D("-0.4")))

    step = step_of(PositionState.UNWINDING, *legs)

    assert isinstance(step, PlaceAll)
    [order] = step.orders
    assert (order.leg_index, order.side, order.base_quantity) == (0, Side.SELL, D("0.6"))
    assert (order.order_type, order.reduce_only) == (OrderType.MARKET, True)


def test_unwinding_flattens_when_the_smaller_leg_is_below_the_least_order() -> None:
    # 0.001 BTC x 60000 = 60 USDT, below the minimum notional of 100
    legs = (make_leg(0, net_base=D(1)), make_leg(1, net_base=D("-0.001")))

    step = step_of(PositionState.UNWINDING, *legs)

    assert isinstance(step, PlaceAll)
    assert [order.base_quantity for order in step.orders] == [D(1), D("0.001")]


def test_unwinding_that_fails_four_times_is_held_for_a_person() -> None:
    failures = tuple(
        make_order(
            0,
            purpose=Purpose.REDUCE,
            side=Side.SELL,
            state=OrderState.REJECTED,
            is_final_at_venue=True,
        )
        for _ in range(4)
    )
    legs = (make_leg(0, orders=failures, net_base=D(1)), make_leg(1))

    assert_records(step_of(PositionState.UNWINDING, *legs), PositionEvent.HOLD)


def test_an_unknown_order_on_one_leg_does_not_delay_the_closing_of_the_other() -> None:
    unknown = make_order(1, state=OrderState.UNKNOWN)
    legs = (make_leg(0, net_base=D(1)), make_leg(1, orders=(unknown,)))

    step = step_of(PositionState.UNWINDING, *legs)

    assert isinstance(step, PlaceAll)
    assert [order.leg_index for order in step.orders] == [0]


def test_flat_is_recorded_only_after_both_venues_were_read_back() -> None:
    done = (
        make_leg(0, orders=(filled(0, purpose=Purpose.REDUCE),)),
        make_leg(1, orders=(filled(1, purpose=Purpose.REDUCE),)),
    )

    assert isinstance(step_of(PositionState.EXITING, *done), ReadBack)
    assert_records(step_of(PositionState.EXITING, *done, is_confirmed=True), PositionEvent.FLAT)


def test_a_late_fill_after_the_end_wakes_the_position() -> None:
    late = (make_leg(0, orders=(filled(0),), net_base=D(1)), make_leg(1))

    assert_records(step_of(PositionState.CLOSED, *late), PositionEvent.IMBALANCED)
    assert isinstance(step_of(PositionState.CLOSED), Wait)


def test_a_held_position_waits_for_a_person() -> None:
    legs = (make_leg(0, net_base=D(1)), make_leg(1))

    assert isinstance(step_of(PositionState.HELD, *legs), Wait)


def test_an_exit_asked_for_before_the_hold_does_not_end_it() -> None:
    legs = (make_leg(0, net_base=D(1)), make_leg(1))

    assert isinstance(step_of(PositionState.HELD, *legs, goal=Goal.FLAT), Wait)
    assert_records(
        step_of(PositionState.HELD, *legs, goal=Goal.FLAT, exit_asked_since_hold=True),
        PositionEvent.EXIT_SUBMITTED,
    )
