"""The medians of many pairs at once are those of each pair by itself."""

from __future__ import annotations

import math
from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.generated import quick
from trading.core.scan.usual import usual_ratios

pytestmark = pytest.mark.core


def test_the_usual_ratio_is_the_median_of_the_hours_both_have() -> None:
    unknown = math.nan
    long, short = [100.0, 100.0, unknown, 200.0, 100.0], [101.0, 103.0, 500.0, 204.0, unknown]

    ratios = usual_ratios([long, short], least_hours=3)

    # Of 1.01, 1.03 and 1.02 the middle one; the other way round 1 / 1.02.
    assert ratios[0, 1] == pytest.approx(1.02, abs=1e-15)
    assert ratios[1, 0] == pytest.approx(1 / 1.02, abs=1e-15)
    assert (usual_ratios([long, short], least_hours=4)[0, 1], ratios[1, 1]) == (1, 1)


def test_without_any_hour_nothing_is_usual() -> None:
    assert usual_ratios([[], []], least_hours=24).tolist() == [[1, 1], [1, 1]]


@quick
@given(st.integers(0, 10_000), st.integers(1, 12))
def test_medians_equal_those_of_plain_python(seed: int, least: int) -> None:
    generator = np.random.default_rng(seed)
    mids = generator.uniform(90, 110, (4, 10))
    mids[generator.random(mids.shape) < 0.4] = np.nan

    ratios = usual_ratios(mids.tolist(), least_hours=least)

    for i, long in enumerate(mids.tolist()):
        for j, short in enumerate(mids.tolist()):
            both = [b / a for a, b in zip(long, short, strict=True) if not math.isnan(b / a)]
            expected = median(both) if len(both) >= least else 1
            assert ratios[i, j] == pytest.approx(expected, abs=1e-15)
