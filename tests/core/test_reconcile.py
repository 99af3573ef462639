from __future__ import annotations

from datetime import timedelta

import pytest

from exchanges.domain import OrderReport, VenueOrderStatus
from tests.account_reports import ETH, MINE, book, fill, own, report, reports
from tests.market import NOW, PERP, D
from trading.core.quantity import QuantityVerdict
from trading.core.reconcile import (
    BookFill,
    Findings,
    ObserveOrder,
    OwnOrder,
    VenueReports,
    reconcile,
)
from trading.core.states import OrderEvent, OrderState

pytestmark = pytest.mark.core


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


def test_findings_name_the_order_they_are_about() -> None:
    findings = reconcile(
        book(own(OrderState.SENDING)), reports(orders=[report(VenueOrderStatus.OPEN, "0")])
    )

    assert findings.orders == (
        ObserveOrder(client_order_id=MINE, event=OrderEvent.ACKNOWLEDGED, venue_order_id="v1"),
    )
