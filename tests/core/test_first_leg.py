"""Which leg works first, and the sentence that says why."""

from __future__ import annotations

import pytest

from exchanges.domain import InstrumentKind, Side
from tests.market import D
from trading.core.entry_style import FirstLeg
from trading.core.first_leg import LegLiquidity, choose_first

pytestmark = pytest.mark.core


def leg(side: Side, **changes: object) -> LegLiquidity:
    values: dict[str, object] = {
        "kind": InstrumentKind.PERPETUAL,
        "venue": "bybit" if side is Side.SELL else "binanceusdm",
        "depth": D(20),
    }
    return LegLiquidity(side=side, **(values | changes))  # type: ignore[arg-type]


def first_of(long: LegLiquidity, short: LegLiquidity, preference: FirstLeg = FirstLeg.AUTO) -> int:
    return choose_first((long, short), preference)[0]


def test_the_thinner_book_goes_first_and_the_sentence_says_why() -> None:
    thin = leg(Side.SELL, depth=D("3.25"), sent=6, filled=5, failed=1)

    index, why = choose_first((leg(Side.BUY), thin), FirstLeg.AUTO)

    # 0.325 x 6/7 x 6/7 = 0.2388, against 1 x 1 x 1
    assert index == 1
    assert thin.score.quantize(D("0.0001")) == D("0.2388")
    assert why == (
        "the short leg at bybit goes first, it is harder to fill: its book takes 3.2x the size "
        "(20.0x at binanceusdm), 5 of its last 6 orders filled, 1 failed"
    )


def test_of_two_deep_books_the_one_whose_venue_fails_more_goes_first() -> None:
    shaky = leg(Side.BUY, depth=D(90), sent=9, filled=9, failed=3)

    assert first_of(shaky, leg(Side.SELL, depth=D(11), sent=9, filled=9)) == 0


def test_of_two_equal_legs_the_long_one_goes_first() -> None:
    assert first_of(leg(Side.BUY), leg(Side.SELL)) == 0


@pytest.mark.parametrize(("preference", "index"), [(FirstLeg.LONG, 0), (FirstLeg.SHORT, 1)])
def test_a_configured_side_goes_first_whatever_its_book(preference: FirstLeg, index: int) -> None:
    legs = leg(Side.BUY, depth=D(1 + index)), leg(Side.SELL, depth=D(2 - index))

    assert choose_first(legs, preference) == (
        index,
        f"the {legs[index].name} goes first, as configured",
    )


def test_spot_and_perp_count_only_where_the_legs_differ() -> None:
    spot = leg(Side.BUY, kind=InstrumentKind.SPOT)
    thin = leg(Side.SELL, depth=D(1))

    assert first_of(spot, thin, FirstLeg.SPOT) == 0
    assert first_of(spot, leg(Side.SELL), FirstLeg.PERP) == 1
    assert first_of(leg(Side.BUY), thin, FirstLeg.SPOT) == 1
    assert first_of(leg(Side.BUY), thin, FirstLeg.PERP) == 1
