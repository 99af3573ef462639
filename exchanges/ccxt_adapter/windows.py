"""Histories that a venue cuts off at some number of rows without saying where."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Row = dict[str, Any]
Ask = Callable[[int, int], Awaitable[list[Row]]]
# Tells besides whether there is more.
AskWhole = Callable[[int, int], Awaitable[tuple[list[Row], bool]]]
AskPage = Callable[[int], Awaitable[list[Row]]]

MOST_PAGES = 100


async def in_halves(ask: Ask, since: int, until: int, most: int) -> list[Row]:
    """Return all rows of a span in milliseconds: one as long as `most` rows is asked in halves."""

    async def told(start: int, end: int) -> tuple[list[Row], bool]:
        rows = await ask(start, end)
        return rows, len(rows) >= most

    return await until_whole(told, since, until)


async def until_whole(ask: AskWhole, since: int, until: int) -> list[Row]:
    """Return all rows of a span in milliseconds: one that is told to be cut is asked in halves."""
    rows, is_cut = await ask(since, until)
    if not is_cut or until - since <= 1:
        return rows
    middle = (since + until) // 2
    earlier = await until_whole(ask, since, middle)
    return [*earlier, *await until_whole(ask, middle + 1, until)]


async def newest_first(ask: AskPage, request: Mapping[str, Any], size: int) -> list[Row]:
    """Return the rows of pages numbered from 1, newest first, back to `since`, up to `until`."""
    found: list[Row] = []
    for number in range(1, MOST_PAGES + 1):
        page = await ask(number)
        found += page
        if len(page) < size or min(row["time"] for row in page) < request["since"]:
            break
    return [row for row in found if request["since"] <= row["time"] <= request["until"]]
