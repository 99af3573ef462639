"""The planner while a quarter is added to a hedge of 1 BTC that stays whatever comes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from exchanges.domain import Side
from tests.position_views import (
    NOW,
    D,
    assert_records,
    filled,
    make_leg,
    make_order,
    make_view,
    step_of,
)
from trading.core.entry_style import EntryStyle
from trading.core.snapshot import LegView, OrderView
from trading.core.states import Goal, OrderState, PositionEvent, PositionState, Purpose
from trading.core.steps import Cancel, Drop, Place, PlaceAll, ReadBack, Record, Send, Step, Wait

pytestmark = pytest.mark.core

LATE = NOW + timedelta(seconds=31)


def leg(index: int, *added: OrderView, held: str = "1") -> LegView:
    """Return a leg that was entered with 1 BTC and is in its first addition."""
    sign = (1, -1)[index]
    return make_leg(index, net_base=sign * D(held), orders=(filled(index), *added), addition=1)


def of_addition(index: int, quantity: str = "0.25", **changes: object) -> OrderView:
    return make_order(index, **{"base_quantity": D(quantity), "addition": 1} | changes)


def done(index: int, quantity: str = "0.25") -> OrderView:
    return filled(index, quantity, addition=1)


def adding(*legs: LegView, now: datetime = NOW, **changes: object) -> Step:
    known: dict[str, object] = {
        "target_base_quantity": D("1.25"),
        "add_quantity": D("0.25"),
        "add_cause": "the price gap moved",
    }
    view = legs or (leg(0), leg(1))
    return step_of(PositionState.ENTERING, *view, now=now, **(known | changes))


def ended(*legs: LegView, now: datetime = NOW, **changes: object) -> str:
    """Return the cause with which the addition ends hedged, which it does only when read back."""
    assert isinstance(adding(*legs, now=now, **changes), ReadBack)
    step = adding(*legs, now=now, **{"is_confirmed": True} | changes)
    assert isinstance(step, Record)
    assert step.event is PositionEvent.HEDGED
    return step.cause


def test_what_care_asked_for_begins_from_open_after_a_reduction_and_never_on_the_way_out() -> None:
    hedge = leg(0), leg(1)
    quarter, cause = D("0.25"), "the price gap moved"

    begun = step_of(PositionState.OPEN, *hedge, add_quantity=quarter, add_cause=cause)
    leaving = step_of(PositionState.OPEN, *hedge, goal=Goal.FLAT, add_quantity=quarter)
    shrinking = step_of(PositionState.OPEN, *hedge, reduce_to=D("0.5"), add_quantity=quarter)

    assert_records(begun, PositionEvent.ADD)
    assert isinstance(begun, Record)
    assert begun.cause == cause
    assert_records(leaving, PositionEvent.EXIT_SUBMITTED)
    assert_records(shrinking, PositionEvent.REDUCE)


def test_the_first_leg_gets_a_quarter_more_although_its_entry_is_filled() -> None:
    step = adding()

    assert isinstance(step, Place)
    assert (step.leg_index, step.purpose, step.side) == (0, Purpose.OPEN, Side.BUY)
    assert (step.base_quantity, step.reduce_only) == (D("0.25"), False)


def test_both_legs_are_sent_together_where_entries_are() -> None:
    rules = make_view(PositionState.ENTERING).rules
    step = adding(rules=replace(rules, entry_style=EntryStyle.BOTH_AT_ONCE))

    assert isinstance(step, PlaceAll)
    assert [(o.purpose, o.base_quantity) for o in step.orders] == [
        (Purpose.OPEN, D("0.25")),
        (Purpose.HEDGE, D("0.25")),
    ]


def test_each_fill_of_the_addition_is_hedged_at_once_and_no_more_than_that() -> None:
    part = of_addition(0, filled=D("0.1"), state=OrderState.PARTIAL)

    step = adding(leg(0, part, held="1.1"), leg(1))

    assert isinstance(step, Place)
    assert (step.leg_index, step.purpose, step.base_quantity) == (1, Purpose.HEDGE, D("0.1"))


def test_a_failure_of_the_entry_is_past_and_does_not_count_against_the_addition() -> None:
    failures = tuple(
        make_order(1, state=OrderState.REJECTED, is_final_at_venue=True) for _ in range(4)
    )
    second = make_leg(1, net_base=D(-1), orders=(filled(1), *failures), addition=1)

    step = adding(leg(0, done(0), held="1.25"), second)

    assert isinstance(step, Place)
    assert step.purpose is Purpose.HEDGE


def test_a_second_leg_that_fails_four_times_is_given_up() -> None:
    refused = [of_addition(1, state=OrderState.REJECTED, is_final_at_venue=True)] * 4

    step = adding(leg(0, done(0), held="1.25"), leg(1, *refused))

    assert_records(step, PositionEvent.IMBALANCED)


def test_unwinding_cuts_back_what_was_added_and_leaves_the_hedge() -> None:
    step = step_of(
        PositionState.UNWINDING,
        leg(0, done(0), held="1.25"),
        leg(1),
        target_base_quantity=D("1.25"),
        add_quantity=D("0.25"),
    )

    assert isinstance(step, PlaceAll)
    (cut,) = step.orders
    assert (cut.leg_index, cut.base_quantity, cut.reduce_only) == (0, D("0.25"), True)


def test_an_addition_that_is_filled_on_both_legs_ends_hedged() -> None:
    cause = ended(leg(0, done(0), held="1.25"), leg(1, done(1), held="1.25"))

    assert cause == "all legs are filled and read back"


def test_an_addition_whose_time_passed_unfilled_is_cancelled_and_ends_hedged() -> None:
    resting = of_addition(0)
    gone = of_addition(0, state=OrderState.CANCELED, is_final_at_venue=True)

    assert adding(leg(0, resting), leg(1), now=LATE) == Cancel(order_id=resting.id)
    assert ended(leg(0, gone), leg(1), now=LATE) == "nothing was filled"


def test_an_addition_that_may_not_begin_leaves_the_hedge() -> None:
    shut = ended(leg(0), leg(1), barred="the breaker of bybit is open")

    assert shut == "the addition was not begun: the breaker of bybit is open"
    assert "the time for the entry passed" in ended(leg(0), leg(1), now=LATE)
    assert "the addition was stopped" in ended(leg(0), leg(1), is_killed=True)


def test_a_leg_that_lacks_too_little_of_it_is_not_added_to() -> None:
    # 0.001 BTC are 60 USD of a least 100.
    cause = ended(leg(0, held="1.249"), leg(1, held="1.249"))

    assert cause.startswith("the addition was not begun: what one leg lacks of it")


def test_a_kill_cancels_first_and_cuts_back_only_what_is_not_hedged() -> None:
    resting = of_addition(0, filled=D("0.1"), state=OrderState.PARTIAL)
    gone = of_addition(0, filled=D("0.1"), state=OrderState.CANCELED, is_final_at_venue=True)

    first = adding(leg(0, resting, held="1.1"), leg(1), is_killed=True)
    then = adding(leg(0, gone, held="1.1"), leg(1), is_killed=True)

    assert first == Cancel(order_id=resting.id)
    assert_records(then, PositionEvent.IMBALANCED)


def test_a_kill_that_closes_and_a_wish_to_leave_exit_from_within_an_addition() -> None:
    for is_killed in (True, False):
        step = adding(leg(0), leg(1), goal=Goal.FLAT, is_killed=is_killed)

        assert_records(step, PositionEvent.EXIT_SUBMITTED)


def test_intents_that_were_never_sent_are_dropped_once_it_is_too_late() -> None:
    unsent = of_addition(0, state=OrderState.PLANNED)

    assert adding(leg(0, unsent), leg(1)) == Send(order_id=unsent.id)
    late = adding(leg(0, unsent), leg(1), now=LATE)
    assert isinstance(late, Drop)
    # A hedge of what was filled goes out late all the same.
    hedge = of_addition(1, state=OrderState.PLANNED, purpose=Purpose.HEDGE)
    step = adding(leg(0, done(0), held="1.25"), leg(1, hedge), now=LATE)
    assert step == Send(order_id=hedge.id)


def test_what_legs_differed_by_before_is_not_hedged_for_its_own_sake() -> None:
    resting = of_addition(0)

    step = adding(leg(0, resting, held="1.004"), leg(1))

    assert isinstance(step, Wait)
