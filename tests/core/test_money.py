from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given

from exchanges.domain import Side
from tests.generated import lots, quantities, quick
from tests.market import D
from trading.core.money import (
    ceil_to_lot,
    common_lot,
    floor_to_lot,
    for_display,
    price_against_us,
    price_passive,
)

pytestmark = pytest.mark.core


def test_quantity_is_cut_towards_zero_on_both_sides() -> None:
    assert floor_to_lot(D("1.2349"), D("0.001")) == D("1.234")
    assert floor_to_lot(D("-1.2349"), D("0.001")) == D("-1.234")
    assert ceil_to_lot(D("1.2341"), D("0.001")) == D("1.235")
    assert ceil_to_lot(D("1.234"), D("0.001")) == D("1.234")


def test_common_lot_of_lots_that_do_not_divide_each_other_is_their_lcm() -> None:
    assert common_lot(D("0.001"), D("0.01")) == D("0.01")
    assert common_lot(D("0.004"), D("0.006")) == D("0.012")
    assert common_lot(D(10), D("0.3")) == D(30)


def test_lot_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="positive number, not 0"):
        common_lot(D(0), D(1))


def test_marketable_price_is_the_worse_tick_and_resting_price_the_better() -> None:
    assert price_against_us(D("100.03"), D("0.1"), Side.BUY) == D("100.1")
    assert price_against_us(D("100.03"), D("0.1"), Side.SELL) == D("100.0")
    assert price_passive(D("100.03"), D("0.1"), Side.BUY) == D("100.0")
    assert price_passive(D("100.03"), D("0.1"), Side.SELL) == D("100.1")
    assert price_against_us(D("100.1"), D("0.1"), Side.BUY) == D("100.1")


def test_display_rounds_half_to_even() -> None:
    assert for_display(D("0.125"), 2) == D("0.12")
    assert for_display(D("0.135"), 2) == D("0.14")


@quick
@given(quantities, lots, lots)
def test_whole_common_lots_are_whole_lots_of_both(
    quantity: Decimal, first: Decimal, second: Decimal
) -> None:
    cut = floor_to_lot(quantity, common_lot(first, second))

    assert cut % first == cut % second == 0
    assert 0 <= quantity - cut < common_lot(first, second)
