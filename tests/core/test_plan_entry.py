"""The planner while a position is entered, step by step."""

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
    make_leg,
    make_order,
    step_of,
)
from trading.core.states import OrderState, PositionEvent, PositionState, Purpose
from trading.core.steps import (
    Cancel,
    Drop,
    Place,
    Prepare,
    ReadBack,
    Record,
    Send,
    Wait,
)

pytestmark = pytest.mark.core


def test_a_planned_position_is_prepared_before_anything_is_sent() -> None:
    step = step_of(PositionState.PLANNED, make_leg(0, is_prepared=False), make_leg(1))

    assert isinstance(step, Prepare)


def test_a_planned_position_is_dropped_when_the_kill_switch_is_pressed() -> None:
    assert_records(step_of(PositionState.PLANNED, is_killed=True), PositionEvent.DROPPED)


def test_the_first_leg_is_a_limit_at_mid_rounded_to_the_touch() -> None:
    step = step_of(PositionState.ENTERING)

    # mid = (60000.0 + 60000.1) / 2 = 60000.05: a buy rounds up to the ask
    assert isinstance(step, Place)
    assert (step.leg_index, step.side, step.price) == (0, Side.BUY, D("60000.1"))
    assert (step.base_quantity, step.purpose) == (D(1), Purpose.OPEN)
    assert step.cancel_after == NOW + timedelta(seconds=30)


def test_an_intent_that_was_never_sent_is_sent_after_a_restart() -> None:
    order = make_order(0, state=OrderState.PLANNED)

    step = step_of(PositionState.ENTERING, make_leg(0, orders=(order,)), make_leg(1))

    assert step == Send(order_id=order.id)


def test_an_unsent_intent_is_dropped_when_the_kill_switch_is_pressed() -> None:
    order = make_order(0, state=OrderState.PLANNED)

    step = step_of(
        PositionState.ENTERING, make_leg(0, orders=(order,)), make_leg(1), is_killed=True
    )

    assert isinstance(step, Drop)


BARRED = "the breaker of Bybit is open"


def test_an_entry_that_is_barred_before_its_first_order_is_dropped() -> None:
    step = step_of(PositionState.PLANNED, barred=BARRED)

    assert_records(step, PositionEvent.DROPPED)
    assert isinstance(step, Record)
    assert step.cause == BARRED


def test_an_entry_that_is_barred_opens_nothing_and_hedges_what_is_filled() -> None:
    unsent = make_order(0, state=OrderState.PLANNED)
    first = make_leg(0, orders=(filled(0, "0.4"),), net_base=D("0.4"))

    begun = step_of(PositionState.ENTERING, barred=BARRED)
    dropped = step_of(
        PositionState.ENTERING, make_leg(0, orders=(unsent,)), make_leg(1), barred=BARRED
    )
    hedged = step_of(PositionState.ENTERING, first, make_leg(1), barred=BARRED)

    assert not isinstance(begun, Place)
    assert dropped == Drop(order_id=unsent.id, cause=BARRED)
    assert isinstance(hedged, Place)
    assert (hedged.purpose, hedged.base_quantity) == (Purpose.HEDGE, D("0.4"))


def test_a_barred_entry_ends_with_what_is_hedged_and_says_why() -> None:
    first = make_leg(0, orders=(filled(0, "0.4"),), net_base=D("0.4"))
    second = make_leg(1, orders=(filled(1, "0.4"),), net_base=D("-0.4"))

    step = step_of(PositionState.ENTERING, first, second, barred=BARRED, is_confirmed=True)

    assert_records(step, PositionEvent.HEDGED)
    assert isinstance(step, Record)
    assert step.cause == f"all legs are filled and read back; the rest was left: {BARRED}"


def test_each_fill_of_the_first_leg_is_hedged_at_once_by_what_was_filled() -> None:
    working = make_order(0, filled=D("0.4"), state=OrderState.PARTIAL)

    step = step_of(
        PositionState.ENTERING, make_leg(0, orders=(working,), net_base=D("0.4")), make_leg(1)
    )

    # sell limit through the bid by 5 bp: 60000 x 0.9995 = 59970.0
    assert isinstance(step, Place)
    assert (step.leg_index, step.side, step.purpose) == (1, Side.SELL, Purpose.HEDGE)
    assert (step.base_quantity, step.price) == (D("0.4"), D("59970.0"))


def test_a_hedge_that_is_working_is_not_doubled() -> None:
    first = make_leg(0, orders=(filled(0),), net_base=D(1))
    second = make_leg(1, orders=(make_order(1),))

    assert isinstance(step_of(PositionState.ENTERING, first, second), Wait)


def test_only_the_gap_that_no_order_covers_is_hedged() -> None:
    first = make_leg(0, orders=(filled(0),), net_base=D(1))
    part = make_order(1, base_quantity=D("0.4"), filled=D("0.1"), state=OrderState.PARTIAL)

    step = step_of(PositionState.ENTERING, first, make_leg(1, orders=(part,), net_base=D("-0.1")))

    # 1 filled - 0.1 hedged - 0.3 still working = 0.6
    assert isinstance(step, Place)
    assert step.base_quantity == D("0.6")


def test_a_hedge_goes_to_market_after_its_limit_failed() -> None:
    first = make_leg(0, orders=(filled(0),), net_base=D(1))
    failed = make_order(1, state=OrderState.CANCELED, is_final_at_venue=True)

    step = step_of(PositionState.ENTERING, first, make_leg(1, orders=(failed,)))

    assert isinstance(step, Place)
    assert (step.order_type, step.price, step.base_quantity) == (OrderType.MARKET, None, D(1))


def test_a_resting_hedge_is_cancelled_when_its_time_is_over() -> None:
    first = make_leg(0, orders=(filled(0),), net_base=D(1))
    resting = make_order(1, cancel_after=NOW)

    step = step_of(PositionState.ENTERING, first, make_leg(1, orders=(resting,)))

    assert step == Cancel(order_id=resting.id)


def test_nothing_new_is_placed_on_a_leg_whose_order_is_unknown() -> None:
    first = make_leg(0, orders=(filled(0),), net_base=D(1))
    unknown = make_order(1, state=OrderState.UNKNOWN)

    assert isinstance(step_of(PositionState.ENTERING, first, make_leg(1, orders=(unknown,))), Wait)


def test_an_unknown_hedge_past_its_deadline_unwinds_the_first_leg() -> None:
    first = make_leg(0, orders=(filled(0),), net_base=D(1))
    second = make_leg(1, orders=(make_order(1, state=OrderState.UNKNOWN),))
    late = NOW + timedelta(seconds=11)

    assert_records(
        step_of(PositionState.ENTERING, first, second, now=late), PositionEvent.IMBALANCED
    )


def test_a_second_leg_that_failed_four_times_is_given_up() -> None:
    first = make_leg(0, orders=(filled(0),), net_base=D(1))
    failures = tuple(
        make_order(1, state=OrderState.REJECTED, is_final_at_venue=True) for _ in range(4)
    )

    assert_records(
        step_of(PositionState.ENTERING, first, make_leg(1, orders=failures)),
        PositionEvent.IMBALANCED,
    )


def test_an_unfilled_first_leg_is_cancelled_and_then_the_position_is_abandoned() -> None:
    resting = make_order(0, cancel_after=NOW)
    gone = make_order(0, state=OrderState.CANCELED, is_final_at_venue=True)

    first = step_of(PositionState.ENTERING, make_leg(0, orders=(resting,)), make_leg(1))
    then = step_of(PositionState.ENTERING, make_leg(0, orders=(gone,)), make_leg(1))
    last = step_of(
        PositionState.ENTERING, make_leg(0, orders=(gone,)), make_leg(1), is_confirmed=True
    )

    assert first == Cancel(order_id=resting.id)
    assert isinstance(then, ReadBack)
    assert_records(last, PositionEvent.NEVER_EXPOSED)


def test_hedged_is_recorded_only_after_both_venues_were_read_back() -> None:
    legs = (
        make_leg(0, orders=(filled(0),), net_base=D(1)),
        make_leg(1, orders=(filled(1),), net_base=D(-1)),
    )

    assert isinstance(step_of(PositionState.ENTERING, *legs), ReadBack)
    assert_records(step_of(PositionState.ENTERING, *legs, is_confirmed=True), PositionEvent.HEDGED)


def test_an_entry_does_not_end_while_an_order_is_not_final_at_the_venue() -> None:
    legs = (
        make_leg(0, orders=(filled(0, is_final_at_venue=False),), net_base=D(1)),
        make_leg(1, orders=(filled(1),), net_base=D(-1)),
    )

    assert isinstance(step_of(PositionState.ENTERING, *legs, is_confirmed=True), Wait)


def test_the_kill_switch_during_entry_cancels_and_then_closes_what_was_filled() -> None:
    resting = make_order(0, filled=D("0.4"), state=OrderState.PARTIAL)
    stopped = replace(resting, state=OrderState.CANCELED, is_final_at_venue=True)

    first = step_of(
        PositionState.ENTERING,
        make_leg(0, orders=(resting,), net_base=D("0.4")),
        make_leg(1),
        is_killed=True,
    )
    then = step_of(
        PositionState.ENTERING,
        make_leg(0, orders=(stopped,), net_base=D("0.4")),
        make_leg(1),
        is_killed=True,
    )

    assert first == Cancel(order_id=resting.id)
    assert_records(then, PositionEvent.EXIT_SUBMITTED)


BARRED = "main at BYB is halted: a difference"


def test_a_planned_position_is_dropped_when_an_account_of_it_is_halted() -> None:
    step = step_of(PositionState.PLANNED, barred=BARRED)

    assert step == Record(event=PositionEvent.DROPPED, cause=BARRED)


def test_an_entry_that_has_sent_nothing_ends_when_its_account_is_halted() -> None:
    step = step_of(PositionState.ENTERING, barred=BARRED)

    assert step == Record(event=PositionEvent.NEVER_EXPOSED, cause=BARRED)


def test_a_halt_cancels_what_opens_once_its_fills_are_hedged() -> None:
    resting = make_order(0, filled=D("0.4"), state=OrderState.PARTIAL)
    first = make_leg(0, orders=(resting,), net_base=D("0.4"))
    hedging = make_order(1, base_quantity=D("0.4"))

    naked = step_of(PositionState.ENTERING, first, make_leg(1), barred=BARRED)
    hedged = step_of(PositionState.ENTERING, first, make_leg(1, orders=(hedging,)), barred=BARRED)

    assert isinstance(naked, Place)
    assert (naked.purpose, naked.base_quantity) == (Purpose.HEDGE, D("0.4"))
    assert hedged == Cancel(order_id=resting.id)


def test_an_unsent_order_is_dropped_by_a_halt_and_its_hedge_with_it() -> None:
    opening = make_order(0, state=OrderState.PLANNED)
    hedging = make_order(1, state=OrderState.PLANNED)
    first, second = make_leg(0, orders=(opening,)), make_leg(1, orders=(hedging,))

    step = step_of(PositionState.ENTERING, first, second, barred=BARRED)
    dropped = replace(opening, state=OrderState.DROPPED, is_final_at_venue=True)
    then = step_of(PositionState.ENTERING, make_leg(0, orders=(dropped,)), second, barred=BARRED)

    assert step == Drop(order_id=opening.id, cause=BARRED)
    assert then == Drop(order_id=hedging.id, cause=BARRED)


def test_what_was_hedged_before_a_halt_is_kept_and_the_rest_is_left() -> None:
    ended = make_order(0, filled=D("0.4"), state=OrderState.CANCELED, is_final_at_venue=True)
    first = make_leg(0, orders=(ended,), net_base=D("0.4"))
    second = make_leg(1, orders=(filled(1, "0.4"),), net_base=D("-0.4"))

    step = step_of(PositionState.ENTERING, first, second, barred=BARRED, is_confirmed=True)

    assert step == Record(
        event=PositionEvent.HEDGED,
        cause=f"all legs are filled and read back; the rest was left: {BARRED}",
    )
