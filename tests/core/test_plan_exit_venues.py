"""Closing when a venue is silent, says there is nothing left, or will not close: what is held."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from exchanges.domain import Side
from tests.position_views import (
    NOW,
    D,
    assert_records,
    filled,
    make_leg,
    make_order,
    step_of,
)
from trading.core.money import plain
from trading.core.order_refusal import RefusalKind
from trading.core.snapshot import LegView, OrderView
from trading.core.states import Goal, OrderState, PositionEvent, PositionState, Purpose
from trading.core.steps import Cancel, Drop, PlaceAll, Reach, ReadBack, Record, Wait

pytestmark = pytest.mark.core

LATER = NOW + timedelta(minutes=5)


def hedge(**second: object) -> tuple[LegView, LegView]:
    return make_leg(0, net_base=D(1)), make_leg(1, net_base=D(-1), **second)


def failed(leg_index: int = 0, **changes: object) -> OrderView:
    values: dict[str, object] = {
        "purpose": Purpose.REDUCE,
        "side": (Side.SELL, Side.BUY)[leg_index],
        "state": OrderState.REJECTED,
        "refusal": RefusalKind.OTHER,
        "is_final_at_venue": True,
    }
    return make_order(leg_index, **(values | changes))


def closes(step: object) -> list[tuple[int, str]]:
    assert isinstance(step, PlaceAll)
    return [(order.leg_index, plain(order.base_quantity)) for order in step.orders]


# --- A silent venue ---------------------------------------------------------------------------


def test_both_venues_are_asked_before_the_first_closing_order() -> None:
    assert isinstance(step_of(PositionState.EXITING, *hedge(is_reachable=None)), Reach)


def test_a_leg_is_not_closed_alone_while_the_other_venue_is_silent() -> None:
    assert isinstance(step_of(PositionState.EXITING, *hedge(is_reachable=False)), Wait)


def test_a_larger_leg_is_closed_down_to_what_the_silent_venue_still_holds() -> None:
    legs = make_leg(0, net_base=D(1)), make_leg(1, net_base=D("-0.4"), is_reachable=False)

    assert closes(step_of(PositionState.EXITING, *legs)) == [(0, "0.6")]


def test_a_person_may_force_one_side_and_the_silent_one_is_tried_later() -> None:
    step = step_of(PositionState.EXITING, *hedge(is_reachable=False), force_one_sided=True)

    assert closes(step) == [(0, "1")]


@pytest.mark.parametrize("is_killed", [False, True])
def test_a_leg_whose_venue_takes_limits_only_goes_first_and_keeps_the_other(
    is_killed: bool,
) -> None:
    """It may match none of them."""
    slow = replace(make_leg(1).instrument, limits_only=True)

    whole = step_of(PositionState.EXITING, *hedge(instrument=slow), is_killed=is_killed)
    rest = make_leg(0, net_base=D(1)), make_leg(1, net_base=D("-0.3"), instrument=slow)

    assert closes(whole) == [(1, "1")]
    assert closes(step_of(PositionState.EXITING, *rest)) == [(0, "0.7"), (1, "0.3")]


def test_the_last_leg_is_closed_whatever_the_other_venue_says() -> None:
    legs = make_leg(0, net_base=D(1)), make_leg(1, is_reachable=False)

    assert closes(step_of(PositionState.EXITING, *legs)) == [(0, "1")]


def test_a_naked_leg_is_unwound_whatever_the_other_venue_says() -> None:
    legs = make_leg(0, net_base=D(1)), make_leg(1, is_reachable=False)

    assert closes(step_of(PositionState.UNWINDING, *legs)) == [(0, "1")]


# --- Nothing left, or the wrong way round -----------------------------------------------------


def test_nothing_to_reduce_is_read_back_before_another_try() -> None:
    refused = failed(refusal=RefusalKind.NOTHING_TO_REDUCE)
    legs = make_leg(0, net_base=D(1), orders=(refused,)), make_leg(1)

    assert isinstance(step_of(PositionState.EXITING, *legs, now=LATER), ReadBack)
    again = step_of(PositionState.EXITING, *legs, now=LATER, is_confirmed=True)
    assert closes(again) == [(0, "1")]


def test_a_leg_that_holds_the_wrong_way_round_is_left_to_a_person() -> None:
    legs = make_leg(0, net_base=D("-0.5")), make_leg(1)

    step = step_of(PositionState.UNWINDING, *legs)

    assert isinstance(step, Record)
    assert step.event is PositionEvent.HOLD
    assert "holds -0.5 BTC, the wrong way round" in step.cause


def test_dust_below_a_lot_is_named_when_the_position_ends() -> None:
    legs = make_leg(0, net_base=D("0.0004")), make_leg(1)

    step = step_of(PositionState.EXITING, *legs, is_confirmed=True)

    assert isinstance(step, Record)
    assert step.event is PositionEvent.FLAT
    assert step.cause.endswith("dust of 0.0004 BTC at binanceusdm is left")


# --- Bounded retries --------------------------------------------------------------------------


def test_a_held_position_says_what_is_unhedged_where_and_what_helps() -> None:
    legs = make_leg(0, net_base=D(1), orders=tuple(failed() for _ in range(4))), make_leg(1)

    step = step_of(PositionState.UNWINDING, *legs)

    # 1 x mid 60000.05
    assert isinstance(step, Record)
    assert step.cause == (
        "the long leg at binanceusdm could not be closed after 4 orders. "
        "Unhedged: 1 BTC (60,000.05 USD); held: 1 at binanceusdm, 0 at bybit. "
        "Press Close to try again, or close it at the venue and adopt that on Reconciliation."
    )
    assert len(step.cause) <= 300


def test_failures_from_before_the_position_was_released_are_history() -> None:
    legs = make_leg(0, net_base=D(1), orders=tuple(failed() for _ in range(4))), make_leg(1)

    step = step_of(PositionState.UNWINDING, *legs, now=LATER, state_since=LATER)

    assert closes(step) == [(0, "1")]


def test_orders_a_venue_was_not_there_for_are_tried_longer() -> None:
    away = tuple(failed(refusal=RefusalKind.UNAVAILABLE) for _ in range(4))
    many = tuple(failed(refusal=RefusalKind.UNAVAILABLE) for _ in range(40))

    step = step_of(
        PositionState.UNWINDING, make_leg(0, net_base=D(1), orders=away), make_leg(1), now=LATER
    )
    last = step_of(
        PositionState.UNWINDING, make_leg(0, net_base=D(1), orders=many), make_leg(1), now=LATER
    )

    assert closes(step) == [(0, "1")]
    assert_records(last, PositionEvent.HOLD)


def test_market_orders_that_fill_in_part_are_progress() -> None:
    parts = tuple(failed(filled=D("0.1"), state=OrderState.EXPIRED) for _ in range(4))

    step = step_of(
        PositionState.UNWINDING,
        make_leg(0, net_base=D("0.6"), orders=parts),
        make_leg(1),
        now=LATER,
    )

    assert closes(step) == [(0, "0.6")]


def test_an_exit_that_is_refused_forty_times_is_held() -> None:
    legs = make_leg(0, net_base=D(1), orders=tuple(failed() for _ in range(40))), make_leg(1)

    assert_records(step_of(PositionState.EXITING, *legs, now=LATER), PositionEvent.HOLD)


def test_a_naked_leg_waits_less_for_its_next_closing_order_than_a_hedged_one() -> None:
    """Six failures call for 32 s: 30 s while the legs cancel out, 4 s while one is naked."""
    long = make_leg(0, net_base=D(1), orders=tuple(failed() for _ in range(6)))
    short = make_leg(1, net_base=D(-1), orders=tuple(failed(1) for _ in range(6)))

    def is_early(seconds: int, *legs: LegView) -> bool:
        now = NOW + timedelta(seconds=seconds)
        return isinstance(step_of(PositionState.EXITING, *legs, now=now), Wait)

    assert [is_early(seconds, long, make_leg(1)) for seconds in (3, 4)] == [True, False]
    assert [is_early(seconds, long, short) for seconds in (29, 30)] == [True, False]


# --- Orders that are left over ----------------------------------------------------------------


def test_an_exit_cancels_what_still_opens_whatever_its_time() -> None:
    resting = make_order(0, cancel_after=LATER)
    legs = make_leg(0, net_base=D(1), orders=(resting,)), make_leg(1, net_base=D(-1))

    step = step_of(PositionState.EXITING, *legs, goal=Goal.FLAT)

    assert step == Cancel(order_id=resting.id)


def test_an_exit_drops_what_was_not_sent_yet() -> None:
    planned = make_order(1, state=OrderState.PLANNED)
    legs = make_leg(0, net_base=D(1)), make_leg(1, orders=(planned,))

    step = step_of(PositionState.EXITING, *legs, goal=Goal.FLAT)

    assert isinstance(step, Drop)


def test_a_cancel_that_was_not_obeyed_is_asked_for_again() -> None:
    stuck = failed(state=OrderState.OPEN, is_final_at_venue=False, cancel_after=NOW)
    asked = [
        make_leg(0, net_base=D(1), orders=(failed_at(stuck, seconds),)) for seconds in (2.9, 3.0)
    ]

    early, due = (step_of(PositionState.EXITING, leg, make_leg(1), now=NOW) for leg in asked)

    assert isinstance(early, Wait)
    assert isinstance(due, Cancel)


def failed_at(order: OrderView, seconds_ago: float) -> OrderView:
    asked_at = NOW - timedelta(seconds=seconds_ago)
    return failed(
        state=order.state,
        is_final_at_venue=False,
        cancel_after=order.cancel_after,
        cancel_requested_at=asked_at,
    )


# --- Late and racing fills --------------------------------------------------------------------


def test_a_fill_that_raced_the_cancel_is_hedged_by_what_the_venue_says() -> None:
    raced = make_order(0, filled=D("0.7"), state=OrderState.CANCELED, is_final_at_venue=True)
    part = filled(1, "0.4")
    legs = (
        make_leg(0, net_base=D("0.7"), orders=(raced,)),
        make_leg(1, net_base=D("-0.4"), orders=(part,)),
    )

    step = step_of(PositionState.ENTERING, *legs)

    assert getattr(step, "base_quantity", None) == D("0.3")


def test_a_hedge_of_a_later_fill_has_a_deadline_of_its_own() -> None:
    """The first hedge was sent 12 s ago and filled: what filled now is not late."""
    old = filled(1, "0.4", created_at=NOW - timedelta(seconds=12))
    legs = (
        make_leg(0, net_base=D("0.9"), orders=(make_order(0, filled=D("0.9")),)),
        make_leg(1, net_base=D("-0.4"), orders=(old,)),
    )

    step = step_of(PositionState.ENTERING, *legs)

    assert getattr(step, "base_quantity", None) == D("0.5")


def test_a_hedge_refused_for_margin_is_not_sent_again() -> None:
    refused = make_order(
        1, state=OrderState.REJECTED, refusal=RefusalKind.MARGIN, is_final_at_venue=True
    )
    legs = (
        make_leg(0, net_base=D(1), orders=(filled(0),)),
        make_leg(1, orders=(refused,)),
    )

    assert_records(step_of(PositionState.ENTERING, *legs), PositionEvent.IMBALANCED)


def test_a_first_order_refused_for_outdated_listings_is_planned_anew_once() -> None:
    refused = make_order(
        0, state=OrderState.REJECTED, refusal=RefusalKind.INVALID, is_final_at_venue=True
    )

    once = step_of(PositionState.ENTERING, make_leg(0, orders=(refused,)), make_leg(1))
    twice = step_of(PositionState.ENTERING, make_leg(0, orders=(refused,) * 2), make_leg(1))

    assert getattr(once, "base_quantity", None) == D(1)
    assert isinstance(twice, ReadBack)


def test_an_opening_order_that_was_not_sent_in_time_is_dropped() -> None:
    planned = make_order(0, state=OrderState.PLANNED)
    late = NOW + timedelta(seconds=30)

    step = step_of(PositionState.ENTERING, make_leg(0, orders=(planned,)), make_leg(1), now=late)

    assert isinstance(step, Drop)
