from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.domain import Side
from tests.generated import decimals, prices, quantities, quick, sides
from tests.market import D
from trading.core.pnl import (
    EXACT,
    Interest,
    LegFill,
    LegLedger,
    PnlParts,
    position_pnl,
)

pytestmark = pytest.mark.core


def fill(side: Side, price: str, quantity: str, fee: str = "0") -> LegFill:
    return LegFill(side=side, price=D(price), base_quantity=D(quantity), fee=D(fee))


def leg(
    side: Side,
    entry: str,
    leave: str,
    fills: Sequence[LegFill],
    *,
    funding: Sequence[str] = (),
    usd: str = "1",
) -> LegLedger:
    return LegLedger(
        side=side,
        fills=fills,
        entry_mid=D(entry),
        exit_mid=D(leave),
        mark_price=D(leave),
        funding=[D(paid) for paid in funding],
        usd_per_settle=D(usd),
    )


def held(side: Side, entry: str, leave: str, quantity: str, **more: Sequence[str]) -> LegLedger:
    fills = [fill(side, entry, quantity), fill(side.opposite, leave, quantity)]
    return leg(side, entry, leave, fills, **more)  # type: ignore[arg-type]


def test_convergence_earns_the_gap() -> None:
    spot = held(Side.BUY, "0.3640", "0.3650", "10000")
    perp = held(Side.SELL, "0.3665", "0.3651", "10000")

    parts = position_pnl([spot, perp])

    # spot +10.00, perp +14.00
    assert parts.basis_pnl == parts.total == D("24.00")


def test_funding_hold_earns_gap_and_payments() -> None:
    spot = held(Side.BUY, "50000", "51000", "1")
    perp = held(Side.SELL, "50200", "51051", "1", funding=["5.02", "5.02", "5.02"])

    parts = position_pnl([spot, perp])

    # spot +1,000, perp -851; 50,200 x 0.0001 x 3
    assert parts.price_pnl == 149
    assert parts.funding == D("15.06")
    assert parts.total == D("164.06")


def test_fills_worse_than_the_decision_mid_are_slippage() -> None:
    long = leg(Side.BUY, "100", "100", [fill(Side.BUY, "100.1", "2", fee="0.1")])
    short = leg(
        Side.SELL,
        "101",
        "100",
        [fill(Side.SELL, "100.9", "2", fee="0.1"), fill(Side.BUY, "100.2", "2", fee="-0.02")],
    )

    parts = position_pnl([long, short])

    assert parts.basis_pnl == 2  # (1 - 0) x 2
    assert parts.slippage_pnl == D("-0.8")  # 0.1, 0.1 and 0.2 on 2 each
    assert parts.fees == D("0.18")
    assert parts.residual_pnl == 0
    assert parts.total == D("1.02")


def test_unequal_legs_leave_a_residual() -> None:
    long = leg(Side.BUY, "100", "110", [fill(Side.BUY, "100", "3")])
    short = leg(Side.SELL, "100", "110", [fill(Side.SELL, "100", "2")])

    parts = position_pnl([long, short])

    assert (parts.basis_pnl, parts.residual_pnl) == (0, 10)


def test_legs_in_different_stablecoins_add_up_in_usd_at_explicit_rates() -> None:
    long = leg(Side.BUY, "100", "110", [fill(Side.BUY, "100", "1")], funding=["1"], usd="0.99")
    short = leg(Side.SELL, "100", "110", [fill(Side.SELL, "100", "1")])

    parts = position_pnl([long, short])

    assert parts.basis_pnl == D("-0.10")
    assert parts.funding == D("0.99")


def test_round_trip_at_equal_prices_without_fees_is_nothing() -> None:
    assert position_pnl(
        [held(Side.BUY, "100", "100", "1"), held(Side.SELL, "100", "100", "1")]
    ) == (PnlParts())
    assert position_pnl([]).total == 0


def test_a_fee_and_interest_paid_in_the_coin_cost_what_they_were_worth() -> None:
    # 1 bought at 100, 0.001 of it is the fee; 0.999 is sold at 110: -100 + 109.89.
    bought = LegFill(
        side=Side.BUY, price=D(100), base_quantity=D(1), fee=D("0.1"), base_fee=D("0.001")
    )
    sold = LegFill(side=Side.SELL, price=D(110), base_quantity=D("0.999"), fee=D(0))
    # 1 sold short at 110; 0.002 interest is owed on it at 105; 1.002 is bought back at 100.
    short = LegFill(side=Side.SELL, price=D(110), base_quantity=D(1), fee=D(0))
    repaid = LegFill(side=Side.BUY, price=D(100), base_quantity=D("1.002"), fee=D(0))
    interest = Interest(value=D("0.21"), base_quantity=D("0.002"))

    long = position_pnl([leg(Side.BUY, "100", "110", [bought, sold])])
    debt = leg(Side.SELL, "110", "100", [short, repaid])
    owed = position_pnl([replace(debt, interest=[interest])])

    assert (long.fees, long.total) == (D("0.1"), D("9.89"))
    assert (owed.borrow, owed.total) == (D("0.21"), D("9.8"))


def test_three_legs_share_the_gap_by_their_ratios() -> None:
    # 2 spot at 100 against 1 perpetual at 102 and 1 future at 103; all leave at 110.
    spot = held(Side.BUY, "100", "110", "2")
    perp = replace(held(Side.SELL, "102", "110", "1"), ratio=D("0.5"))
    future = replace(held(Side.SELL, "103", "110", "1"), ratio=D("0.5"))

    parts = position_pnl([spot, perp, future])

    assert parts.basis_pnl == parts.total == D(20) - D(8) - D(7)


fills = st.builds(
    LegFill,
    side=sides,
    price=prices,
    base_quantity=quantities,
    fee=decimals("-1", "5", places=6),
    base_fee=decimals("0", "0.1"),
)
charges = st.builds(Interest, value=decimals("0", "9"), base_quantity=decimals("0", "0.1"))
ledgers = st.builds(
    LegLedger,
    side=sides,
    fills=st.lists(fills, max_size=4),
    entry_mid=prices,
    exit_mid=prices,
    mark_price=prices,
    funding=st.lists(decimals("-9", "9"), max_size=3),
    interest=st.lists(charges, max_size=2),
)


@quick
@given(st.lists(ledgers, max_size=3))
def test_parts_add_up_to_the_cash_that_moved(legs: list[LegLedger]) -> None:
    parts = position_pnl(legs)

    with localcontext(EXACT):
        cash = Decimal(0)
        for one in legs:
            for done in one.fills:
                signed = done.side.sign * done.base_quantity
                cash += signed * (one.mark_price - done.price) - done.fee
                cash += done.base_fee * (done.price - one.mark_price)
            for charge in one.interest:
                owed = charge.base_quantity
                cash -= owed * one.mark_price if owed else charge.value
            cash += sum(one.funding, Decimal(0))
        assert parts.total == cash
        assert parts.price_pnl == parts.basis_pnl + parts.slippage_pnl + parts.residual_pnl
