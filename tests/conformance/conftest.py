"""A market under test, for the cards."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from exchanges.simulator.listings import BITGET, DERIBIT, DYDX, GATE, KRAKEN, KRAKEN_FUTURES, KUCOIN
from tests.conformance.bench import Bench
from tests.conformance.paper_bench import PaperBench
from tests.simulator.world import World


@pytest.fixture
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Bench]:
    """One market of one venue that settles hourly, its price pinned at 60,000."""
    kind = PaperBench if request.param.is_paper else Bench
    watched = BITGET, DERIBIT, DYDX, GATE, KRAKEN, KRAKEN_FUTURES, KUCOIN
    on_demand = request.param.simulated in watched
    world = World(tmp_path, interval_minutes=60, watched=on_demand)
    opened = kind.at(world, request.param)
    yield opened
    opened.close()
