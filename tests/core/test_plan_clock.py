"""The planner after the wall clock was set back: nothing waits for the length of the jump."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from exchanges.domain import OrderType, Side, TimeInForce
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
from trading.core.elapsed import elapsed, is_over
from trading.core.entry_style import EntryStyle
from trading.core.order_refusal import RefusalKind
from trading.core.snapshot import LegView
from trading.core.states import OrderState, PositionEvent, PositionState, Purpose
from trading.core.steps import Cancel, Place, PlaceAll, Wait

pytestmark = pytest.mark.core

S = PositionState
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
BACK = NOW - HOUR
RULES = make_view(S.ENTERING).rules
LONG = make_leg(0, net_base=D(1), orders=(filled(0),))


def test_what_lies_ahead_is_as_old_as_it_is_far() -> None:
    assert elapsed(NOW, NOW + SECOND) == elapsed(NOW, NOW - SECOND) == SECOND
    ends_at = NOW + 30 * SECOND
    moments = [NOW + 29 * SECOND, ends_at, NOW - 29 * SECOND, NOW - 30 * SECOND]
    assert [is_over(ends_at, since=NOW, now=now) for now in moments] == [False, True, False, True]


def test_a_refused_closing_order_is_tried_again_after_the_clock_was_set_back() -> None:
    refused = make_order(
        0,
        purpose=Purpose.REDUCE,
        side=Side.SELL,
        state=OrderState.REJECTED,
        refusal=RefusalKind.OTHER,
        is_final_at_venue=True,
    )
    naked = make_leg(0, net_base=D(1), orders=(filled(0), refused))

    assert isinstance(step_of(S.UNWINDING, naked, make_leg(1), now=NOW), Wait)
    assert isinstance(step_of(S.UNWINDING, naked, make_leg(1), now=BACK), PlaceAll)


def resting_hedge(**changes: object) -> LegView:
    return make_leg(1, orders=(make_order(1, cancel_after=NOW + SECOND, **changes),))


def test_a_resting_hedge_is_escalated_after_the_clock_was_set_back() -> None:
    hedge = resting_hedge()
    [order] = hedge.orders

    assert isinstance(step_of(S.ENTERING, LONG, hedge, now=NOW), Wait)
    assert step_of(S.ENTERING, LONG, hedge, now=NOW - 2 * SECOND) == Cancel(order_id=order.id)


def test_a_cancel_that_was_not_obeyed_is_asked_for_again_after_the_clock_was_set_back() -> None:
    hedge = resting_hedge(cancel_requested_at=NOW)
    [order] = hedge.orders

    assert isinstance(step_of(S.ENTERING, LONG, hedge, now=NOW - 2 * SECOND), Wait)
    assert step_of(S.ENTERING, LONG, hedge, now=BACK) == Cancel(order_id=order.id)


def test_a_hedge_that_cannot_be_asked_for_is_given_up_after_the_clock_was_set_back() -> None:
    hedge = resting_hedge(state=OrderState.UNKNOWN)

    assert isinstance(step_of(S.ENTERING, LONG, hedge, now=NOW), Wait)
    assert_records(step_of(S.ENTERING, LONG, hedge, now=BACK), PositionEvent.IMBALANCED)


def test_a_maker_entry_works_no_longer_for_a_clock_that_was_set_back() -> None:
    canceled = make_order(
        0,
        time_in_force=TimeInForce.POST_ONLY,
        order_type=OrderType.LIMIT,
        state=OrderState.CANCELED,
        is_final_at_venue=True,
    )
    first = make_leg(0, orders=(canceled,))
    rules = replace(RULES, entry_style=EntryStyle.MAKER, maker_reprice_budget=9)
    facts = {"created_at": NOW, "is_confirmed": True, "rules": rules}

    assert isinstance(step_of(S.ENTERING, first, make_leg(1), now=NOW, **facts), Place)
    ended = step_of(S.ENTERING, first, make_leg(1), now=BACK, **facts)
    assert_records(ended, PositionEvent.NEVER_EXPOSED)
