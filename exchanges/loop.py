"""The one place where synchronous code meets asynchronous venue code.

One event loop runs in one background thread per process. It starts at the first call and never
crosses a fork: a child process starts a loop of its own.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import Future, as_completed
from typing import Any, TypeVar

import uvloop

from exchanges.errors import VenueError

T = TypeVar("T")

CLOSE_SECONDS = 5.0


class DeadlinePassed(VenueError):
    """We stopped waiting and cancelled the call: ask a read again, treat an order as unknown."""


class _LoopThread:
    """An event loop, the thread that runs it, and the process both belong to."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.loop = uvloop.new_event_loop()
        self.thread = threading.Thread(target=self._run, name="venue-loop", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(_cancel_all(), self.loop).result(CLOSE_SECONDS)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(CLOSE_SECONDS)
        self.loop.close()


_lock = threading.Lock()
_current: _LoopThread | None = None


def call(coroutine: Coroutine[Any, Any, T], timeout: float) -> T:
    """Run `coroutine` on the loop and return its result.

    Raise DeadlinePassed after `timeout` seconds; the coroutine is then cancelled.
    """
    if threading.current_thread() is _running().thread:
        coroutine.close()
        raise RuntimeError("loop.call would wait for itself: await the coroutine instead")
    future = spawn(coroutine)
    try:
        return future.result(timeout)
    except TimeoutError:
        # Done means that the coroutine ended by itself in this very moment, perhaps so.
        if future.done():
            return future.result()
        future.cancel()
    raise DeadlinePassed(f"no answer within {timeout:g} seconds")


def call_all(
    coroutines: Sequence[Coroutine[Any, Any, T]], timeout: float
) -> list[T | BaseException]:
    """Run all of them at once and return each one's result or its exception, in order.

    One that is not done after `timeout` seconds is cancelled and yields a TimeoutError.
    """
    return call(_gathered(coroutines, timeout), timeout + CLOSE_SECONDS) if coroutines else []


def as_they_come(
    coroutines: Iterable[Coroutine[Any, Any, T]], timeout: float
) -> Iterator[T | BaseException]:
    """Start all of them at once; yield each one's result or its exception, the soonest first.

    One that is not done after `timeout` seconds is cancelled and yields a TimeoutError.
    """
    # Started here and not where the first is asked for: in the lane of whoever calls.
    started = [spawn(_bounded(coroutine, timeout)) for coroutine in coroutines]
    return (future.result() for future in as_completed(started))


def spawn(coroutine: Coroutine[Any, Any, T]) -> Future[T]:
    """Start `coroutine` on the loop and return at once; cancelling the future cancels it."""
    return asyncio.run_coroutine_threadsafe(coroutine, _running().loop)


def close() -> None:
    """Cancel what still runs and stop the loop; a later call starts a new one."""
    global _current
    with _lock:
        running, _current = _current, None
    if running is not None and running.pid == os.getpid():
        running.stop()


def _running() -> _LoopThread:
    global _current
    with _lock:
        if _current is None or _current.pid != os.getpid():
            _current = _LoopThread()
        return _current


async def _bounded(coroutine: Coroutine[Any, Any, T], timeout: float) -> T | BaseException:
    [answer] = await _gathered([coroutine], timeout)
    return answer


async def _gathered(
    coroutines: Sequence[Coroutine[Any, Any, T]], timeout: float
) -> list[T | BaseException]:
    bounded = [asyncio.wait_for(coroutine, timeout) for coroutine in coroutines]
    return await asyncio.gather(*bounded, return_exceptions=True)


async def _cancel_all() -> None:
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _forget_lock() -> None:
    """Replace a lock that another thread may have held when this process was forked."""
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_forget_lock)
