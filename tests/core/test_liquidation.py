from __future__ import annotations

import pytest

from exchanges.domain import Side
from tests.market import D
from trading.core.liquidation import (
    Danger,
    distance_danger,
    liquidation_distance,
    liquidation_price,
    margin_danger,
    margin_ratio,
)

pytestmark = pytest.mark.core


@pytest.mark.parametrize(("side", "price"), [(Side.BUY, "40201.01"), (Side.SELL, "59701.49")])
def test_liquidation_price_at_five_times_leverage(side: Side, price: str) -> None:
    estimated = liquidation_price(
        entry_price=D(50_000), leverage=D(5), maintenance=D("0.005"), side=side
    )

    assert estimated.quantize(D("0.01")) == D(price)


@pytest.mark.parametrize(
    ("liquidation", "danger"),
    [
        ("45000", Danger.NONE),
        ("45001", Danger.WARNING),
        ("47500", Danger.WARNING),
        ("52499", Danger.CRITICAL),
    ],
)
def test_danger_grows_as_the_mark_nears_liquidation(liquidation: str, danger: Danger) -> None:
    assert distance_danger(liquidation_distance(D(liquidation), D(50_000))) is danger


@pytest.mark.parametrize(
    ("equity", "margin", "danger"),
    [(300, 200, Danger.NONE), (299, 200, Danger.WARNING), (200, 200, Danger.CRITICAL)],
)
def test_margin_ratio_below_one_and_a_half_warns(equity: int, margin: int, danger: Danger) -> None:
    assert margin_danger(margin_ratio(D(equity), D(margin))) is danger


def test_unused_margin_is_no_danger() -> None:
    assert margin_danger(margin_ratio(D(100), D(0))) is Danger.NONE
