"""A death at boundaries of a trade, and at pairs of them: nothing lost, nothing sent twice.

Here at every fourth boundary; `make simulate` dies at each of them, and at many more pairs.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.simulation.batch import Chunk, run_chunk
from tests.simulation.crash_points import boundaries_of_trade, pairs, singles
from tests.simulation.laboratory import Laboratory
from tests.simulation.report import Report

pytestmark = pytest.mark.simulation

EVERY = 4
PARTS = 3
PAIRS = 6


def test_the_trade_is_entered_held_and_left(laboratory: Laboratory) -> None:
    names = boundaries_of_trade(laboratory)

    assert len(names) > 150
    assert names.count("before POST /fapi/v1/order") == 2
    assert names.count("after POST /v5/order/create") == 2


@pytest.mark.parametrize("part", range(PARTS))
def test_a_death_at_a_boundary_breaks_no_rule(
    laboratory: Laboratory, account_for: Callable[[Report], None], part: int
) -> None:
    deaths = singles(boundaries_of_trade(laboratory))[::EVERY][part::PARTS]
    account_for(run_chunk(laboratory, Chunk(deaths=tuple(deaths))))


def test_two_deaths_break_no_rule(
    laboratory: Laboratory, account_for: Callable[[Report], None]
) -> None:
    deaths = pairs(boundaries_of_trade(laboratory), PAIRS)
    account_for(run_chunk(laboratory, Chunk(deaths=tuple(deaths))))
