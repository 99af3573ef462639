"""Orders whose answer never arrives: looked up, never sent again; a worker that dies meanwhile."""

from __future__ import annotations

import os
import signal
from uuid import UUID

import pytest

from tests.machine import wait_until
from tests.scenarios.conftest import POLLING, STREAMING
from tests.scenarios.desk import FIRST_LEG, PATIENCE, SECOND_LEG, Desk

pytestmark = pytest.mark.scenario


@pytest.mark.parametrize("shared_desk", [STREAMING, POLLING], indirect=True, scope="package")
@pytest.mark.parametrize(
    ("prefix", "base"), [(FIRST_LEG, "SOL"), (SECOND_LEG, "XRP")], ids=["first", "second"]
)
def test_order_accepted_without_an_answer_is_one_order_and_ends_hedged_or_flat(
    desk: Desk, prefix: str, base: str
) -> None:
    desk.simulator.fault(method="POST", client_order_id=prefix, action="accept_no_answer")

    position = desk.open(base)
    held = desk.entered(position)

    assert desk.faults_struck() == 1
    assert bool(desk.venues.held(base)) == (held.state == "open")
    desk.assert_hedged_or_flat(base)
    desk.close(position)
    assert desk.venues.held(base) == {}
    desk.assert_one_order_per_intent()
    desk.assert_books_agree()


@pytest.mark.parametrize("shared_desk", [POLLING], indirect=True, scope="package")
@pytest.mark.parametrize(
    ("prefix", "base"), [(FIRST_LEG, "DOGE"), (SECOND_LEG, "ADA")], ids=["first", "second"]
)
def test_worker_killed_between_send_and_record_loses_nothing_and_sends_nothing_twice(
    desk: Desk, prefix: str, base: str
) -> None:
    desk.simulator.fault(
        method="POST", client_order_id=prefix, action="delay", after_accept=True, seconds=60
    )
    position = desk.open(base)
    if prefix == SECOND_LEG:
        desk.bring_market_to(position)
    desk.order(position, prefix)
    assert desk.awaits_answer(position, prefix)

    kill_the_worker_that_drives(desk, position)

    desk.entered(position)
    desk.assert_hedged_or_flat(base)
    desk.close(position)
    assert desk.venues.held(base) == {}
    desk.assert_one_order_per_intent()
    desk.assert_books_agree()


def kill_the_worker_that_drives(desk: Desk, position_id: UUID) -> None:
    """Kill it as a power cut would, and wait until it is started again."""
    # The owner of a lease is written as machine, pid, process and thread.
    pid = int(desk.books.position(position_id).lease_owner.split(".")[1])
    [name] = [name for name, running in processes(desk).items() if running == pid]
    os.kill(pid, signal.SIGKILL)
    wait_until(
        lambda: processes(desk)[name] != pid, timeout=PATIENCE, what=f"{name} is started again"
    )


def processes(desk: Desk) -> dict[str, int]:
    found: dict[str, int] = desk.carry.facts["processes"]
    return found
