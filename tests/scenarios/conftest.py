"""A Carry for all stories that can share it: each has a base asset of its own."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.scenarios.desk import Desk, running_desk

STREAMING, POLLING = "streaming", "polling"
# Funding settles every 24 seconds.
QUICK = "--interval-minutes 0.4"


# It ends with the last story: it takes a third of a processor from whatever runs after it.
@pytest.fixture(scope="package", params=[STREAMING])
def shared_desk(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Desk]:
    """One Carry with all its parts, or one whose streams are stopped."""
    var = tmp_path_factory.mktemp(request.param) / "var"
    without = ["streams"] if request.param == POLLING else []
    with running_desk(var, *without, simulator_options=QUICK, calm=True) as desk:
        yield desk


@pytest.fixture
def desk(shared_desk: Desk) -> Generator[Desk]:
    """The shared Carry, left without faults."""
    yield shared_desk
    shared_desk.simulator.no_faults()
