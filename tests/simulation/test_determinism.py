"""The same seed is the same day, to the last row and the last request."""

from __future__ import annotations

import pytest

from tests.simulation.laboratory import Laboratory
from tests.simulation.run import run_seed

pytestmark = pytest.mark.simulation


@pytest.mark.parametrize("seed", [3, 8, 9, 14])
def test_a_seed_runs_the_same_way_twice(laboratory: Laboratory, seed: int) -> None:
    first, second = run_seed(laboratory, seed), run_seed(laboratory, seed)

    assert first.steps > 20
    assert first.event_hash == second.event_hash


def test_another_seed_is_another_day(laboratory: Laboratory) -> None:
    assert run_seed(laboratory, 3).event_hash != run_seed(laboratory, 8).event_hash
