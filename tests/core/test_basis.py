from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given

from exchanges.domain import InstrumentKind, Side
from tests.generated import prices, quick
from tests.market import NOW, D
from trading.core.basis import (
    GapPrices,
    PricedLeg,
    ageing_8h,
    dated_gap,
    dated_span_8h,
)

pytestmark = pytest.mark.core

DAY = timedelta(days=1)


def leg(
    side: Side, price: str, *, ratio: str = "1", days: int | None = None, perp: bool = False
) -> PricedLeg:
    kind = InstrumentKind.PERPETUAL if perp else InstrumentKind.SPOT
    return PricedLeg(
        side=side,
        kind=kind if days is None else InstrumentKind.FUTURE,
        price=D(price),
        ratio=D(ratio),
        expires_at=None if days is None else NOW + days * DAY,
    )


SPOT = leg(Side.BUY, "50000")
FUTURE = leg(Side.SELL, "50600", days=40)


def test_both_sides_are_weighed_by_ratio() -> None:
    halves = [leg(Side.SELL, "50100", ratio="0.5", perp=True), leg(Side.SELL, "50500", ratio="0.5")]

    found = GapPrices.of([SPOT, *halves])

    assert found == GapPrices(long=D(50_000), short=D(50_300))
    assert found.gap == D("0.006")
    assert GapPrices(long=D(49_500), short=D(50_000)).gap_of_short == D("0.01")


def test_a_dated_gap_ages_in_a_straight_line_to_its_expiry() -> None:
    # 1.2 % over 40 days: 0.01 % every 8 h
    assert dated_gap([SPOT, FUTURE]) == D("0.012")
    assert ageing_8h([SPOT, FUTURE], NOW) == D("0.0001")
    later = [SPOT, leg(Side.SELL, "50300", days=40)]
    assert ageing_8h(later, NOW + 20 * DAY) == D("0.0001")
    assert ageing_8h(later, NOW + 40 * DAY) == 0


def test_what_is_bought_below_spot_ages_in_our_favour_and_above_against_us() -> None:
    short = leg(Side.SELL, "50000", perp=True)

    assert ageing_8h([leg(Side.BUY, "49400", days=40), short], NOW) == D("0.0001")
    assert ageing_8h([leg(Side.BUY, "50600", days=40), short], NOW) == D("-0.0001")


def test_a_future_is_measured_against_spot_where_there_is_one() -> None:
    perp = leg(Side.SELL, "50500", ratio="0.5", perp=True)
    half = leg(Side.SELL, "50600", ratio="0.5", days=40)

    assert dated_gap([SPOT, perp, half]) == dated_gap([perp, SPOT, half]) == D("0.006")


def test_between_two_expiries_nothing_ages_and_the_span_stays() -> None:
    pair = [leg(Side.BUY, "50600", days=40), leg(Side.SELL, "51950", days=130)]

    assert (dated_gap(pair), ageing_8h(pair, NOW)) == (0, 0)
    assert dated_span_8h(pair, NOW) == dated_span_8h(pair, NOW + 39 * DAY) == 270
    assert dated_span_8h([SPOT, FUTURE], NOW) == 120
    assert dated_span_8h([SPOT, FUTURE], NOW + 50 * DAY) == 0


@quick
@given(prices, prices)
def test_a_gap_and_its_mirror_cancel_out(long: D, short: D) -> None:
    there, back = GapPrices(long=long, short=short), GapPrices(long=short, short=long)

    assert there.gap == -back.gap_of_short
    assert abs((1 + there.gap) * (1 + back.gap) - 1) < D("1e-20")
