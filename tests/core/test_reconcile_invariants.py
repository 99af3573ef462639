"""The invariants at the head of `trading.core.reconcile`, over invented days at a venue."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.domain import Fill, OrderReport, VenueOrderStatus
from tests.account_reports import book, fill, own, report, reports
from tests.generated import quick
from trading.core.quantity import QuantityVerdict
from trading.core.reconcile import (
    Findings,
    OwnBook,
    OwnOrder,
    VenueReports,
    reconcile,
)
from trading.core.states import OrderState, next_order_state

pytestmark = pytest.mark.core


def applied(before: OwnBook, findings: Findings) -> OwnBook:
    """Write the findings into the book as the services do."""
    orders = {order.client_order_id: order for order in before.orders}
    quantities = dict(before.quantities)
    for found in findings.fills:
        order = orders[found.client_order_id]
        orders[order.client_order_id] = replace(
            order, filled=order.filled + found.fill.base_quantity
        )
        signed = found.fill.side.sign * found.fill.base_quantity
        quantities[found.fill.symbol] = quantities.get(found.fill.symbol, Decimal(0)) + signed
    for observed in findings.orders:
        order = orders[observed.client_order_id]
        orders[order.client_order_id] = replace(
            order,
            state=next_order_state(order.state, observed.event),
            venue_order_id=observed.venue_order_id,
        )
    booked = {(found.fill.symbol, found.fill.venue_trade_id) for found in findings.fills}
    return OwnBook(
        orders=tuple(orders.values()),
        booked_trades=before.booked_trades | booked,
        quantities=quantities,
    )


@dataclass(frozen=True)
class Story:
    """What truly happened at a venue, and our book from before any of it was read."""

    before: OwnBook
    truth: VenueReports


@st.composite
def stories(draw: st.DrawFn) -> Story:
    orders: list[OwnOrder] = []
    fills: list[Fill] = []
    shown: list[OrderReport] = []
    for number in range(draw(st.integers(1, 3))):
        client_id, venue_id = f"carry-{number}", f"v{number}"
        state = draw(st.sampled_from([OrderState.SENDING, OrderState.UNKNOWN, OrderState.OPEN]))
        orders.append(own(state, client_id=client_id))
        sizes = draw(st.sampled_from([(), ("1",), ("1", "1"), ("1", "1", "1")]))
        for index, size in enumerate(sizes):
            anonymous = draw(st.booleans())
            fills.append(
                fill(
                    f"t{number}-{index}",
                    size,
                    client_id=None if anonymous else client_id,
                    venue_id=venue_id,
                )
            )
        final = draw(st.sampled_from([VenueOrderStatus.OPEN, VenueOrderStatus.CANCELED]))
        status = VenueOrderStatus.FILLED if len(sizes) == 3 else final
        shown.append(report(VenueOrderStatus.OPEN, "0", client_id=client_id, venue_id=venue_id))
        shown.append(report(status, str(len(sizes)), client_id=client_id, venue_id=venue_id))
    total = sum((one.base_quantity for one in fills), Decimal(0))
    return Story(
        before=book(*orders),
        truth=reports(fills=fills, orders=shown, position=str(total)),
    )


@quick
@given(stories(), st.randoms(use_true_random=False))
def test_shuffled_and_repeated_reports_give_the_same_findings(story: Story, random: Random) -> None:
    fills = [*story.truth.fills, *story.truth.fills[:2]]
    orders = [*story.truth.orders, *story.truth.orders[1:]]
    random.shuffle(fills)
    random.shuffle(orders)

    shuffled = replace(story.truth, fills=fills, orders=orders)

    assert reconcile(story.before, shuffled) == reconcile(story.before, story.truth)


@quick
@given(stories())
def test_reconciling_twice_writes_nothing_the_second_time(story: Story) -> None:
    after = applied(story.before, reconcile(story.before, story.truth))

    again = reconcile(after, story.truth)

    assert again.writes_nothing
    assert [q.verdict for q in again.quantities] == [QuantityVerdict.EQUAL]


@quick
@given(stories(), st.data())
def test_dropped_reports_delay_the_truth_and_never_bend_it(
    story: Story, data: st.DataObject
) -> None:
    kept_fills = [one for one in story.truth.fills if data.draw(st.booleans())]
    kept_orders = [one for one in story.truth.orders if data.draw(st.booleans())]
    partial = replace(story.truth, fills=kept_fills, orders=kept_orders)

    first = reconcile(story.before, partial)
    halfway = applied(story.before, first)
    end = applied(halfway, reconcile(halfway, story.truth))
    straight = applied(story.before, reconcile(story.before, story.truth))

    assert not first.unexplained
    assert (end.quantities, end.booked_trades) == (straight.quantities, straight.booked_trades)
    assert {(o.client_order_id, o.state, o.filled) for o in end.orders} == {
        (o.client_order_id, o.state, o.filled) for o in straight.orders
    }
