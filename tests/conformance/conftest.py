"""A market under test, for the cards."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.conformance.bench import Bench
from tests.simulator.world import World


@pytest.fixture
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Bench]:
    """One market of one venue that settles hourly, its price pinned at 60,000."""
    opened = Bench.at(World(tmp_path, interval_minutes=60), request.param)
    yield opened
    opened.close()
