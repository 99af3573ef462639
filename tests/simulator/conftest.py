"""Fixtures of the venue simulator's own tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulator.world import World


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    """Simulated venues with a clock of the test's own, settling every 4 minutes or `param`."""
    interval_minutes: int = getattr(request, "param", 4)
    return World(tmp_path / "venues", interval_minutes=interval_minutes, watched=True)
