"""Whatever a venue answers, a position comes to rest after a bounded number of orders."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchanges.domain import Side
from tests.position_views import NOW, D, make_leg, make_view
from trading.core.entry_style import EntryStyle
from trading.core.exposure import Exposure, exposure
from trading.core.money import floor_to_lot
from trading.core.order_refusal import RefusalKind
from trading.core.plan import next_step
from trading.core.snapshot import LegView, OrderView, PositionView
from trading.core.states import (
    Goal,
    OrderState,
    PositionState,
    Purpose,
    next_position_state,
)
from trading.core.steps import (
    Cancel,
    Drop,
    Place,
    PlaceAll,
    Prepare,
    Reach,
    ReadBack,
    Record,
    Send,
    Step,
    Wait,
)

pytestmark = pytest.mark.core

MOST_ORDERS = 60
MOST_STEPS = 3000
RESOLVED_AFTER = timedelta(seconds=20)
REFUSALS = [kind for kind in RefusalKind if kind]


class AdversarialVenue:
    """Two venues in one: each order is filled, cut, refused, left resting or of unknown outcome."""

    def __init__(self, view: PositionView, seed: int, *, hostility: int) -> None:
        self.view = view
        self.now = NOW
        self.placed = 0
        self.late_fills = 2
        self._random = Random(seed)  # noqa: S311  (a seeded adversary, not a secret)
        self._hostility = hostility

    def come_to_rest(self) -> PositionView:
        for _ in range(MOST_STEPS):
            if self._is_at_rest():
                return self.view
            self._obey(next_step(self.view, self.now))
            assert self.placed <= MOST_ORDERS
        raise AssertionError(f"still {self.view.state} after {self.placed} orders")

    def _is_at_rest(self) -> bool:
        if self.view.state is PositionState.HELD:
            return True
        is_open = self.view.state is PositionState.OPEN and self.view.goal is Goal.HEDGED
        is_over = self.view.state in (PositionState.CLOSED, PositionState.ABANDONED)
        return (is_open or is_over) and isinstance(next_step(self.view, self.now), Wait)

    def _obey(self, step: Step) -> None:
        match step:
            case Place():
                self._take(step)
            case PlaceAll(orders=orders):
                for place in orders:
                    self._take(place)
            case Cancel(order_id=order_id):
                self._cancel(order_id)
            case Send(order_id=order_id) | Drop(order_id=order_id):
                self._change(order_id, state=OrderState.DROPPED, is_final_at_venue=True)
            case Prepare():
                self._each_leg(is_prepared=True)
            case Reach():
                self._each_leg(is_reachable=self._random.random() > 0.2)
            case ReadBack():
                self.view = replace(self.view, is_confirmed=True)
            case Record(event=event):
                state = next_position_state(self.view.state, event)
                self.view = replace(self.view, state=state, state_since=self.now)
            case Wait():
                self._let_time_pass()

    def _take(self, place: Place) -> None:
        leg = self.view.legs[place.leg_index]
        self._check(place, leg)
        self.placed += 1
        order = OrderView(
            id=uuid4(),
            leg_index=place.leg_index,
            purpose=place.purpose,
            side=place.side,
            order_type=place.order_type,
            base_quantity=place.base_quantity,
            filled=D(0),
            state=OrderState.OPEN,
            created_at=self.now,
            cancel_after=place.cancel_after,
            cancel_requested_at=None,
            is_final_at_venue=False,
            price=place.price,
            time_in_force=place.time_in_force,
        )
        self._replace_leg(replace(leg, orders=(*leg.orders, order)))
        self.view = replace(self.view, is_confirmed=False)
        self._answer(order)
        self.now += timedelta(milliseconds=20)

    def _check(self, place: Place, leg: LegView) -> None:
        """Reducing orders never turn a leg round; a hedge never exceeds what the first filled."""
        assert place.base_quantity > 0
        if place.purpose is Purpose.REDUCE:
            assert place.side.sign == -leg.sign
            assert place.base_quantity <= abs(leg.net_base)
        elif self.view.rules.entry_style is not EntryStyle.BOTH_AT_ONCE and leg.index == 1:
            working = sum((order.remaining for order in leg.working), D(0))
            hedged = abs(leg.net_base) + working + place.base_quantity
            assert hedged <= abs(self.view.legs[0].net_base)

    def _answer(self, order: OrderView) -> None:
        if self._random.random() * 10 >= self._hostility:
            return self._fill(order.id, order.base_quantity)
        match self._random.choice(["partial", "reject", "rest", "unknown"]):
            case "partial":
                self._fill(order.id, self._part(order))
                self._change(order.id, state=OrderState.EXPIRED, is_final_at_venue=True)
            case "reject":
                self._change(
                    order.id,
                    state=OrderState.REJECTED,
                    is_final_at_venue=True,
                    refusal=self._random.choice(REFUSALS),
                )
            case "unknown":
                self._change(order.id, state=OrderState.UNKNOWN)

    def _part(self, order: OrderView) -> Decimal:
        lots = Decimal(self._random.randint(0, 99)) / 100
        return floor_to_lot(order.remaining * lots, D("0.001"))

    def _cancel(self, order_id: UUID) -> None:
        order = self._order(order_id)
        if self._random.random() < 0.3:
            self._fill(order_id, self._part(order))
        self._change(
            order_id,
            state=OrderState.CANCELED,
            is_final_at_venue=True,
            cancel_requested_at=self.now,
        )

    def _let_time_pass(self) -> None:
        self.now += timedelta(seconds=1)
        for leg in self.view.legs:
            book = leg.book
            assert book is not None
            moved = Decimal(self._random.randint(-20, 20)) / 10
            fresh = replace(book, bid=book.bid + moved, ask=book.ask + moved, observed_at=self.now)
            self._replace_leg(replace(self.view.legs[leg.index], book=fresh))
        self._each_leg(is_reachable=None)
        for order in [order for leg in self.view.legs for order in leg.orders]:
            self._move(order)

    def _move(self, order: OrderView) -> None:
        if order.state is OrderState.UNKNOWN and self.now - order.created_at > RESOLVED_AFTER:
            if self._random.random() < 0.5:
                self._fill(order.id, order.base_quantity)
            else:
                self._change(order.id, state=OrderState.NOT_PLACED, is_final_at_venue=True)
        elif order.state in (OrderState.OPEN, OrderState.PARTIAL):
            if self._random.random() < 0.3:
                self._fill(order.id, self._part(order))
        elif self._may_fill_late(order) and self._random.random() < 0.05:
            self.late_fills -= 1
            self._fill(order.id, D("0.01"))

    def _may_fill_late(self, order: OrderView) -> bool:
        was_cancelled = order.state is OrderState.CANCELED
        return was_cancelled and self.late_fills > 0 and order.remaining > D("0.01")

    def _fill(self, order_id: UUID, base_quantity: Decimal) -> None:
        order = self._order(order_id)
        filled = order.filled + base_quantity
        changes: dict[str, object] = {"filled": filled}
        if filled == order.base_quantity:
            changes |= {"state": OrderState.FILLED, "is_final_at_venue": True}
        elif order.is_working and base_quantity:
            changes |= {"state": OrderState.PARTIAL}
        self._change(order_id, **changes)
        leg = self.view.legs[order.leg_index]
        sign = 1 if order.side is Side.BUY else -1
        self._replace_leg(replace(leg, net_base=leg.net_base + sign * base_quantity))
        self.view = replace(self.view, is_confirmed=False)

    def _order(self, order_id: UUID) -> OrderView:
        return next(o for leg in self.view.legs for o in leg.orders if o.id == order_id)

    def _change(self, order_id: UUID, **changes: object) -> None:
        changed = replace(self._order(order_id), **changes)  # type: ignore[arg-type]
        leg = self.view.legs[changed.leg_index]
        orders = tuple(changed if order.id == order_id else order for order in leg.orders)
        self._replace_leg(replace(leg, orders=orders))

    def _each_leg(self, **changes: object) -> None:
        for leg in self.view.legs:
            self._replace_leg(replace(self.view.legs[leg.index], **changes))  # type: ignore[arg-type]

    def _replace_leg(self, leg: LegView) -> None:
        legs = tuple(leg if each.index == leg.index else each for each in self.view.legs)
        self.view = replace(self.view, legs=legs)


def begin(style: EntryStyle, *, goal: Goal, is_killed: bool, held: str) -> PositionView:
    """Return a planned position, or one that holds `held` on each leg and is to be closed."""
    state = PositionState.PLANNED
    legs = make_leg(0, decision_mid=D(60000)), make_leg(1, decision_mid=D(60000))
    if D(held):
        state = PositionState.OPEN
        legs = replace(legs[0], net_base=D(held)), replace(legs[1], net_base=-D(held))
    view = make_view(state, *legs, goal=goal, is_killed=is_killed)
    rules = replace(
        view.rules,
        entry_style=style,
        maker_reprice_budget=10,
        max_entry_slippage=D("0.002"),
    )
    return replace(view, rules=rules)


@settings(max_examples=150, deadline=None)
@given(
    style=st.sampled_from(EntryStyle),
    goal=st.sampled_from(Goal),
    is_killed=st.booleans(),
    held=st.sampled_from(["0", "1", "0.002"]),
    seed=st.integers(min_value=0, max_value=2**32),
    hostility=st.integers(min_value=0, max_value=10),
)
def test_every_position_comes_to_rest_hedged_flat_or_held(
    style: EntryStyle, goal: Goal, is_killed: bool, held: str, seed: int, hostility: int
) -> None:
    view = begin(style, goal=goal, is_killed=is_killed, held=held)

    rested = AdversarialVenue(view, seed, hostility=hostility).come_to_rest()

    if rested.state is PositionState.OPEN:
        assert exposure([leg.exposure for leg in rested.legs]) is Exposure.HEDGED
    elif rested.state is not PositionState.HELD:
        assert exposure([leg.exposure for leg in rested.legs]) is Exposure.FLAT


def test_a_venue_that_refuses_everything_is_sent_few_orders() -> None:
    now: datetime = NOW
    view = make_view(
        PositionState.UNWINDING, make_leg(0, net_base=D(1)), make_leg(1, net_base=D(0))
    )
    venue = AdversarialVenue(view, seed=0, hostility=0)
    venue._answer = lambda order: venue._change(  # type: ignore[method-assign]
        order.id, state=OrderState.REJECTED, refusal=RefusalKind.OTHER, is_final_at_venue=True
    )

    assert venue.come_to_rest().state is PositionState.HELD
    # at 0, 1, 3 and 7 s: the pause doubles
    assert venue.placed == 4
    assert venue.now - now < timedelta(seconds=20)
