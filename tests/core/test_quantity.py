"""What of a difference is ours, the venue's, a person's, or only late."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exchanges.domain import FillCause, OrderReport, Side, VenueOrderStatus
from tests.account_reports import MINE, book, fill, own, report, reports
from tests.market import PERP, D
from trading.core.echo import Sent, contradiction
from trading.core.quantity import (
    QuantityVerdict,
    SpotHolding,
    derivative_verdict,
    spot_verdict,
)
from trading.core.reconcile import reconcile
from trading.core.states import OrderEvent, OrderState

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    ("ours", "ignored", "theirs", "expected"),
    [
        ("-1", "-0.5", "-1.5", QuantityVerdict.EQUAL),
        ("0", "-0.5", "-0.5", QuantityVerdict.EQUAL),
        ("-1", "-0.5", "-1", QuantityVerdict.EQUAL),
        ("-1", "-0.5", "-1.2", QuantityVerdict.FOREIGN),
        ("-1", "-0.5", "-0.4", QuantityVerdict.MISSING),
        ("-1", "0", "-1.5", QuantityVerdict.FOREIGN),
    ],
)
def test_an_ignored_quantity_is_expected_exactly_as_it_is(
    ours: str, ignored: str, theirs: str, expected: QuantityVerdict
) -> None:
    found = derivative_verdict(D(ours), D(theirs), ignored=D(ignored), may_still_fill=False)

    assert found is expected


@pytest.mark.parametrize(
    ("theirs", "expected"),
    [
        ("2", QuantityVerdict.EQUAL),
        ("1", QuantityVerdict.EQUAL),
        ("0.9995", QuantityVerdict.EQUAL),
        ("0.999", QuantityVerdict.MISSING),
        ("0", QuantityVerdict.MISSING),
    ],
)
def test_a_wallet_may_hold_more_than_ours_and_never_a_lot_less(
    theirs: str, expected: QuantityVerdict
) -> None:
    holding = SpotHolding(base_quantity=D(1), lot=D("0.001"))

    assert spot_verdict(holding, D(theirs), may_still_fill=False) is expected


@pytest.mark.parametrize(
    ("theirs", "expected"),
    [
        # Half a per cent more may be interest that is not booked yet.
        ("-1.0049", QuantityVerdict.EQUAL),
        ("-1.005", QuantityVerdict.MISSING),
        ("-0.9951", QuantityVerdict.EQUAL),
        ("-0.995", QuantityVerdict.LESS_OWED),
        ("0", QuantityVerdict.LESS_OWED),
        ("2", QuantityVerdict.LESS_OWED),
    ],
)
def test_a_wallet_that_owes_less_than_ours_is_asked_for_what_its_venue_bought_back(
    theirs: str, expected: QuantityVerdict
) -> None:
    holding = SpotHolding(base_quantity=D(-1), lot=D("0.001"))

    assert spot_verdict(holding, D(theirs), may_still_fill=False) is expected


def test_what_the_venue_closed_is_found_once_and_is_no_order_of_ours() -> None:
    closing = replace(
        fill("adl", client_id=None, venue_id="v9"), side=Side.SELL, cause=FillCause.ADL
    )

    before = reconcile(book(own(OrderState.FILLED, filled="3")), reports(fills=[closing, closing]))
    after = reconcile(book(booked=frozenset({(PERP, "adl")})), reports(fills=[closing]))

    assert before.venue_fills == (closing,)
    assert before.fills == after.fills == after.venue_fills == ()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"symbol": "ETH/USDT:USDT"}, "it trades ETH/USDT:USDT"),
        ({"side": Side.SELL}, "it is to sell, ours to buy"),
        ({"base_quantity": D(2)}, "it is for 2, ours for 3"),
        ({"filled_base_quantity": D(4)}, "it filled 4, ours asked for 3"),
    ],
)
def test_another_order_under_our_id_is_told_apart(changes: dict[str, object], words: str) -> None:
    sent = Sent(symbol=PERP, side=Side.BUY, base_quantity=D(3))
    shown: OrderReport = replace(
        report(VenueOrderStatus.OPEN, "0"),
        **changes,  # type: ignore[arg-type]
    )

    assert words in contradiction(sent, shown)
    assert contradiction(sent, report(VenueOrderStatus.OPEN, "0")) == ""


def test_nothing_of_another_order_is_taken_over() -> None:
    wrong = replace(report(VenueOrderStatus.FILLED, "9"), side=Side.SELL)

    findings = reconcile(book(own(OrderState.UNKNOWN)), reports(orders=[wrong]))

    assert [found.client_order_id for found in findings.wrong_orders] == [MINE]
    assert findings.orders[:1] == () or findings.orders[0].venue_order_id is None


@pytest.mark.parametrize(
    ("status", "filled", "event"),
    [
        (VenueOrderStatus.OPEN, "0", OrderEvent.ACKNOWLEDGED),
        (VenueOrderStatus.PARTIAL, "1", OrderEvent.PARTLY_FILLED),
        (VenueOrderStatus.FILLED, "2", OrderEvent.CANCELED),
    ],
)
def test_a_closing_order_that_its_venue_cut_to_what_was_left_is_ours(
    status: VenueOrderStatus, filled: str, event: OrderEvent
) -> None:
    """OKX lowers the size of a reduce-only order: `amendSource` 4 of its orders channel."""
    ours = replace(own(OrderState.UNKNOWN, filled=filled), reduces=True)
    cut = replace(report(status, filled), base_quantity=D(2))

    findings = reconcile(book(ours), reports(orders=[cut]))

    assert findings.wrong_orders == ()
    assert [found.event for found in findings.orders] == [event]


def test_an_opening_order_of_another_size_is_not_ours_and_nothing_grows() -> None:
    ours = own(OrderState.UNKNOWN)
    cut = replace(report(VenueOrderStatus.OPEN, "0"), base_quantity=D(2))
    grown = replace(cut, base_quantity=D(4))

    assert reconcile(book(ours), reports(orders=[cut])).wrong_orders
    assert reconcile(book(replace(ours, reduces=True)), reports(orders=[grown])).wrong_orders


def test_a_tenth_of_what_was_sent_is_another_contract_size_and_no_cut() -> None:
    """A contract was resized and one client does not know it yet: nothing is concluded of it."""
    ours = replace(own(OrderState.UNKNOWN), reduces=True)
    tenth = replace(report(VenueOrderStatus.OPEN, "0"), base_quantity=ours.base_quantity / 10)

    assert reconcile(book(ours), reports(orders=[tenth])).wrong_orders
