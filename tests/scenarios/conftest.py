"""One Carry for all stories that can share it: each has a base asset of its own."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.scenarios.desk import Desk, running_desk

# Funding settles every 24 seconds.
QUICK = "--interval-minutes 0.4"


@pytest.fixture(scope="session")
def shared_desk(tmp_path_factory: pytest.TempPathFactory) -> Generator[Desk]:
    var = tmp_path_factory.mktemp("scenarios") / "var"
    with running_desk(var, simulator_options=QUICK, calm=True) as desk:
        yield desk


@pytest.fixture
def desk(shared_desk: Desk) -> Generator[Desk]:
    """The shared Carry, left without faults."""
    yield shared_desk
    shared_desk.simulator.no_faults()
