from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.domain import (
    ClientOrderId,
    Fill,
    OrderReport,
    Side,
    Symbol,
    VenueOrderStatus,
)
from tests.market import NOW, PERP, D
from tests.strategies import quick
from trading.core.reconcile import (
    BookFill,
    Findings,
    ObserveOrder,
    OwnBook,
    OwnOrder,
    QuantityVerdict,
    VenueReports,
    reconcile,
)
from trading.core.states import OrderEvent, OrderState, next_order_state

pytestmark = pytest.mark.core

MINE = ClientOrderId("carry-1")
ETH = Symbol("ETH/USDT:USDT")


def own(
    state: OrderState = OrderState.OPEN,
    *,
    client_id: str = MINE,
    quantity: str = "3",
    filled: str = "0",
    symbol: Symbol = PERP,
    lifetime: timedelta = timedelta(0),
    venue_id: str | None = None,
) -> OwnOrder:
    return OwnOrder(
        client_order_id=ClientOrderId(client_id),
        symbol=symbol,
        side=Side.BUY,
        base_quantity=D(quantity),
        filled=D(filled),
        state=state,
        lifetime_ends_at=NOW + lifetime,
        venue_order_id=venue_id,
    )


def fill(
    trade: str = "t1",
    quantity: str = "1",
    *,
    client_id: str | None = MINE,
    venue_id: str = "v1",
    symbol: Symbol = PERP,
) -> Fill:
    return Fill(
        venue="bybit",
        symbol=symbol,
        venue_trade_id=trade,
        venue_order_id=venue_id,
        client_order_id=None if client_id is None else ClientOrderId(client_id),
        side=Side.BUY,
        price=D(100),
        base_quantity=D(quantity),
        fee=D(0),
        fee_asset="USDT",
        is_maker=False,
        filled_at=NOW,
    )


def report(
    status: VenueOrderStatus,
    filled: str | None = None,
    *,
    client_id: str | None = MINE,
    venue_id: str = "v1",
    symbol: Symbol = PERP,
) -> OrderReport:
    return OrderReport(
        client_order_id=None if client_id is None else ClientOrderId(client_id),
        venue_order_id=venue_id,
        symbol=symbol,
        status=status,
        observed_at=NOW,
        filled_base_quantity=None if filled is None else D(filled),
    )


def book(
    *orders: OwnOrder, quantity: str = "0", booked: frozenset[tuple[Symbol, str]] = frozenset()
) -> OwnBook:
    return OwnBook(orders=orders, booked_trades=booked, quantities={PERP: D(quantity)})


def reports(
    *,
    fills: Sequence[Fill] = (),
    orders: Sequence[OrderReport] = (),
    position: str | None = None,
    not_found: frozenset[ClientOrderId] = frozenset(),
) -> VenueReports:
    return VenueReports(
        read_at=NOW,
        fills=fills,
        orders=orders,
        quantities=None if position is None else {PERP: D(position)},
        not_found=not_found,
    )


def events(findings: Findings) -> list[OrderEvent]:
    return [observed.event for observed in findings.orders]


def verdict(findings: Findings) -> QuantityVerdict:
    (finding,) = findings.quantities
    return finding.verdict


def test_equal_books_need_nothing() -> None:
    findings = reconcile(book(own(), quantity="2"), reports(position="2"))

    assert findings.writes_nothing and not findings.unexplained
    assert verdict(findings) is QuantityVerdict.EQUAL


def test_unbooked_fill_of_ours_is_booked_and_explains_the_position() -> None:
    findings = reconcile(book(own()), reports(fills=[fill()], position="1"))

    assert findings.fills == (BookFill(client_order_id=MINE, fill=fill()),)
    assert events(findings) == [OrderEvent.PARTLY_FILLED]
    assert verdict(findings) is QuantityVerdict.EQUAL


def test_booked_fill_is_not_booked_again() -> None:
    before = book(own(OrderState.PARTIAL, filled="1"), booked=frozenset({(PERP, "t1")}))

    assert reconcile(before, reports(fills=[fill(), fill()])).writes_nothing


def test_fill_without_our_id_is_found_through_the_venue_id() -> None:
    anonymous = fill(client_id=None)

    known = reconcile(book(own(venue_id="v1")), reports(fills=[anonymous]))
    told = reconcile(
        book(own()),
        reports(fills=[anonymous], orders=[report(VenueOrderStatus.PARTIAL, "1")]),
    )

    assert len(known.fills) == len(told.fills) == 1
    assert told.orders[0].venue_order_id == "v1"


def test_fill_of_someone_else_is_never_booked() -> None:
    foreign = [fill(client_id="manual"), fill("t2", client_id=None, venue_id="v9")]
    other_symbol = fill("t3", symbol=ETH)

    findings = reconcile(book(own()), reports(fills=[*foreign, other_symbol]))

    assert findings.writes_nothing


def test_fills_that_complete_an_order_make_it_filled_without_a_report() -> None:
    findings = reconcile(book(own()), reports(fills=[fill("a", "1"), fill("b", "2")]))

    assert events(findings) == [OrderEvent.FILLED]


@pytest.mark.parametrize(
    ("status", "filled", "event"),
    [
        (VenueOrderStatus.OPEN, "0", OrderEvent.ACKNOWLEDGED),
        (VenueOrderStatus.OPEN, "1", OrderEvent.PARTLY_FILLED),
        (VenueOrderStatus.FILLED, None, OrderEvent.FILLED),
        (VenueOrderStatus.CANCELED, "1", OrderEvent.CANCELED),
        (VenueOrderStatus.EXPIRED, "0", OrderEvent.EXPIRED),
        (VenueOrderStatus.REJECTED, "0", OrderEvent.REJECTED),
    ],
)
def test_unknown_order_takes_the_state_that_the_venue_shows(
    status: VenueOrderStatus, filled: str | None, event: OrderEvent
) -> None:
    findings = reconcile(book(own(OrderState.UNKNOWN)), reports(orders=[report(status, filled)]))

    assert events(findings) == [event]


def test_late_fill_raises_a_canceled_order_only_to_filled() -> None:
    canceled = own(OrderState.CANCELED, filled="1")

    some = reconcile(book(canceled), reports(fills=[fill("late", "1")]))
    rest = reconcile(book(canceled), reports(fills=[fill("late", "2")]))

    assert len(some.fills) == 1 and events(some) == []
    assert events(rest) == [OrderEvent.FILLED]


def test_absence_is_proven_only_after_the_lifetime_bound() -> None:
    gone = frozenset({MINE})
    sending = own(OrderState.SENDING)
    young = own(OrderState.UNKNOWN, lifetime=timedelta(seconds=1))

    assert events(reconcile(book(sending), reports(not_found=gone))) == [
        OrderEvent.OUTCOME_UNKNOWN,
        OrderEvent.PROVEN_ABSENT,
    ]
    assert events(reconcile(book(sending), reports())) == [OrderEvent.OUTCOME_UNKNOWN]
    assert events(reconcile(book(young), reports(not_found=gone))) == []
    # An open order that is not found now is not gone: only its own end says so.
    assert events(reconcile(book(own()), reports(not_found=gone))) == []


def test_evidence_outweighs_a_look_up_that_found_nothing() -> None:
    findings = reconcile(
        book(own(OrderState.UNKNOWN)), reports(fills=[fill()], not_found=frozenset({MINE}))
    )

    assert events(findings) == [OrderEvent.PARTLY_FILLED]


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ("2", "1", QuantityVerdict.MISSING),
        ("2", "0", QuantityVerdict.MISSING),
        ("2", "3", QuantityVerdict.FOREIGN),
        ("0", "1", QuantityVerdict.FOREIGN),
        ("2", "-1", QuantityVerdict.FOREIGN),
    ],
)
def test_quantity_that_nothing_explains_halts(
    ours: str, theirs: str, expected: QuantityVerdict
) -> None:
    final = own(OrderState.CANCELED)

    findings = reconcile(book(final, quantity=ours), reports(position=theirs))

    assert verdict(findings) is expected
    assert findings.unexplained == findings.quantities


@pytest.mark.parametrize(
    ("order", "shown"),
    [
        (own(OrderState.UNKNOWN, lifetime=timedelta(seconds=9)), []),
        (own(OrderState.OPEN), []),
        # The report says 1 filled, its fill was not read yet.
        (own(OrderState.OPEN), [report(VenueOrderStatus.CANCELED, "1")]),
        (own(OrderState.OPEN), [report(VenueOrderStatus.FILLED)]),
    ],
)
def test_what_an_unfinished_order_may_explain_is_read_again(
    order: OwnOrder, shown: list[OrderReport]
) -> None:
    findings = reconcile(book(order), reports(orders=shown, position="1"))

    assert verdict(findings) is QuantityVerdict.UNSETTLED
    assert not findings.unexplained


def test_failed_read_of_positions_is_not_flat() -> None:
    assert reconcile(book(quantity="2"), reports()).quantities == ()


def test_position_the_venue_no_longer_lists_is_missing() -> None:
    read = VenueReports(read_at=NOW, quantities={ETH: D(1)})

    findings = reconcile(book(quantity="2"), read)

    assert {f.symbol: f.verdict for f in findings.unexplained} == {
        PERP: QuantityVerdict.MISSING,
        ETH: QuantityVerdict.FOREIGN,
    }


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
    assert verdict(again) is QuantityVerdict.EQUAL


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


def test_findings_name_the_order_they_are_about() -> None:
    findings = reconcile(
        book(own(OrderState.SENDING)), reports(orders=[report(VenueOrderStatus.OPEN, "0")])
    )

    assert findings.orders == (
        ObserveOrder(client_order_id=MINE, event=OrderEvent.ACKNOWLEDGED, venue_order_id="v1"),
    )
