"""Hundreds of trading days with bad luck: no rule is broken in any of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.simulation.batch import Chunk, run_chunk, seeds_in_chunks
from tests.simulation.laboratory import Laboratory
from tests.simulation.report import Report
from tests.simulation.run import run_actions
from tests.simulation.shrink import KEPT, kept

pytestmark = pytest.mark.simulation

SEEDS = int(os.environ.get("CARRY_SIMULATION_SEEDS", "300"))


@pytest.mark.parametrize("path", sorted(KEPT.glob("*.json")), ids=lambda path: path.stem)
def test_what_once_failed_holds(
    path: Path, laboratory: Laboratory, account_for: Callable[[Report], None]
) -> None:
    seed, actions = kept(path)
    report = Report()
    report.add(run_actions(laboratory, seed, actions))
    account_for(report)


@pytest.mark.parametrize(
    "chunk", seeds_in_chunks(1, SEEDS), ids=lambda chunk: f"{chunk.seeds[0]}-{chunk.seeds[-1]}"
)
def test_no_rule_is_broken(
    chunk: Chunk, laboratory: Laboratory, account_for: Callable[[Report], None]
) -> None:
    account_for(run_chunk(laboratory, chunk))
