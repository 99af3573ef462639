"""A death at boundaries of a trade, and at pairs of them: nothing lost, nothing sent twice.

Here at some of the boundaries; `make simulate` dies at each of them, and at many more pairs.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.simulation.batch import Chunk, run_chunk
from tests.simulation.crash_points import (
    TRADES,
    Deaths,
    boundaries_of,
    pairs,
    run_with_deaths,
    singles,
)
from tests.simulation.laboratory import Laboratory
from tests.simulation.report import Report

pytestmark = pytest.mark.simulation

EVERY = {
    "calm": 6,
    "spot": 6,
    "refused": 8,
    "killed": 8,
    "added": 12,
    "liquidated": 8,
}
PAIRS = 2


def test_the_calm_trade_is_entered_held_and_left(laboratory: Laboratory) -> None:
    names = boundaries_of(laboratory, "calm")

    assert len(names) > 150
    assert names.count("before POST /fapi/v1/order") == 2
    assert names.count("after POST /v5/order/create") == 2


def test_the_spot_trade_buys_coins_and_sells_them(laboratory: Laboratory) -> None:
    names = boundaries_of(laboratory, "spot")

    assert names.count("after POST /api/v3/order") == 2
    assert names.count("after POST /fapi/v1/order") == 2


def test_the_refused_trade_unwinds_its_first_leg(laboratory: Laboratory) -> None:
    outcome = run_with_deaths(laboratory, Deaths("refused"))

    assert outcome.faults == 1
    assert outcome.boundaries.count("after POST /fapi/v1/order") == 2


def test_the_killed_trade_ends_with_one_order_or_its_closing(laboratory: Laboratory) -> None:
    names = boundaries_of(laboratory, "killed")

    assert names.count("after POST /v5/order/create") <= 2
    assert names.count("after POST /fapi/v1/order") in (1, 2)


def test_the_trade_that_is_added_to_opens_twice_on_each_leg(laboratory: Laboratory) -> None:
    names = boundaries_of(laboratory, "added")

    assert names.count("after POST /fapi/v1/order") == 2
    assert names.count("after POST /v5/order/create") == 2


def test_the_liquidated_trade_closes_the_leg_that_is_left(laboratory: Laboratory) -> None:
    names = boundaries_of(laboratory, "liquidated")

    assert names.count("after POST /fapi/v1/order") == 1
    assert names.count("after POST /v5/order/create") == 2


@pytest.mark.parametrize("trade", TRADES)
def test_a_death_at_a_boundary_breaks_no_rule(
    laboratory: Laboratory, account_for: Callable[[Report], None], trade: str
) -> None:
    deaths = singles(trade, boundaries_of(laboratory, trade))[:: EVERY[trade]]
    account_for(run_chunk(laboratory, Chunk(deaths=tuple(deaths))))


@pytest.mark.parametrize("trade", TRADES)
def test_two_deaths_break_no_rule(
    laboratory: Laboratory, account_for: Callable[[Report], None], trade: str
) -> None:
    deaths = pairs(trade, boundaries_of(laboratory, trade), PAIRS)
    account_for(run_chunk(laboratory, Chunk(deaths=tuple(deaths))))
