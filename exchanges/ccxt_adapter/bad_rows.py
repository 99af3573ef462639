"""One bad row of a list: counted, told of and left out, so that it costs no other row its fact."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from exchanges.ccxt_adapter.sockets import HANDLER_FAILURES, LOST

logger = logging.getLogger(__name__)
R = TypeVar("R")
C = TypeVar("C")
T = TypeVar("T")

BAD_ROW = "row"


def take_each(rows: Iterable[R], take: Callable[[R, C], bool], context: C, name: str) -> None:
    """Call `take` with each row and the context of all; it tells whether the row was of ours.

    A row it fails on is left out and counted beside the messages that nobody understood. Raise the
    failure where no row of ours was good: that is no bad row but another kind of list.
    """
    good, bad, failure = 0, 0, None
    for row in rows:
        try:
            good += take(row, context)
        except HANDLER_FAILURES as error:
            bad, failure = bad + 1, error
    if failure is None:
        return
    if not good:
        raise failure
    _count(name, bad, failure)


def made_of(rows: Iterable[R], make: Callable[[R], T], name: str) -> list[T]:
    """Return what is made of each row, a bad one left out as above."""
    made: list[T] = []

    def take(row: R, _: None) -> bool:
        made.append(make(row))
        return True

    take_each(rows, take, None, name)
    return made


def _count(name: str, bad: int, failure: BaseException) -> None:
    """Count rows in this process and say so at each doubling; no value of a row is told."""
    before = LOST[name, BAD_ROW]
    LOST[name, BAD_ROW] = now = before + bad
    if now.bit_length() > before.bit_length():
        extra = {"feed": name, "reason": type(failure).__name__, "times": now}
        logger.warning("bad row left out", extra=extra)
