"""What the cut of a half-hedged entry cost."""

from __future__ import annotations

import pytest

from exchanges.domain import Side
from tests.market import D
from trading.core.failed_entry import cut_cost
from trading.core.pnl import LegFill

pytestmark = pytest.mark.core


def fill(side: Side, price: str, base_quantity: str, fee: str) -> LegFill:
    return LegFill(side=side, price=D(price), base_quantity=D(base_quantity), fee=D(fee))


def test_the_cut_of_a_long_leg_costs_its_price_loss_and_the_fees_of_both_ways() -> None:
    opened = [fill(Side.BUY, "60000", "1", "30")]
    cut = [fill(Side.SELL, "59900", "0.6", "17.97")]

    # 0.6 x (60000 - 59900) = 60, 0.6 of the opening fee = 18, closing fee 17.97
    assert cut_cost(opened, cut) == D("95.97")


def test_the_cut_of_a_short_leg_that_fell_may_bring_a_gain() -> None:
    opened = [fill(Side.SELL, "60000", "1", "0"), fill(Side.SELL, "60100", "1", "0")]
    cut = [fill(Side.BUY, "60000", "1", "10")]

    # sold at 60050 on average, bought back at 60000, less 10 of fees
    assert cut_cost(opened, cut) == D(-40)


def test_without_a_cut_there_is_no_cost() -> None:
    assert cut_cost([fill(Side.BUY, "60000", "1", "30")], []) == 0
