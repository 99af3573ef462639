"""Fixtures of the venue simulator's own tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulator.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Simulated venues with a clock of the test's own."""
    return World(tmp_path / "venues", watched=True)
