from __future__ import annotations

from datetime import timedelta

import pytest

from exchanges.domain import Side
from tests.market import D
from tests.strategies.legs import (
    configured,
    counted,
    evaluated,
    gate,
    make_held,
    make_perp,
    make_spot,
    reason,
    refused,
)
from trading.strategies.base import Candidate, ExitReason, OpenReason

pytestmark = pytest.mark.core

KEY = "reverse_cash_and_carry"
TEN_A_YEAR = "0.00001"


def reversed_carry(
    *, perp: str = "50000", rate: str = "-0.0001", carry: str = "-0.0001", borrow: str = "0"
) -> Candidate:
    return counted(KEY, (make_perp(mid=perp, rate=rate, carry_8h=carry), make_spot(borrow=borrow)))


def test_spot_is_sold_and_the_perpetual_bought_and_counted_as_worked_by_hand() -> None:
    one = reversed_carry(perp="49400", borrow=TEN_A_YEAR)

    assert [leg.side for leg in one.legs] == [Side.BUY, Side.SELL]
    # (50,000 - 49,400) / 50,000: minus the basis; the entry gap is of the long leg, the perpetual
    assert one.opening_gap == D("0.012")
    assert one.entry_gap == D(600) / D(49_400)
    # shorts pay: 21 settlements at half of 0.0001 are received by the long leg, 168 h are borrowed
    assert one.expected_funding == D("0.00105")
    assert one.costs.over(timedelta(days=7)) == D("0.003") + D("0.00168")
    assert one.net_return == one.entry_gap / 2 + D("0.00105") - D("0.00468")
    # received 0.0001 per 8 h, paid 8 x 0.00001
    assert one.spread_8h == D("0.00002")


def test_what_cannot_be_borrowed_cannot_be_sold() -> None:
    assert refused(evaluated(KEY, (make_perp(mid="49400"), make_spot()))) == (
        "not_borrowable: BTC cannot be borrowed at binance."
    )


def test_interest_is_paid_by_the_hour_begun() -> None:
    costs = reversed_carry(borrow="0.00001").costs

    minute = timedelta(minutes=1)
    assert costs.over(60 * minute) - costs.fixed == D("0.00001")
    assert costs.over(61 * minute) - costs.fixed == D("0.00002")


@pytest.mark.parametrize(
    ("perp", "rate", "borrow", "opens", "why"),
    [
        ("49500", "0", "0", True, OpenReason.BASIS),
        ("49500.1", "0", "0", False, OpenReason.FUNDING),
        ("50000", "-0.00011", "0", True, OpenReason.FUNDING),
        ("50000", "0.00011", "0", False, OpenReason.FUNDING),
        # 0.00011 is what is left of 0.00019 after 8 h of interest
        ("50000", "-0.00019", TEN_A_YEAR, True, OpenReason.FUNDING),
        ("50000", "-0.00018", TEN_A_YEAR, False, OpenReason.FUNDING),
    ],
)
def test_it_opens_on_minus_one_percent_of_basis_or_on_funding_net_of_interest(
    perp: str, rate: str, borrow: str, opens: bool, why: OpenReason
) -> None:
    one = reversed_carry(perp=perp, rate=rate, borrow=borrow)

    assert one.open_reason is why
    assert (gate(one, configured(entry_policy="spread_only")) is None) is opens


@pytest.mark.parametrize(
    ("spot", "perp", "closes"),
    [
        ("50000", "49900", False),
        ("50000", "50049.9", False),
        ("50000", "50050", True),
        ("50000", "50100", True),
    ],
)
def test_it_closes_when_the_basis_is_back_at_a_tenth_of_a_percent(
    spot: str, perp: str, closes: bool
) -> None:
    held = make_held(side=Side.BUY, entered=("49400", "50000"), now_at=(perp, spot))

    assert (reason(KEY, held) is ExitReason.GAP_CLOSED) is closes


def test_interest_counts_among_the_costs_of_staying() -> None:
    # 21 x 0.00005 received over a week; 168 x 0.00002 paid is more by 0.00231, leaving costs 0.001
    def held(borrow: str) -> ExitReason | None:
        return reason(
            KEY,
            make_held(
                reason=OpenReason.FUNDING,
                side=Side.BUY,
                rate="-0.0001",
                carry="-0.0001",
                borrow=borrow,
            ),
            configured(negative_spread_tolerance="cost_aware"),
        )

    assert held("0") is None
    assert held("0.00001") is None
    assert held("0.00002") is ExitReason.COST_OF_STAYING
