"""Histories that a venue cuts off at some number of rows without saying where."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Row = dict[str, Any]
Ask = Callable[[int, int], Awaitable[list[Row]]]
AskPage = Callable[[int], Awaitable[list[Row]]]

MOST_PAGES = 100


async def in_halves(ask: Ask, since: int, until: int, most: int) -> list[Row]:
    """Return all rows of a span in milliseconds: one as long as `most` rows is asked in halves."""
    rows = await ask(since, until)
    if len(rows) < most or until - since <= 1:
        return rows
    middle = (since + until) // 2
    earlier = await in_halves(ask, since, middle, most)
    return [*earlier, *await in_halves(ask, middle + 1, until, most)]


async def newest_first(ask: AskPage, request: Mapping[str, Any], size: int) -> list[Row]:
    """Return the rows of pages numbered from 1, newest first, back to `since`, up to `until`."""
    found: list[Row] = []
    for number in range(1, MOST_PAGES + 1):
        page = await ask(number)
        found += page
        if len(page) < size or min(row["time"] for row in page) < request["since"]:
            break
    return [row for row in found if request["since"] <= row["time"] <= request["until"]]
