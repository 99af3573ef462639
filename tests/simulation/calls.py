"""How services call venues here: at once, on the timeline, with deadlines that really pass."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from exchanges.loop import DeadlinePassed
from tests.simulation.crash import Boundaries, Crash
from tests.simulation.timeline import TimelineLoop

T = TypeVar("T")


class ServiceCalls:
    """`call` and `call_all` of `exchanges.loop`, with a boundary before and after each batch."""

    def __init__(self, loop: TimelineLoop, boundaries: Boundaries) -> None:
        self._loop = loop
        self._boundaries = boundaries

    def call(self, coroutine: Coroutine[Any, Any, T], timeout: float) -> T:
        self._pass_by("call", [coroutine])
        try:
            return self._loop.run_until_complete(asyncio.wait_for(coroutine, timeout))
        except TimeoutError:
            raise DeadlinePassed(f"no answer within {timeout:g} seconds") from None

    def call_all(
        self, coroutines: Sequence[Coroutine[Any, Any, T]], timeout: float
    ) -> list[T | BaseException]:
        if not coroutines:
            return []
        self._pass_by("calls", coroutines)
        answers = self._loop.run_until_complete(_gathered(coroutines, timeout))
        for answer in answers:
            if isinstance(answer, Crash):
                raise answer
        self._boundaries.pass_by("called")
        return answers

    def _pass_by(self, name: str, coroutines: Sequence[Coroutine[Any, Any, T]]) -> None:
        try:
            self._boundaries.stand_still()
            self._boundaries.pass_by(name)
        except Crash:
            for coroutine in coroutines:
                coroutine.close()
            raise


async def _gathered(
    coroutines: Sequence[Coroutine[Any, Any, T]], timeout: float
) -> list[T | BaseException]:
    bounded = [asyncio.wait_for(coroutine, timeout) for coroutine in coroutines]
    return await asyncio.gather(*bounded, return_exceptions=True)
