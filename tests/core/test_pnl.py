from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.domain import Side
from tests.market import D
from tests.strategies import decimals, prices, quantities, quick, sides
from trading.core.pnl import (
    EXACT,
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


fills = st.builds(
    LegFill, side=sides, price=prices, base_quantity=quantities, fee=decimals("-1", "5", places=6)
)
ledgers = st.builds(
    LegLedger,
    side=sides,
    fills=st.lists(fills, max_size=4),
    entry_mid=prices,
    exit_mid=prices,
    mark_price=prices,
    funding=st.lists(decimals("-9", "9"), max_size=3),
    borrow=decimals("0", "9"),
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
            cash += sum(one.funding, Decimal(0)) - one.borrow
        assert parts.total == cash
        assert parts.price_pnl == parts.basis_pnl + parts.slippage_pnl + parts.residual_pnl
