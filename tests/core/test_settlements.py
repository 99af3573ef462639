from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from exchanges.domain import SettlementKind
from trading.core.settlements import (
    Change,
    Holder,
    PaymentFault,
    accrued_over,
    held_at,
    held_over,
    holder_of,
    latest_instant,
    own_part,
    payment_fault,
    settlement_of,
)

pytestmark = pytest.mark.core

D = Decimal
EIGHT = datetime(2026, 1, 5, 8, tzinfo=UTC)
GUARD = timedelta(seconds=60)
SLACK = timedelta(seconds=15)
HOUR = timedelta(hours=1)


def change(quantity: str, **after_eight: float) -> Change:
    return Change(at=EIGHT + timedelta(**after_eight), base_quantity=D(quantity))


def test_a_settlement_counts_what_was_held_at_its_instant() -> None:
    changes = [change("0.5", hours=-2), change("-0.2", hours=-1), change("-0.3", hours=1)]

    assert held_at(changes, EIGHT) == D("0.3")
    held = held_over(changes, EIGHT, guard=GUARD)
    assert held.base_quantity == D("0.3") and held.is_certain


@pytest.mark.parametrize(
    ("changes", "quantity"),
    [
        ([change("0.5", seconds=30)], "0.5"),  # opened after it: may have counted
        ([change("0.5", hours=-2), change("-0.5", seconds=-30)], "0.5"),  # closed before it
        ([change("0.5", hours=-2), change("-0.2", seconds=10)], "0.5"),
    ],
)
def test_a_fill_within_the_guard_makes_a_settlement_uncertain(
    changes: list[Change], quantity: str
) -> None:
    held = held_over(changes, EIGHT, guard=GUARD)

    assert held.base_quantity == D(quantity) and not held.is_certain


def test_an_accruing_venue_pays_for_the_mean_that_was_held() -> None:
    # 0.4 for a quarter of the hour, 0.2 for the rest: 0.1 + 0.15
    changes = [change("0.4", hours=-3), change("-0.2", minutes=-45)]

    assert accrued_over(changes, EIGHT - HOUR, EIGHT).base_quantity == D("0.25")


@pytest.mark.parametrize(
    ("paid_after", "settlement"),
    [
        (timedelta(seconds=12), EIGHT),
        (timedelta(seconds=-10), EIGHT),  # a venue's clock
        (timedelta(minutes=29), EIGHT),
        (timedelta(minutes=31), None),
        (timedelta(minutes=-31), None),
    ],
)
def test_a_lump_payment_is_for_the_settlement_before_it(
    paid_after: timedelta, settlement: datetime | None
) -> None:
    found = settlement_of(
        EIGHT + paid_after,
        [EIGHT, EIGHT + 8 * HOUR],
        kind=SettlementKind.LUMP,
        slack=SLACK,
        interval_seconds=8 * 3600,
    )
    assert found == settlement


def test_an_accrued_payment_is_for_the_settlement_after_it() -> None:
    hours = [EIGHT - HOUR, EIGHT, EIGHT + HOUR]
    for paid_at in (EIGHT - HOUR / 2, EIGHT, EIGHT + SLACK):
        found = settlement_of(
            paid_at, hours, kind=SettlementKind.ACCRUED, slack=SLACK, interval_seconds=3600
        )
        assert found == EIGHT


def test_a_payment_waits_for_its_settlement_rather_than_take_the_one_before() -> None:
    # every four minutes, and the rate of 08:04 is not known yet
    found = settlement_of(
        EIGHT + timedelta(minutes=4),
        [EIGHT],
        kind=SettlementKind.LUMP,
        slack=SLACK,
        interval_seconds=240,
    )
    assert found is None


def test_a_payment_belongs_to_the_leg_that_held_then() -> None:
    first = [change("0.5", hours=-5), change("-0.5", hours=-1)]
    second = [change("0.2", seconds=40)]

    held = Holder(index=1, base_quantity=D("0.5"))
    assert holder_of(EIGHT - 2 * HOUR, [second, first], guard=GUARD) == held
    # Nobody held; 40 s are within.
    near = Holder(index=0, base_quantity=D("0.2"))
    assert holder_of(EIGHT, [second, first], guard=GUARD) == near
    assert holder_of(EIGHT - HOUR / 2, [second, first], guard=GUARD) is None


def test_what_accrued_is_of_who_held_until_then_and_of_nobody_who_began_later() -> None:
    first = [change("0.5", hours=-5), change("-0.5", hours=-1)]
    second = [change("0.2", seconds=40)]
    legs = [second, first]

    assert holder_of(EIGHT, legs, guard=GUARD, accrues=True) is None
    # Written two seconds after the fill that closed, which it paid for.
    late = EIGHT - HOUR + timedelta(seconds=2)
    closed = Holder(index=1, base_quantity=D("0.5"))
    assert holder_of(late, legs, guard=GUARD, accrues=True) == closed


@pytest.mark.parametrize(
    ("expected", "received", "fault"),
    [
        ("5.02", "5.12", None),  # within 2 %
        ("5.02", "5.13", PaymentFault.OFF),
        ("0.001", "0.010", None),  # within a cent
        ("5.02", "-5.02", PaymentFault.WRONG_SIGN),
    ],
)
def test_a_payment_that_differs_from_its_expectation_is_named(
    expected: str, received: str, fault: PaymentFault | None
) -> None:
    assert payment_fault(D(expected), D(received)) == fault


def test_an_estimate_proves_a_sign_but_no_amount() -> None:
    assert payment_fault(D(5), D(6), is_estimate=True) is None
    assert payment_fault(D(5), D(-6), is_estimate=True) is PaymentFault.WRONG_SIGN


@pytest.mark.parametrize(
    ("minutes", "instant"), [(0, 0), (59, 0), (60, 60), (61, 60), (200, 180), (-5, -60)]
)
def test_the_latest_settlement_is_counted_on_from_a_known_one(minutes: int, instant: int) -> None:
    known, now = EIGHT, EIGHT + timedelta(minutes=minutes)

    assert latest_instant(known, 3600, now) == known + timedelta(minutes=instant)


@pytest.mark.parametrize(
    ("own", "foreign", "part"),
    [
        ("0.1", "0.3", "0.5"),
        # 1 bought and 0.5 sold: the venue pays for 0.5, and what was sold has paid the rest.
        ("1", "-0.5", "4"),
        ("1", "0", "2"),
        ("0", "1", "2"),
        ("1", "-1", "2"),
    ],
)
def test_payment_is_split_by_what_is_ours(own: str, foreign: str, part: str) -> None:
    assert own_part(D(2), own=D(own), foreign=D(foreign)) == D(part)
