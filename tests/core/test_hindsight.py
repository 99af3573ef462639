from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.market import NOW, D
from trading.core.funding import SettledRate
from trading.core.parameters import Parameters, Tolerance
from trading.strategies.hindsight import (
    CHOICES,
    ToleranceOutcome,
    bare_threshold_outcome,
    tolerance_outcomes,
)

pytestmark = pytest.mark.core

EIGHT_HOURS = timedelta(hours=8)


def spreads_of(rates: Sequence[str]) -> list[SettledRate]:
    return [
        SettledRate(
            settled_at=NOW + EIGHT_HOURS * index, rate_8h=Decimal(rate), interval_seconds=28_800
        )
        for index, rate in enumerate(rates)
    ]


def outcomes(rates: Sequence[str]) -> dict[Tolerance | None, ToleranceOutcome]:
    """Return by tolerance what spreads 8 h apart would have brought; each way costs 12 bp."""
    found = tolerance_outcomes(
        spreads_of(rates), opening_cost=D("0.0012"), exit_cost=D("0.0012"), parameters=Parameters()
    )
    return {outcome.tolerance: outcome for outcome in found}


def test_closing_on_every_flip_destroys_what_holding_keeps() -> None:
    found = outcomes((["0.0003"] * 6 + ["-0.0004"] * 2) * 4)

    # 23 + 9 settlements after the first: 23 x 3 bp - 8 x 4 bp, one round trip of 24 bp
    assert found[None].funding == 23 * D("0.0003") - 8 * D("0.0004")
    assert found[None].net == found[None].funding - D("0.0024")
    # out at each first negative print after which the last 8 hours were negative, in again
    conservative = found[Tolerance.CONSERVATIVE]
    assert conservative.round_trips == 4
    assert conservative.net < found[None].net
    assert found[Tolerance.COST_AWARE].net == found[None].net


def test_a_spread_that_turned_for_good_is_left_by_every_tolerance() -> None:
    found = outcomes(["0.0003"] * 10 + ["-0.0006"] * 60)

    for tolerance in CHOICES:
        assert found[tolerance].net > found[None].net
        assert found[tolerance].round_trips == 1


def test_a_bare_threshold_pays_a_round_trip_for_each_spread_that_does_not_last() -> None:
    rates = ["0", "0.0002", "-0.0004"] * 3
    found = bare_threshold_outcome(
        spreads_of(rates),
        opening_cost=D("0.0012"),
        exit_cost=D("0.0012"),
        parameters=Parameters.from_values({"negative_spread_tolerance": "conservative"}),
    )

    # In after each 2 bp, which are above the least of 1 bp, out after the 4 bp that are then paid.
    assert (found.round_trips, found.funding) == (3, 3 * D("-0.0004"))
    assert found.net == D("-0.0084")


def test_one_settlement_tells_nothing() -> None:
    assert outcomes(["0.0003"]) == {}
