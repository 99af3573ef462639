"""What the launcher does with a process that takes too much."""

from __future__ import annotations

import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from arbsite.launcher.child import ProcessSpec
from arbsite.launcher.supervisor import MEGABYTE, Supervisor
from tests.machine import wait_until

pytestmark = pytest.mark.db

MOST = 60 * MEGABYTE
GREEDY = "held = bytearray(100_000_000); import signal; signal.pause()"
# It will not end by itself.
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {GREEDY}"
MODEST = "import signal; signal.pause()"


class House:
    """A supervisor of which the test keeps what it said and which processes ran."""

    def __init__(self, log_dir: Path) -> None:
        self.said: list[str] = []
        self.pids: list[int] = []
        self.supervisor = Supervisor(
            environment={},
            log_dir=log_dir,
            say=self.said.append,
            on_change=lambda running: self.pids.append(running["work"]),
            most_bytes=MOST,
        )

    def run(self, code: str) -> None:
        command = (sys.executable, "-IS", "-c", code)
        self.supervisor.start(ProcessSpec(name="work", command=command, stop_seconds=0.2))

    def has_restarted(self) -> bool:
        self.supervisor.tend()
        return len(self.pids) > 1


@pytest.fixture
def house(tmp_path: Path) -> Generator[House]:
    kept = House(tmp_path)
    yield kept
    kept.supervisor.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="the system does not say what a process holds")
@pytest.mark.parametrize("code", [GREEDY, DEAF], ids=["ends when asked", "must be killed"])
def test_a_process_that_outgrows_its_memory_is_ended_and_started_again(
    house: House, code: str
) -> None:
    house.run(code)
    wait_until(house.has_restarted, timeout=30, what="the process is started again")

    first, second = house.pids[:2]
    assert first != second
    assert "more than 60 MB; it ends and is started again" in house.said[0]


def test_a_process_within_its_memory_runs_on(house: House) -> None:
    house.run(MODEST)
    for _ in range(20):
        house.supervisor.tend()

    assert house.supervisor.is_running("work")
    assert house.said == []
