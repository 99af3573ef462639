"""A running hedge in the planner: which drift is trimmed, and how care makes a position smaller."""

from __future__ import annotations

from decimal import Decimal

import pytest

from exchanges.domain import OrderType
from tests.position_views import D, assert_records, filled, make_leg, make_order, step_of
from trading.core.snapshot import LegView
from trading.core.states import Goal, OrderState, PositionEvent, PositionState, Purpose
from trading.core.steps import Place, PlaceAll, Record, Step, Wait

pytestmark = pytest.mark.core


def hedge(long: str, short: str) -> tuple[LegView, LegView]:
    return make_leg(0, net_base=D(long)), make_leg(1, net_base=-D(short))


def orders_of(step: Step) -> list[Place]:
    assert isinstance(step, PlaceAll)
    return list(step.orders)


@pytest.mark.parametrize(
    ("long", "short"),
    [
        ("1", "0.996"),  # 0.4 %, worth 240: below the first limit
        ("0.2", "0.199"),  # 0.5 %, worth 60 of a least 100
        ("0.0105", "0.01"),  # 4.8 %, but half a lot: dust
    ],
)
def test_a_small_drift_stays(long: str, short: str) -> None:
    assert isinstance(step_of(PositionState.OPEN, *hedge(long, short)), Wait)


@pytest.mark.parametrize(
    ("long", "short", "words"),
    [
        ("1", "0.995", "the legs differ by 0.50 %, 0.005 BTC; the most is 0.50 %"),
        # 0.001 BTC is worth 60, less than an order of 100, and 2 % is the hard limit
        ("0.05", "0.049", "the legs differ by 2.00 %, 0.001 BTC; the most is 2.00 %"),
    ],
)
def test_a_drift_that_is_worth_an_order_or_beyond_the_hard_limit_is_trimmed(
    long: str, short: str, words: str
) -> None:
    step = step_of(PositionState.OPEN, *hedge(long, short))

    assert step == Record(event=PositionEvent.IMBALANCED, cause=words)


def test_without_a_book_only_the_hard_limit_trims() -> None:
    longer, shorter = hedge("1", "0.99")
    blind = make_leg(0, net_base=longer.net_base, book=None)

    assert isinstance(step_of(PositionState.OPEN, blind, shorter), Wait)


def test_the_larger_leg_alone_is_trimmed_at_market() -> None:
    (trim,) = orders_of(step_of(PositionState.UNWINDING, *hedge("1", "0.995")))

    assert (trim.leg_index, trim.base_quantity, trim.reduce_only) == (0, D("0.005"), True)
    assert trim.order_type is OrderType.MARKET


def test_an_open_position_becomes_smaller_when_care_asks() -> None:
    step = step_of(PositionState.OPEN, *hedge("1", "1"), reduce_to=D("0.5"), reduce_cause="gap")

    assert step == Record(event=PositionEvent.REDUCE, cause="gap")


def test_a_wish_to_be_flat_comes_before_a_wish_to_be_smaller() -> None:
    step = step_of(PositionState.OPEN, *hedge("1", "1"), goal=Goal.FLAT, reduce_to=D("0.5"))

    assert_records(step, PositionEvent.EXIT_SUBMITTED)


def test_both_legs_are_halved_by_reduce_only_limits_first() -> None:
    step = step_of(PositionState.UNWINDING, *hedge("1", "1"), reduce_to=D("0.5"))

    assert [(o.base_quantity, o.reduce_only, o.order_type) for o in orders_of(step)] == [
        (D("0.5"), True, OrderType.LIMIT),
        (D("0.5"), True, OrderType.LIMIT),
    ]


def test_a_reduced_position_is_hedged_again_once_both_venues_say_so() -> None:
    step = step_of(
        PositionState.UNWINDING, *hedge("0.5", "0.5"), reduce_to=D("0.5"), is_confirmed=True
    )

    assert_records(step, PositionEvent.HEDGED)


def test_failures_before_the_last_filled_reduction_are_history() -> None:
    failed = [
        make_order(0, purpose=Purpose.REDUCE, state=OrderState.CANCELED, is_final_at_venue=True)
        for _ in range(4)
    ]
    done = filled(0, "0.5", purpose=Purpose.REDUCE)
    long = make_leg(0, net_base=D("1"), orders=(*failed, done))

    step = step_of(PositionState.UNWINDING, long, make_leg(1, net_base=D("-0.5")))

    assert [order.base_quantity for order in orders_of(step)] == [Decimal("0.5")]


def test_a_kill_that_only_stops_entries_lets_a_trim_leave_the_hedge() -> None:
    legs = hedge("1", "0.9")

    (trim,) = orders_of(step_of(PositionState.UNWINDING, *legs, is_killed=True))
    closing = orders_of(
        step_of(PositionState.UNWINDING, *legs, is_killed=True, goal=Goal.FLAT),
    )

    assert (trim.leg_index, trim.base_quantity) == (0, D("0.1"))
    assert [place.base_quantity for place in closing] == [D(1), D("0.9")]
