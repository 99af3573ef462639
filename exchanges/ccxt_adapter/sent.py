"""When the request left that an answer came to: what the answer tells may be as old as that.

An answer may have been on its way for seconds, and nobody says for how many of them it was true. A
read that takes several requests is as old as its first. Waiting for room within our own limits
comes before sending and makes nothing older.
"""

from __future__ import annotations

from collections.abc import Awaitable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Read:
    """A read that is under way; tasks that it starts share it."""

    sent_at: datetime | None = None


_under_way: ContextVar[_Read | None] = ContextVar("under_way", default=None)


def note_sent(at: datetime) -> None:
    """Keep when the first request of the read under way left."""
    read = _under_way.get()
    if read is not None and read.sent_at is None:
        read.sent_at = at


async def since_sent(call: Awaitable[T], *, asked_at: datetime) -> tuple[T, datetime]:
    """Await a read; return its answer and when its first request left.

    Where nothing had to be sent that is when it was asked. `call` has not begun yet, and no other
    such read is within it.
    """
    read = _Read()
    outer = _under_way.set(read)
    try:
        answer = await call
    finally:
        _under_way.reset(outer)
    return answer, read.sent_at or asked_at
