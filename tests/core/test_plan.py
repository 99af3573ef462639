"""The planner, step by step, on hand-made snapshots: long 1 BTC on one venue, short on another."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from exchanges.domain import (
    BookTop,
    Instrument,
    InstrumentKind,
    OrderType,
    SettlementKind,
    Side,
    Symbol,
)
from trading.core.plan import next_step
from trading.core.snapshot import LegView, OrderView, PositionView, Rules
from trading.core.states import Goal, OrderState, PositionEvent, PositionState, Purpose
from trading.core.steps import (
    Cancel,
    Drop,
    Place,
    PlaceAll,
    Prepare,
    ReadBack,
    Record,
    Send,
    Step,
    Wait,
)

pytestmark = pytest.mark.core

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
D = Decimal


def make_instrument(venue: str) -> Instrument:
    return Instrument(
        venue=venue,
        symbol=Symbol("BTC/USDT:USDT"),
        venue_symbol="BTCUSDT",
        kind=InstrumentKind.PERPETUAL,
        base="BTC",
        quote="USDT",
        settle="USDT",
        contract_base=D(1),
        price_tick=D("0.1"),
        lot=D("0.001"),
        min_base_quantity=D("0.001"),
        min_notional=D(100),
        settlement=SettlementKind.LUMP,
    )


def make_leg(index: int, **changes: object) -> LegView:
    venue = ("binanceusdm", "bybit")[index]
    book = BookTop(
        venue=venue,
        symbol=Symbol("BTC/USDT:USDT"),
        bid=D("60000.0"),
        bid_quantity=D(5),
        ask=D("60000.1"),
        ask_quantity=D(5),
        observed_at=NOW,
    )
    leg = LegView(
        index=index,
        sign=(1, -1)[index],
        instrument=make_instrument(venue),
        net_base=D(0),
        orders=(),
        book=book,
        is_prepared=True,
    )
    return replace(leg, **changes)  # type: ignore[arg-type]


def make_order(leg_index: int, **changes: object) -> OrderView:
    order = OrderView(
        id=uuid4(),
        leg_index=leg_index,
        purpose=(Purpose.OPEN, Purpose.HEDGE)[leg_index],
        side=(Side.BUY, Side.SELL)[leg_index],
        order_type=OrderType.LIMIT,
        base_quantity=D(1),
        filled=D(0),
        state=OrderState.OPEN,
        created_at=NOW,
        cancel_after=NOW + timedelta(seconds=30),
        cancel_requested_at=None,
        is_final_at_venue=False,
    )
    return replace(order, **changes)  # type: ignore[arg-type]


def filled(leg_index: int, base_quantity: str = "1", **changes: object) -> OrderView:
    values: dict[str, object] = {
        "base_quantity": D(base_quantity),
        "filled": D(base_quantity),
        "state": OrderState.FILLED,
        "is_final_at_venue": True,
    }
    return make_order(leg_index, **(values | changes))


def make_view(state: PositionState, *legs: LegView, **changes: object) -> PositionView:
    view = PositionView(
        state=state,
        goal=Goal.HEDGED,
        target_base_quantity=D(1),
        legs=legs or (make_leg(0), make_leg(1)),
        entry_deadline=NOW + timedelta(seconds=30),
        is_killed=False,
        is_confirmed=False,
        rules=Rules(
            market_buffer=D("0.0005"),
            hedge_escalation=timedelta(seconds=1),
            hedge_deadline=timedelta(seconds=10),
            retry_delay=timedelta(seconds=1),
            max_attempts=4,
        ),
    )
    return replace(view, **changes)  # type: ignore[arg-type]


def step_of(state: PositionState, *legs: LegView, now: datetime = NOW, **changes: object) -> Step:
    return next_step(make_view(state, *legs, **changes), now)


def assert_records(step: Step, event: PositionEvent) -> None:
    assert isinstance(step, Record)
    assert step.event is event


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
    assert_records(
        step_of(PositionState.HELD, *legs, goal=Goal.FLAT, is_confirmed=True),
        PositionEvent.EXIT_SUBMITTED,
    )
