"""The life cycles: every pair of state and event either has its row or raises."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.core.states import (
    EXPOSED_POSITION_STATES,
    FINAL_ORDER_STATES,
    ORDER_TABLE,
    POSITION_TABLE,
    TERMINAL_POSITION_STATES,
    OrderEvent,
    OrderState,
    PositionEvent,
    PositionState,
    UnlistedTransition,
    next_order_state,
    next_position_state,
)

pytestmark = pytest.mark.core


@pytest.mark.parametrize(("state", "event"), [*product(PositionState, PositionEvent)])
def test_every_position_pair_has_its_row_or_raises(
    state: PositionState, event: PositionEvent
) -> None:
    if (state, event) in POSITION_TABLE:
        assert next_position_state(state, event) is POSITION_TABLE[state, event]
    else:
        with pytest.raises(UnlistedTransition, match=f"{state}.*{event}"):
            next_position_state(state, event)


@pytest.mark.parametrize(("state", "event"), [*product(OrderState, OrderEvent)])
def test_every_order_pair_has_its_row_or_raises(state: OrderState, event: OrderEvent) -> None:
    if (state, event) in ORDER_TABLE:
        assert next_order_state(state, event) is ORDER_TABLE[state, event]
    else:
        with pytest.raises(UnlistedTransition, match=f"{state}.*{event}"):
            next_order_state(state, event)


def test_every_position_state_is_reached_from_planned() -> None:
    reached = {PositionState.PLANNED}
    while True:
        found = {after for (before, _), after in POSITION_TABLE.items() if before in reached}
        if found <= reached:
            break
        reached |= found

    assert reached == set(PositionState)


def test_an_ended_position_only_wakes_when_something_filled_after_the_end() -> None:
    rows = {(s, e) for s, e in POSITION_TABLE if s in TERMINAL_POSITION_STATES}

    assert rows == {(s, PositionEvent.IMBALANCED) for s in TERMINAL_POSITION_STATES}


def test_every_exposed_state_can_be_held_by_a_person_or_is_held() -> None:
    holdable = {s for s, e in POSITION_TABLE if e is PositionEvent.HOLD}

    assert holdable | {PositionState.HELD} == EXPOSED_POSITION_STATES


def test_a_final_order_changes_only_by_a_late_fill() -> None:
    rows = {(s, e): after for (s, e), after in ORDER_TABLE.items() if s in FINAL_ORDER_STATES}

    assert set(rows.values()) == {OrderState.FILLED}
    assert {event for _, event in rows} == {OrderEvent.FILLED}


def test_unknown_is_left_only_by_evidence_of_the_venue() -> None:
    events = {event for state, event in ORDER_TABLE if state is OrderState.UNKNOWN}

    assert OrderEvent.LICENSED not in events
    assert OrderEvent.DROPPED not in events
    assert ORDER_TABLE[OrderState.UNKNOWN, OrderEvent.PROVEN_ABSENT] is OrderState.NOT_PLACED


@given(st.lists(st.sampled_from(list(OrderEvent)), max_size=12))
def test_no_walk_sends_an_order_twice(events: list[OrderEvent]) -> None:
    state, licences = OrderState.PLANNED, 0
    for event in events:
        if (state, event) in ORDER_TABLE:
            state = next_order_state(state, event)
            licences += event is OrderEvent.LICENSED

    assert licences <= 1
