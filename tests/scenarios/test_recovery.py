"""Processes, Redis and their host fail while money is under way: all of it ends in both books."""

from __future__ import annotations

import signal
import time
from collections.abc import Generator
from uuid import UUID

import pytest

from arbsite.celery import POLL
from tests.machine import is_alive, wait_until
from tests.scenarios.conftest import QUICK
from tests.scenarios.desk import ENDS, FIRST_LEG, PATIENCE, SECOND_LEG, Desk, running_desk
from tests.scenarios.processes import EVERYTHING, Processes

pytestmark = pytest.mark.scenario

FIRST_CLOSE = "ca0r"
MARGIN_IS_SHORT = {"binanceusdm": -2019, "bybit": 110007}
# What a worker says that comes back to a position which is not its own any more.
TAKEN_OVER = ("the lease was taken over", "no answer within")
# Three times as long as a lease lasts, and a little more.
STOPPED_SECONDS = 61.0
# What a deploy waits for before it kills.
STOP_SECONDS = 45.0


@pytest.fixture(scope="module")
def own_desk(tmp_path_factory: pytest.TempPathFactory) -> Generator[Desk]:
    """A Carry whose processes no other story depends on."""
    var = tmp_path_factory.mktemp("recovery") / "var"
    with running_desk(var, simulator_options=QUICK, calm=True) as desk:
        yield desk


@pytest.fixture
def desk(own_desk: Desk) -> Generator[Desk]:
    yield own_desk
    own_desk.simulator.no_faults()


@pytest.fixture
def processes(desk: Desk) -> Processes:
    return Processes(desk)


def assert_flat_and_all_booked(desk: Desk, base: str) -> None:
    assert desk.venues.held(base) == {}
    desk.assert_hedged_or_flat(base)
    desk.assert_one_order_per_intent()
    desk.assert_books_agree()


def sent(desk: Desk, position: UUID, prefix: str) -> list[str]:
    """Return the ids that the venue received for a position, of one leg and purpose."""
    return [
        order.client_order_id
        for order in desk.venues.orders()
        if order.position_id == position and order.client_order_id.startswith(prefix)
    ]


def accepted_without_an_answer(desk: Desk, prefix: str, base: str) -> None:
    """Let a venue accept the next such order and keep its answer for longer than anybody waits."""
    rule = {"method": "POST", "client_order_id": prefix, "contains": base}
    desk.simulator.fault(**rule, action="delay", after_accept=True, seconds=60)


def test_a_power_cut_at_any_point_loses_nothing_and_the_kill_goes_on_after_another(
    desk: Desk, processes: Processes
) -> None:
    bases = {"resting": "ETH", "entering": "ADA", "unwinding": "SOL", "leaving": "DOGE"}
    leaving = desk.open(bases["leaving"])
    assert desk.entered(leaving).state == "open"
    accepted_without_an_answer(desk, FIRST_CLOSE, bases["leaving"])
    accepted_without_an_answer(desk, FIRST_CLOSE, bases["unwinding"])
    accepted_without_an_answer(desk, SECOND_LEG, bases["entering"])
    for venue, code in MARGIN_IS_SHORT.items():
        rule = {"venue": venue, "client_order_id": SECOND_LEG, "contains": bases["unwinding"]}
        desk.simulator.fault(method="POST", **rule, action="reject", code=code)
    # After the faults: the market may come to a first leg by itself, as soon as it rests.
    entering, unwinding, resting = (
        desk.open(bases[at]) for at in ("entering", "unwinding", "resting")
    )
    for position in (unwinding, entering):
        desk.bring_market_to(position)
    desk.person.close(leaving)
    for position, prefix in (
        (unwinding, FIRST_CLOSE),
        (entering, SECOND_LEG),
        (leaving, FIRST_CLOSE),
    ):
        desk.order(position, prefix)

    with processes.killed(*EVERYTHING):
        # A first leg fills while nobody looks.
        desk.bring_market_to(resting)
        wait_until(lambda: desk.venues.held("ETH"), timeout=PATIENCE, what="the first leg fills")

    for position in (resting, entering):
        assert desk.wait_for(position, "open", *ENDS).state == "open"
    for position in (leaving, unwinding):
        assert desk.wait_for(position, *ENDS).state == "closed"
    for base in bases.values():
        desk.assert_hedged_or_flat(base)
    desk.simulator.no_faults()

    accepted_without_an_answer(desk, FIRST_CLOSE, bases["entering"])
    pressed_at = desk.person.kill()
    desk.order(entering, FIRST_CLOSE)
    with processes.killed("close", "entry", "redis"):
        pass

    for position in (resting, entering):
        assert desk.wait_for(position, *ENDS).state == "closed"
    desk.person.rearm()
    opening = [intent for intent in desk.books.intents() if intent.purpose != "reduce"]
    assert not any(intent.sent_at and intent.sent_at > pressed_at for intent in opening)
    for base in bases.values():
        assert_flat_and_all_booked(desk, base)


def test_an_entry_goes_on_without_redis_and_doorbells_rung_thrice_have_one_effect(
    desk: Desk, processes: Processes
) -> None:
    position = desk.open("XRP")
    desk.order(position, FIRST_LEG)
    with processes.redis() as client:
        client.flushall()

    with processes.redis_refusing():
        desk.bring_market_to(position)
        assert desk.wait_for(position, "open", *ENDS).state == "open"
        assert desk.person.health()["redis"] == "down"
    assert len(sent(desk, position, SECOND_LEG)) == 1

    desk.simulator.fault(method="POST", client_order_id=FIRST_CLOSE, action="delay", seconds=3)
    desk.person.close(position)
    wait_until(
        lambda: desk.awaits_answer(position, FIRST_CLOSE),
        timeout=PATIENCE,
        what="the first closing order is on its way",
    )
    processes.ring("close_position", "close", position, times=3)
    processes.ring("drive_position", "entry", position, times=3)

    assert desk.wait_for(position, *ENDS).state == "closed"
    assert len(sent(desk, position, FIRST_CLOSE)) == 1
    wait_until(
        lambda: desk.person.health()["status"] == "ok", timeout=PATIENCE, what="Redis is used again"
    )
    assert_flat_and_all_booked(desk, "XRP")


def hedge_on_its_way(desk: Desk, processes: Processes, base: str) -> tuple[UUID, str]:
    """Return a position whose hedge is accepted and not answered, and the worker that waits."""
    desk.simulator.fault(
        method="POST", client_order_id=SECOND_LEG, action="delay", after_accept=True, seconds=4
    )
    position = desk.open(base)
    desk.bring_market_to(position)
    desk.order(position, SECOND_LEG)
    return position, processes.driver_of(position)


def learns_it_was_taken_over(processes: Processes, driver: str) -> None:
    wait_until(
        lambda: any(words in processes.log(driver) for words in TAKEN_OVER),
        timeout=PATIENCE,
        what="the revived worker learns that it was taken over",
    )


def test_a_worker_stopped_beyond_its_lease_changes_nothing_when_it_goes_on(
    desk: Desk, processes: Processes
) -> None:
    position, driver = hedge_on_its_way(desk, processes, "AVAX")

    # A Redis that takes connections and never answers, on top of it.
    with processes.stopped(driver, "redis"):
        assert desk.wait_for(position, "open", *ENDS).state == "open"
        story, orders = desk.books.story(position), desk.venues.orders("AVAX")

    learns_it_was_taken_over(processes, driver)
    assert desk.books.story(position) == story
    assert desk.venues.orders("AVAX") == orders
    assert desk.close(position).state == "closed"
    assert_flat_and_all_booked(desk, "AVAX")


def test_a_worker_that_wakes_after_three_leases_finds_its_position_closed_and_leaves_it_so(
    desk: Desk, processes: Processes
) -> None:
    """Two minutes are six leases; three tell the same: it was taken over, ended, and reopened."""
    position, driver = hedge_on_its_way(desk, processes, "DOGE")

    stopped_at = time.monotonic()
    with processes.stopped(driver):
        assert desk.wait_for(position, "open", *ENDS).state == "open"
        assert desk.close(position).state == "closed"
        story, orders = desk.books.story(position), desk.venues.orders("DOGE")
        wait_until(
            lambda: time.monotonic() - stopped_at > STOPPED_SECONDS,
            timeout=STOPPED_SECONDS + PATIENCE,
            what="the worker has stood still for three leases",
        )

    learns_it_was_taken_over(processes, driver)
    assert desk.books.story(position) == story
    assert desk.venues.orders("DOGE") == orders
    desk.assert_one_order_per_intent()
    assert_flat_and_all_booked(desk, "DOGE")


def test_a_worker_told_to_stop_with_a_leg_on_its_way_ends_in_time_and_loses_nothing(
    desk: Desk, processes: Processes
) -> None:
    desk.simulator.fault(method="POST", client_order_id=SECOND_LEG, action="delay", seconds=3)
    position = desk.open("LINK")
    desk.bring_market_to(position)
    wait_until(
        lambda: desk.awaits_answer(position, SECOND_LEG),
        timeout=PATIENCE,
        what="the hedge is on its way",
    )
    driver = processes.driver_of(position)
    pid = processes.pids()[driver]

    processes.send(signal.SIGTERM, driver)

    wait_until(lambda: not is_alive(pid), timeout=STOP_SECONDS, what="the worker has ended")
    assert desk.wait_for(position, "open", *ENDS).state == "open"
    desk.assert_hedged_or_flat("LINK")
    assert desk.close(position).state == "closed"
    assert_flat_and_all_booked(desk, "LINK")


def test_trading_goes_on_without_beat_and_a_close_passes_ten_thousand_polls(
    desk: Desk, processes: Processes
) -> None:
    with processes.stopped("beat"):
        position = desk.open("BTC")
        assert desk.entered(position).state == "open"
        assert processes.flood(10_000) > 9_000

        assert desk.close(position).state == "closed"

        assert processes.backlog() > 1_000
    with processes.redis() as client:
        client.delete(POLL)
    assert_flat_and_all_booked(desk, "BTC")
