"""The entry styles of the planner: maker at the touch, both legs at once, and the price guard."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from exchanges.domain import BookTop, OrderType, Side, TimeInForce
from tests.position_views import (
    NOW,
    D,
    assert_records,
    filled,
    make_leg,
    make_order,
    make_view,
)
from trading.core.entry_style import EntryStyle
from trading.core.order_refusal import RefusalKind
from trading.core.plan import next_step
from trading.core.snapshot import LegView, OrderView
from trading.core.states import OrderState, PositionEvent, PositionState, Purpose
from trading.core.steps import Cancel, Place, PlaceAll, ReadBack, Record, Step, Wait

pytestmark = pytest.mark.core

LATER = NOW + timedelta(seconds=2)


def enter(
    style: EntryStyle, *legs: LegView, now: datetime = NOW, budget: int = 3, **changes: object
) -> Step:
    view = make_view(PositionState.ENTERING, *legs, **changes)
    rules = replace(
        view.rules,
        entry_style=style,
        maker_reprice_budget=budget,
        max_entry_slippage=D("0.002"),
    )
    return next_step(replace(view, rules=rules), now)


def as_maker(*legs: LegView, now: datetime = NOW, budget: int = 3) -> Step:
    return enter(EntryStyle.MAKER, *legs, now=now, budget=budget)


def both(*legs: LegView, now: datetime = NOW) -> Step:
    return enter(EntryStyle.BOTH_AT_ONCE, *legs, now=now)


def touch(bid: str, ask: str, at: datetime = LATER) -> BookTop:
    book = make_leg(0).book
    assert book is not None
    return replace(book, bid=D(bid), ask=D(ask), observed_at=at)


def posted(price: str = "60000.0", **changes: object) -> OrderView:
    values: dict[str, object] = {"price": D(price), "time_in_force": TimeInForce.POST_ONLY}
    return make_order(0, **(values | changes))


def ended(price: str = "60000.0", **changes: object) -> OrderView:
    values: dict[str, object] = {"state": OrderState.CANCELED, "is_final_at_venue": True}
    return posted(price, **(values | changes))


# --- Maker ------------------------------------------------------------------------------------


def test_a_maker_joins_its_own_side_of_the_book_post_only() -> None:
    step = as_maker()

    assert isinstance(step, Place)
    assert (step.price, step.time_in_force) == (D("60000.0"), TimeInForce.POST_ONLY)
    assert step.cancel_after == NOW + timedelta(seconds=30)


def test_a_maker_that_sells_first_joins_the_ask() -> None:
    step = as_maker(make_leg(0, sign=-1), make_leg(1, sign=1))

    assert isinstance(step, Place)
    assert (step.side, step.price) == (Side.SELL, D("60000.1"))


def test_a_maker_order_that_is_still_at_the_touch_works_on() -> None:
    assert isinstance(as_maker(make_leg(0, orders=(posted(),)), make_leg(1), now=LATER), Wait)


def test_a_maker_order_is_pulled_when_the_touch_moves_away() -> None:
    order = posted()
    leg = make_leg(0, orders=(order,), book=touch("60000.2", "60000.3"))

    assert as_maker(leg, make_leg(1), now=LATER) == Cancel(order_id=order.id)


def test_a_maker_order_is_given_a_second_before_it_is_pulled() -> None:
    leg = make_leg(0, orders=(posted(),), book=touch("60000.2", "60000.3"))

    assert isinstance(as_maker(leg, make_leg(1), now=NOW + timedelta(seconds=0.9)), Wait)


def test_what_is_left_is_posted_anew_at_the_new_touch() -> None:
    order = ended(filled=D("0.25"))
    first = make_leg(0, orders=(order,), net_base=D("0.25"), book=touch("60000.2", "60000.3"))
    second = make_leg(1, orders=(filled(1, "0.25"),), net_base=D("-0.25"))

    step = as_maker(first, second, now=LATER)

    # 1 - 0.25 filled = 0.75 at the new bid
    assert isinstance(step, Place)
    assert (step.base_quantity, step.price) == (D("0.75"), D("60000.2"))


def test_each_fill_of_a_maker_is_hedged_before_anything_else() -> None:
    order = posted(filled=D("0.25"), state=OrderState.PARTIAL)
    first = make_leg(0, orders=(order,), net_base=D("0.25"), book=touch("60000.2", "60000.3"))

    step = as_maker(first, make_leg(1), now=LATER)

    assert isinstance(step, Place)
    assert (step.purpose, step.leg_index, step.base_quantity) == (Purpose.HEDGE, 1, D("0.25"))


def test_a_fill_too_small_to_hedge_waits_for_the_next() -> None:
    # 0.001 x 60000 = 60 USDT, below the minimum notional of 100
    order = posted(filled=D("0.001"), state=OrderState.PARTIAL)

    step = as_maker(make_leg(0, orders=(order,), net_base=D("0.001")), make_leg(1))

    assert isinstance(step, Wait)


def test_when_the_budget_is_used_up_the_last_order_works_on_until_the_deadline() -> None:
    orders = (ended(), ended(), posted())
    leg = make_leg(0, orders=orders, book=touch("60000.2", "60000.3"))

    assert isinstance(as_maker(leg, make_leg(1), now=LATER, budget=2), Wait)
    deadline = NOW + timedelta(seconds=30)
    assert as_maker(leg, make_leg(1), now=deadline, budget=2) == Cancel(order_id=orders[2].id)


def test_a_crossing_post_only_order_is_priced_anew_on_a_younger_book() -> None:
    refused = ended(state=OrderState.REJECTED, refusal=RefusalKind.WOULD_TAKE, created_at=LATER)
    old = make_leg(0, orders=(refused,))
    young = make_leg(0, orders=(refused,), book=touch("60000.2", "60000.3"))

    assert isinstance(as_maker(old, make_leg(1), now=LATER), Wait)
    step = as_maker(young, make_leg(1), now=LATER)
    assert isinstance(step, Place)
    assert step.price == D("60000.2")


def test_crossings_beyond_the_budget_end_the_entry() -> None:
    refused = tuple(
        ended(state=OrderState.REJECTED, refusal=RefusalKind.WOULD_TAKE) for _ in range(4)
    )

    assert isinstance(as_maker(make_leg(0, orders=refused), make_leg(1)), ReadBack)


def test_a_maker_refused_for_margin_does_not_try_again() -> None:
    refused = ended(state=OrderState.REJECTED, refusal=RefusalKind.MARGIN)

    assert isinstance(as_maker(make_leg(0, orders=(refused,)), make_leg(1)), ReadBack)


def test_a_maker_does_not_follow_the_touch_beyond_the_guard() -> None:
    # 60120.2 is 0.2003 % above the 60000 decided on: the order stays where it is
    leg = make_leg(0, orders=(posted(),), decision_mid=D(60000), book=touch("60120.2", "60120.3"))

    assert isinstance(as_maker(leg, make_leg(1), now=LATER), Wait)


# --- Both at once -----------------------------------------------------------------------------


def test_both_legs_are_sent_together_through_the_touch() -> None:
    step = both()

    # buy 60000.1 x 1.0005 = 60030.10005, up to 60030.2; sell 60000 x 0.9995 = 59970.0
    assert isinstance(step, PlaceAll)
    assert [(o.leg_index, o.side, o.price, o.base_quantity) for o in step.orders] == [
        (0, Side.BUY, D("60030.2"), D(1)),
        (1, Side.SELL, D("59970.0"), D(1)),
    ]
    assert [order.purpose for order in step.orders] == [Purpose.OPEN, Purpose.HEDGE]


def test_both_at_once_needs_a_fresh_book_of_both() -> None:
    assert isinstance(both(make_leg(0), make_leg(1, book=None)), Wait)


def test_the_leg_that_filled_less_is_brought_to_the_other_at_market() -> None:
    short_of = ended(filled=D("0.4"), time_in_force=TimeInForce.GTC)
    first = make_leg(0, orders=(short_of,), net_base=D("0.4"))
    second = make_leg(1, orders=(filled(1),), net_base=D(-1))

    step = both(first, second)

    # 1 on the second - 0.4 on the first = 0.6
    assert isinstance(step, Place)
    assert (step.leg_index, step.side, step.base_quantity) == (0, Side.BUY, D("0.6"))
    assert (step.purpose, step.order_type) == (Purpose.HEDGE, OrderType.MARKET)


def test_a_leg_that_cannot_be_brought_up_is_cut_down_on_the_other_side() -> None:
    refused = ended(state=OrderState.REJECTED, refusal=RefusalKind.MARGIN)
    second = make_leg(1, orders=(filled(1),), net_base=D(-1))

    assert_records(both(make_leg(0, orders=(refused,)), second), PositionEvent.IMBALANCED)
    unwound = make_view(PositionState.UNWINDING, make_leg(0, orders=(refused,)), second)
    step = next_step(unwound, NOW)
    assert isinstance(step, PlaceAll)
    assert [(o.leg_index, o.side, o.base_quantity) for o in step.orders] == [(1, Side.BUY, D(1))]


def test_both_unfilled_ends_in_nothing() -> None:
    first = make_leg(0, orders=(ended(),))
    gone = make_order(1, state=OrderState.CANCELED, is_final_at_venue=True)

    assert isinstance(both(first, make_leg(1, orders=(gone,))), ReadBack)


# --- The guard --------------------------------------------------------------------------------


def test_an_entry_whose_price_ran_away_is_never_sent() -> None:
    # the mid is 60000.05, up to 60000.1: 0.2505 % above 59850
    step = enter(EntryStyle.LIMIT_AT_MID, make_leg(0, decision_mid=D(59850)), make_leg(1))

    assert isinstance(step, Record)
    assert step.event is PositionEvent.NEVER_EXPOSED
    assert step.cause == (
        "the long leg at 60000.1 is 0.25 % worse than the 59850 decided on; the most is 0.20 %"
    )


def test_a_better_price_is_never_too_far() -> None:
    step = enter(EntryStyle.LIMIT_AT_MID, make_leg(0, decision_mid=D(61000)), make_leg(1))

    assert isinstance(step, Place)


def test_a_first_leg_that_filled_far_worse_is_unwound_with_both_prices_in_the_sentence() -> None:
    dear = filled(0, average_price=D(60300))
    first = make_leg(0, orders=(dear,), net_base=D(1), decision_mid=D(60000))

    step = enter(EntryStyle.LIMIT_AT_MID, first, make_leg(1))

    # (60300 - 60000) / 60000 = 0.5 %
    assert isinstance(step, Record)
    assert step.event is PositionEvent.IMBALANCED
    assert "60300 is 0.50 % worse than the 60000" in step.cause


def test_a_dear_first_leg_that_is_hedged_already_is_kept_and_its_rest_left() -> None:
    part = make_order(0, filled=D("0.4"), state=OrderState.PARTIAL, average_price=D(60300))
    first = make_leg(0, orders=(part,), net_base=D("0.4"), decision_mid=D(60000))
    second = make_leg(1, orders=(filled(1, "0.4"),), net_base=D("-0.4"))
    gone = replace(part, state=OrderState.CANCELED, is_final_at_venue=True)

    assert enter(EntryStyle.LIMIT_AT_MID, first, second) == Cancel(order_id=part.id)
    last = enter(EntryStyle.LIMIT_AT_MID, replace(first, orders=(gone,)), second, is_confirmed=True)
    assert isinstance(last, Record)
    assert last.event is PositionEvent.HEDGED
    assert "the rest was left" in last.cause


def test_an_order_whose_price_is_not_told_yet_is_hedged_first() -> None:
    first = make_leg(0, orders=(filled(0),), net_base=D(1), decision_mid=D(60000))

    step = enter(EntryStyle.LIMIT_AT_MID, first, make_leg(1))

    assert isinstance(step, Place)
    assert step.purpose is Purpose.HEDGE
