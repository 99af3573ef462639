from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.generated import decimals, quick
from tests.market import NOW, D
from trading.core.funding import SettledRate, ewma_8h
from trading.core.history import (
    Frequency,
    KeptPart,
    PriceBar,
    fitted_beta,
    half_life,
    percentile,
    probability_of_break_even,
    probability_of_warning,
    running_averages,
    stability,
    with_points,
)

pytestmark = pytest.mark.core

EIGHT_HOURS, DAY = timedelta(hours=8), timedelta(days=1)


def spreads(rates: Sequence[str], *, skip: frozenset[int] = frozenset()) -> list[SettledRate]:
    """Return spreads 8 h apart; a skipped one is missing and the next covers its time too."""
    found: list[SettledRate] = []
    waited = 1
    for index, rate in enumerate(rates):
        if index in skip:
            waited += 1
            continue
        seconds = 28_800 * waited
        at = NOW + EIGHT_HOURS * index
        found.append(SettledRate(settled_at=at, rate_8h=D(rate) / waited, interval_seconds=seconds))
        waited = 1
    return found


def bars(prices: Sequence[int]) -> list[PriceBar]:
    return [PriceBar.point(NOW + EIGHT_HOURS * index, D(p)) for index, p in enumerate(prices)]


def test_the_75th_percentile_lies_between_its_neighbours() -> None:
    # places 0 … 3: 0.75 x 3 = 2.25, a quarter of the way from 3 to 7
    assert percentile([D(7), D(1), D(3), D(2)]) == 4
    assert percentile([D(5)]) == 5
    assert percentile([]) is None


def test_a_deviation_that_loses_a_fifth_each_step_is_half_gone_after_three() -> None:
    values = [D("0.8") ** n for n in range(40)]

    # ln 0.5 / ln 0.8 = 0.693147 / 0.223144
    assert half_life(values) == pytest.approx(D("3.1063"), abs=D("0.0001"))


def test_what_does_not_come_back_has_no_half_life() -> None:
    assert half_life([D(n) for n in range(40)]) is None
    assert half_life([D(1)] * 40) is None
    assert half_life([D((-1) ** n) for n in range(40)]) is None


def test_a_short_history_says_nothing() -> None:
    few = spreads(["0.0001"] * 29)

    assert half_life([D("0.8") ** n for n in range(29)]) is None
    assert stability(few) is None
    assert probability_of_break_even(few, D(0), DAY) is None
    assert probability_of_warning(bars([100] * 29), D(3), DAY) is None
    assert fitted_beta(few, DAY, half_life=DAY) is None


def test_a_period_of_less_than_three_horizons_says_nothing() -> None:
    month = spreads(["0.0001"] * 90)

    assert probability_of_break_even(month, D(0), timedelta(days=14)) is None
    assert probability_of_break_even(month, D(0), timedelta(days=7)) is not None


def test_a_steady_spread_is_stable_and_a_changing_one_is_not() -> None:
    steady, changing = (
        stability(spreads(rates)) for rates in (["0.0002"] * 30, ["0.0001", "-0.0001"] * 15)
    )

    assert steady is not None
    assert changing is not None
    assert (steady.score, steady.persistence) == (1, 1)
    assert (changing.mean, changing.score, changing.persistence) == (0, 0, 0)


def test_break_even_is_counted_over_complete_windows() -> None:
    known = spreads(["0.0001"] * 10 + ["0"] * 30)

    # windows begin after settlements 0 … 36; 0 … 6 hold three paying ones
    assert probability_of_break_even(known, D("0.0003"), DAY) == Frequency(hits=7, windows=37)
    assert probability_of_break_even(known, D("0.0001"), DAY) == Frequency(hits=9, windows=37)


def test_break_even_may_be_asked_of_windows_that_began_at_a_spread() -> None:
    known = spreads(["0.0001"] * 10 + ["0"] * 30)
    found = probability_of_break_even(known, D("0.0003"), DAY, least_spread=D("0.0001"))

    assert found == Frequency(hits=7, windows=10)
    assert found.share == D("0.7")


def test_windows_with_a_gap_are_left_out() -> None:
    whole = probability_of_break_even(spreads(["0.0001"] * 60), D(0), DAY)
    holed = probability_of_break_even(
        spreads(["0.0001"] * 60, skip=frozenset({30, 31, 32})), D(0), DAY
    )

    # rows 30 … 32 begin none; windows after 27, 28, 29 hold the row that covers the hole
    assert whole == Frequency(hits=57, windows=57)
    assert holed == Frequency(hits=51, windows=51)


@quick
@given(st.lists(decimals("-0.003", "0.003"), min_size=30, max_size=60), decimals("0", "0.005"))
def test_a_higher_cost_never_breaks_even_more_often(rates: list[D], cost: D) -> None:
    known = spreads([str(rate) for rate in rates])
    cheap = probability_of_break_even(known, cost, DAY)
    dear = probability_of_break_even(known, cost + D("0.0005"), DAY)

    assert cheap is not None
    assert dear is not None
    assert dear.hits <= cheap.hits


def test_a_warning_is_a_move_of_either_leg_to_a_tenth_from_liquidation() -> None:
    # 5x, m 0.005: long 0.804020 / 0.9 = 0.893356, short 1.194030 / 1.1 = 1.085482
    up, down = (bars([100] * 20 + [price] * 20) for price in (109, 89))
    calm = bars([100] * 20 + [108] * 10 + [90] * 10)

    assert probability_of_warning(up, D(5), DAY) == Frequency(hits=3, windows=37)
    assert probability_of_warning(down, D(5), DAY) == Frequency(hits=3, windows=37)
    # 108 is no warning for what was entered at 100; 90 is one for what was entered at 108
    assert probability_of_warning(calm, D(5), DAY) == Frequency(hits=3, windows=37)
    assert probability_of_warning(up, D(3), DAY) == Frequency(hits=0, windows=37)


def test_the_highs_and_lows_of_bars_count() -> None:
    calm = bars([100] * 40)
    spiked = [*calm[:20], PriceBar(at=calm[20].at, price=D(100), lowest=D(80), highest=D(100))]

    found = probability_of_warning([*spiked, *calm[21:]], D(5), DAY)

    assert found == Frequency(hits=4, windows=37)


def test_beta_of_a_spread_that_lasts_is_one_and_never_more() -> None:
    lasting = spreads(["0.0002"] * 60)
    growing = spreads([str(D("0.0001") * n) for n in range(1, 61)])

    # 60 settlements, three of which end each window: 57 complete ones
    assert fitted_beta(lasting, DAY, half_life=DAY) == KeptPart(part=D(1), windows=57)
    assert fitted_beta(growing, DAY, half_life=DAY) == KeptPart(part=D(1), windows=57)


def test_beta_of_a_spread_that_turns_around_is_nothing() -> None:
    turning = spreads((["0.0002"] * 9 + ["-0.0002"] * 9) * 4)

    kept = fitted_beta(turning, timedelta(days=3), half_life=DAY)

    assert kept is not None
    assert kept.part == 0


@quick
@given(st.lists(decimals("-0.003", "0.003"), min_size=1, max_size=20))
def test_running_averages_are_those_of_production(rates: list[D]) -> None:
    known = spreads([str(rate) for rate in rates])

    for index, average in enumerate(running_averages(known, timedelta(hours=72))):
        seen, at = known[: index + 1], known[index].settled_at
        expected = ewma_8h(seen, now=at, half_life=timedelta(hours=72))
        assert average == pytest.approx(expected, abs=D("1e-20"))


def test_points_are_taken_where_no_bar_covers_them() -> None:
    eight = timedelta(hours=8)
    covered = [
        PriceBar(at=NOW + n * eight, price=D(100), lowest=D(90), highest=D(110)) for n in (0, 2)
    ]
    points = [PriceBar.point(NOW + n * eight, D(101)) for n in range(-1, 4)]

    found = with_points(covered, points, eight)

    assert [(bar.at, bar.lowest) for bar in found] == [
        (NOW - eight, D(101)),
        (NOW, D(90)),
        (NOW + eight, D(101)),
        (NOW + 2 * eight, D(90)),
        (NOW + 3 * eight, D(101)),
    ]
