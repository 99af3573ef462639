"""Orders whose answer never arrives: looked up, never sent again; a worker that dies meanwhile."""

from __future__ import annotations

import os
import signal
from uuid import UUID

import pytest

from tests.machine import wait_until
from tests.scenarios.conftest import POLLING, STREAMING
from tests.scenarios.desk import PATIENCE, Desk

pytestmark = pytest.mark.scenario

# How own client order ids begin: `ca`, the leg, the purpose (see exchanges/client_order_ids.py).
FIRST_LEG, SECOND_LEG = "ca0o", "ca1h"


def intent_of(desk: Desk, position_id: UUID, prefix: str) -> str:
    """Return the state of the position's intent whose id begins so, or nothing."""
    for intent in desk.books.intents():
        if intent.position_id == position_id and intent.client_order_id.startswith(prefix):
            return intent.state
    return ""


@pytest.mark.parametrize("shared_desk", [STREAMING, POLLING], indirect=True, scope="session")
@pytest.mark.parametrize(
    ("prefix", "base"), [(FIRST_LEG, "SOL"), (SECOND_LEG, "XRP")], ids=["first", "second"]
)
def test_order_accepted_without_an_answer_is_one_order_and_ends_hedged_or_flat(
    desk: Desk, prefix: str, base: str
) -> None:
    desk.simulator.fault(method="POST", client_order_id=prefix, action="accept_no_answer")

    desk.freeze(base)
    position = desk.open(base)
    held = desk.entered(position)

    assert desk.faults_struck() == 1
    assert bool(desk.venues.held(base)) == (held.state == "open")
    desk.assert_hedged_or_flat(base)
    desk.close(position)
    assert desk.venues.held(base) == {}
    desk.assert_one_order_per_intent()
    desk.assert_books_agree()


@pytest.mark.parametrize("shared_desk", [POLLING], indirect=True, scope="session")
def test_worker_killed_between_send_and_record_loses_nothing_and_sends_nothing_twice(
    desk: Desk,
) -> None:
    base = "DOGE"
    desk.simulator.fault(
        method="POST", client_order_id=FIRST_LEG, action="delay", after_accept=True, seconds=60
    )
    desk.freeze(base)
    position = desk.open(base)
    desk.first_order(position)
    assert intent_of(desk, position, FIRST_LEG) == "sending"

    name = kill_the_worker_that_drives(desk, position)

    wait_until(
        lambda: f"{name} ended with status -9" in desk.carry.output,
        timeout=PATIENCE,
        what=f"{name} is started again",
    )
    desk.entered(position)
    desk.assert_hedged_or_flat(base)
    desk.close(position)
    assert desk.venues.held(base) == {}
    desk.assert_one_order_per_intent()
    desk.assert_books_agree()


def kill_the_worker_that_drives(desk: Desk, position_id: UUID) -> str:
    """Kill it as a power cut would and return the name of its process."""
    # The owner of a lease is written as process, pid and thread.
    pid = int(desk.books.position(position_id).lease_owner.split(".")[1])
    processes: dict[str, int] = desk.carry.facts["processes"]
    [name] = [name for name, running in processes.items() if running == pid]
    os.kill(pid, signal.SIGKILL)
    return name
