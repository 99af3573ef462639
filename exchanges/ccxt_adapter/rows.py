"""Raw rows of a venue: one call, or all pages of a list, with no row lost and none twice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from exchanges.ccxt_adapter.listing import Listing
from exchanges.ccxt_adapter.parse import milliseconds, moment
from exchanges.errors import UnexpectedPayload
from exchanges.venues.profile import VenueProfile
from exchanges.venues.rows import Paging, Rows

Row = Mapping[str, Any]
T = TypeVar("T")

CURSOR_PATH = ("result", "nextPageCursor")
# The venue's clock may run ahead of ours; what it just booked must not fall outside.
CLOCK_SLACK = timedelta(minutes=1)
MOST_PAGES = 1000


def naming(rows: Rows, profile: VenueProfile, listing: Listing) -> dict[str, Any]:
    """Return the parameters by which a call names an instrument; a list of all needs none."""
    if rows.lists_all:
        return {}
    named: dict[str, Any] = {profile.symbol_param: listing.instrument.venue_symbol}
    if rows.of_listing:
        info = listing.market["info"]
        named = {param: info[key] for param, key in rows.of_listing.items()}
    kept = listing.instrument
    named |= {param: getattr(kept, name) for param, name in rows.of_instrument.items()}
    return {**rows.of_kind.get(listing.instrument.kind, {}), **named}


def of_one(rows: Rows, listing: Listing, answer: Sequence[Row]) -> Sequence[Row]:
    """Return the rows of one instrument where a list is of all."""
    if not rows.lists_all:
        return answer
    symbol, name = rows.columns["symbol"], listing.instrument.venue_symbol
    return [row for row in answer if row[symbol] == name]


async def fetch_rows(exchange: Any, rows: Rows, **params: Any) -> list[Row]:
    """Return the rows of one call, of all its parts and of all pages of a list."""
    found: list[Row] = []
    for part in rows.parts:
        request = {**rows.params, **part, **params}
        if rows.paging is Paging.CURSOR:
            found += await _by_cursor(exchange, rows, request)
        elif rows.paging is Paging.OLDER_THAN_ID:
            found += await _by_id(exchange, rows, request)
        else:
            found += _rows_in(await _answer(exchange, rows, request), rows.path)
    return found


async def fetch_one(exchange: Any, rows: Rows, **params: Any) -> Row:
    """Return the row of a call that tells of one thing; raise LookupError where it is not one."""
    found = await fetch_rows(exchange, rows, **params)
    if len(found) != 1:
        raise LookupError(f"{len(found)} rows instead of one")
    return found[0]


async def all_of(calls: Iterable[Awaitable[T]]) -> list[T]:
    """Return the answers of calls made at once; raise the first failure when all have ended."""
    answers = await asyncio.gather(*calls, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return cast("list[T]", answers)


async def fetch_since(
    exchange: Any, rows: Rows, *, since: datetime, now: datetime, **params: Any
) -> list[Row]:
    """Return all rows from `since` to `now`, oldest first, each once."""
    found: dict[str, Row] = {}
    for source, begin in _sources(rows, since, now):
        start, end = begin, now + CLOCK_SLACK
        while start < end:
            until = min(start + rows.window, end)
            for part in rows.parts:
                for row in await _window(exchange, source, start, until, {**part, **params}):
                    found[str(row[rows.columns["key"]])] = row
            start = until
    time, ordered = rows.columns["time"], list(found.values())
    if rows.paging is not Paging.FORWARD:
        ordered.reverse()
    return sorted(ordered, key=lambda row: int(row[time]))


def _sources(rows: Rows, since: datetime, now: datetime) -> list[tuple[Rows, datetime]]:
    """Return which calls tell all since then, and from when on each is asked."""
    if rows.recent is None:
        return [(rows, since)]
    method, reach = rows.recent
    recent, horizon = replace(rows, method=method), now - reach
    return [(recent, since)] if since >= horizon else [(rows, since), (recent, horizon)]


async def _window(
    exchange: Any, rows: Rows, start: datetime, until: datetime, params: Mapping[str, Any]
) -> list[Row]:
    """Return the rows of one window, which is as long as the venue lets us ask for."""
    if rows.paging in (Paging.CURSOR, Paging.OLDER_THAN_ID):
        paged = _by_cursor if rows.paging is Paging.CURSOR else _by_id
        request = {**rows.params, **params, **span_of(rows, start, until)}
        return await paged(exchange, rows, request)
    found: list[Row] = []
    for _ in range(MOST_PAGES):
        span = span_of(rows, start, until)
        request = {**rows.params, **params, **span, "limit": rows.page_size}
        page = _rows_in(await _answer(exchange, rows, request), rows.path)
        found += page
        if len(page) < rows.page_size:
            return found
        times = [moment(row[rows.columns["time"]]) for row in page]
        # The edge instant is asked for again: it may hold more rows than fitted.
        if rows.paging is Paging.FORWARD:
            start, edge = max(times), start
            stuck = start == edge
        else:
            until, edge = min(times), until
            stuck = until == edge
        if stuck:
            raise UnexpectedPayload(
                f"more than {rows.page_size} rows in one millisecond", venue=exchange.id
            )
    raise UnexpectedPayload(f"more than {MOST_PAGES} pages in one window", venue=exchange.id)


def span_of(rows: Rows, start: datetime, until: datetime) -> dict[str, int]:
    """Return the parameters that bound a call by time, in milliseconds."""
    begin, end = rows.span
    return {begin: milliseconds(start), end: milliseconds(until)}


async def _by_id(exchange: Any, rows: Rows, request: Mapping[str, Any]) -> list[Row]:
    found: list[Row] = []
    sized = {**request, "limit": rows.page_size}
    older: dict[str, Any] = {}
    for _ in range(MOST_PAGES):
        page = _rows_in(await _answer(exchange, rows, {**sized, **older}), rows.path)
        found += page
        if len(page) < rows.page_size:
            return found
        before, older = older, {"after": page[-1][rows.columns["page"]]}
        if older == before:
            raise UnexpectedPayload("the same page twice", venue=exchange.id)
    raise UnexpectedPayload(f"more than {MOST_PAGES} pages", venue=exchange.id)


async def _by_cursor(exchange: Any, rows: Rows, request: Mapping[str, Any]) -> list[Row]:
    found: list[Row] = []
    sized = {**request, "limit": rows.page_size} if rows.page_size else dict(request)
    cursor = ""
    for _ in range(MOST_PAGES):
        answer = await _answer(exchange, rows, {**sized, "cursor": cursor} if cursor else sized)
        page = _rows_in(answer, rows.path)
        found += page
        following = _cursor(answer)
        if not page or not following or following == cursor:
            return found
        cursor = following
    raise UnexpectedPayload(f"more than {MOST_PAGES} pages", venue=exchange.id)


async def _answer(exchange: Any, rows: Rows, request: Mapping[str, Any]) -> Any:
    return await getattr(exchange, rows.method)(dict(request))


def _cursor(answer: Any) -> str:
    for key in CURSOR_PATH:
        answer = answer.get(key, "")
    return str(answer or "")


def _rows_in(answer: Any, path: Sequence[str]) -> list[Row]:
    """Return the rows at `path`; raise LookupError or TypeError on any other shape."""
    for key in path:
        answer = answer[int(key)] if isinstance(answer, list) else answer[key]
    rows = answer if isinstance(answer, list) else [answer]
    if not all(isinstance(row, dict) for row in rows):
        raise TypeError("rows of another shape")
    return rows
