from __future__ import annotations

from datetime import timedelta

import pytest

from tests.market import D, make_levels
from trading.core.capacity import LegBook, best_point, capacity_curve
from trading.core.execution_risk import LegRisk, execution_risk

pytestmark = pytest.mark.core


def book(*asks: tuple[str, str], ratio: str = "1") -> LegBook:
    """Return a book that is as deep on both sides."""
    bids = [(str(200 - D(price)), quantity) for price, quantity in asks]
    return LegBook(
        entry=make_levels(*asks),
        exit=make_levels(*bids),
        mid=D(100),
        touch_slippage=D("0.0001"),
        ratio=D(ratio),
    )


def test_curve_grows_while_the_book_is_deep_and_turns_where_it_is_thin() -> None:
    # 10 units at 0.1 %, 10 more at 1 %: 1,000 USD slip 0.1 %, 2,000 USD 0.55 %.
    books = [book(("100.1", "10"), ("101", "10"))]

    curve = capacity_curve(books, net_before_slippage=D("0.01"), most_usd=D(2_000))

    by_size = {point.size_usd: point for point in curve}
    assert by_size[D(1_000)].net_return == D("0.01") - 2 * D("0.001")
    assert by_size[D(1_000)].profit_usd == D(8)
    # 0.01 - 2 x 0.0055 is a loss.
    assert by_size[D(2_000)].profit_usd == -2
    best = best_point(curve)
    assert best is not None
    assert best.size_usd == D(1_000)


def test_curve_ends_where_a_book_ends_and_a_half_leg_reaches_twice_as_far() -> None:
    whole = capacity_curve(
        [book(("100.1", "10"))], net_before_slippage=D("0.01"), most_usd=D(2_000)
    )
    half = capacity_curve(
        [book(("100.1", "10"), ratio="0.5")], net_before_slippage=D("0.01"), most_usd=D(2_000)
    )

    assert whole[-1].size_usd == D(1_000)
    assert half[-1].size_usd == D(2_000)
    # Its slippage is of half the notional.
    assert half[-1].net_return == D("0.01") - D("0.001")


def test_the_exit_walks_the_other_side_of_the_book() -> None:
    # In at 0.1 % whatever the size, out at 0.2 % for the first 5 units and at 2 % for the next.
    deep = make_levels(("100.1", "20"))
    thin = make_levels(("99.8", "5"), ("98", "5"))
    there, back = (
        LegBook(entry=one, exit=other, mid=D(100), touch_slippage=D("0.0001"))
        for one, other in ((deep, thin), (thin, deep))
    )

    assert there.slippage(D(500)) == D("0.003")
    assert there.slippage(D(1_000)) == D("0.001") + D("0.011")
    assert there.slippage(D(1_001)) is None
    assert back.slippage(D(1_000)) == there.slippage(D(1_000))
    (*_, last) = capacity_curve([there], net_before_slippage=D("0.02"), most_usd=D(2_000))
    assert (last.size_usd, last.net_return) == (D(1_000), D("0.008"))


def test_nothing_is_best_where_every_size_loses() -> None:
    curve = capacity_curve([book(("101", "10"))], net_before_slippage=D("0.01"), most_usd=D(500))

    assert curve
    assert best_point(curve) is None


def test_execution_risk_is_the_most_strained_measure_by_name() -> None:
    legs = [
        LegRisk(
            venue=venue,
            slippage=D("0.0002"),
            capacity_usd=D(capacity),
            latency=timedelta(milliseconds=latency),
            book_age=timedelta(seconds=1),
        )
        for venue, capacity, latency in (("bybit", 40_000, 200), ("okx", 100_000, 1_500))
    ]

    def risk(size: str) -> tuple[object, str]:
        found = execution_risk(
            legs,
            size_usd=D(size),
            max_slippage=D("0.001"),
            max_latency=timedelta(seconds=2),
            max_book_age=timedelta(seconds=3),
        )
        return found.score, found.measure

    assert risk("10000") == (D("0.75"), "latency of okx")
    assert risk("36000") == (D("0.9"), "size against the book at bybit")
    assert risk("90000") == (D(1), "size against the book at bybit")
