from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator

import pytest

from exchanges import loop
from exchanges.loop import DeadlinePassed

pytestmark = pytest.mark.core


@pytest.fixture(autouse=True)
def closed_afterwards() -> Iterator[None]:
    yield
    loop.close()


async def thread_name() -> str:
    return threading.current_thread().name


def test_calls_run_on_one_background_thread() -> None:
    assert {loop.call(thread_name(), 1) for _ in range(3)} == {"venue-loop"}


def test_deadline_raises_by_name_and_cancels_the_coroutine() -> None:
    cancelled = threading.Event()

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    with pytest.raises(DeadlinePassed, match=r"within 0\.05 s"):
        loop.call(hang(), 0.05)

    assert cancelled.wait(1)


def test_timeout_of_the_coroutine_itself_is_not_our_deadline() -> None:
    async def give_up() -> None:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        loop.call(give_up(), 1)


def test_spawned_coroutine_runs_until_cancelled() -> None:
    async def forever() -> None:
        await asyncio.Event().wait()

    future = loop.spawn(forever())
    assert not future.done()

    loop.close()

    assert future.cancelled()


def test_closed_loop_starts_anew_at_the_next_call() -> None:
    loop.call(thread_name(), 1)
    loop.close()

    assert loop.call(thread_name(), 1) == "venue-loop"


def test_call_from_the_loop_itself_is_refused_instead_of_hanging() -> None:
    async def reenter() -> None:
        loop.call(thread_name(), 1)

    with pytest.raises(RuntimeError, match="wait for itself"):
        loop.call(reenter(), 1)


def test_forked_child_gets_a_loop_of_its_own() -> None:
    assert loop.call(thread_name(), 1) == "venue-loop"

    pid = os.fork()
    if pid == 0:
        answered = loop.call(thread_name(), 2) == "venue-loop"
        os._exit(0 if answered else 1)
    _, status = os.waitpid(pid, 0)

    assert os.waitstatus_to_exitcode(status) == 0


def test_answers_come_as_they_are_given_and_one_that_is_late_keeps_none_waiting() -> None:
    gate = threading.Event()

    async def at_once() -> str:
        return "at once"

    async def later() -> str:
        while not gate.is_set():
            await asyncio.sleep(0.005)
        return "later"

    async def broken() -> str:
        raise LookupError("nothing there")

    answers = loop.as_they_come([later(), broken(), at_once()], timeout=30)
    first = {repr(next(answers)) for _ in range(2)}
    gate.set()

    assert first == {"'at once'", repr(LookupError("nothing there"))}
    assert list(answers) == ["later"]


def test_an_answer_that_does_not_come_is_a_timeout_of_its_own() -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    [answer] = loop.as_they_come([never()], timeout=0.02)

    assert isinstance(answer, TimeoutError)


def test_what_is_asked_starts_before_the_first_answer_is_taken() -> None:
    started = threading.Event()

    async def asked() -> None:
        started.set()

    answers = loop.as_they_come([asked()], timeout=5)

    assert started.wait(5)
    assert list(answers) == [None]
