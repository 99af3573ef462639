"""Long lists are read to the end, each row once, whatever way the venue hands them out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from exchanges.ccxt_adapter.faults import PARSE_FAILURES
from exchanges.ccxt_adapter.parse import milliseconds
from exchanges.ccxt_adapter.rows import fetch_rows, fetch_since
from exchanges.errors import UnexpectedPayload
from exchanges.venues.rows import Paging, Rows

pytestmark = pytest.mark.protocol

NOW = datetime(2026, 1, 10, tzinfo=UTC)
COLUMNS = {"time": "time", "key": "id"}


class HistoryVenue:
    """Answers a time-ranged list the way the paging of a venue prescribes."""

    id = "history"

    def __init__(self, paging: Paging, page_size: int, rows: list[dict[str, Any]]) -> None:
        self.paging, self.page_size, self.rows = paging, page_size, rows
        self.windows: list[timedelta] = []

    async def history(self, request: Mapping[str, Any]) -> Any:
        start, end = request["startTime"], request["endTime"]
        self.windows.append(timedelta(milliseconds=end - start))
        found = [row for row in self.rows if start <= row["time"] <= end]
        if self.paging is Paging.FORWARD:
            return found[: self.page_size]
        found.reverse()
        if self.paging is Paging.BACKWARD:
            return found[: self.page_size]
        skip = int(request.get("cursor", 0))
        page = found[skip : skip + self.page_size]
        following = str(skip + self.page_size) if len(found) > skip + self.page_size else ""
        return {"result": {"list": page, "nextPageCursor": following}}


def rows_of(paging: Paging, page_size: int) -> Rows:
    path = ("result", "list") if paging is Paging.CURSOR else ()
    return Rows(method="history", columns=COLUMNS, path=path, paging=paging, page_size=page_size)


def booked(*minutes: int) -> list[dict[str, Any]]:
    """Return rows booked so many minutes before now, oldest first."""
    start = milliseconds(NOW)
    return [
        {"id": number, "time": start - minute * 60_000}
        for number, minute in enumerate(sorted(minutes, reverse=True))
    ]


@pytest.mark.parametrize("paging", [Paging.FORWARD, Paging.BACKWARD, Paging.CURSOR])
def test_every_row_comes_once_oldest_first(paging: Paging) -> None:
    # Three share a minute, so that a page ends in the middle of an instant.
    venue = HistoryVenue(paging, 4, booked(*range(25), 7, 7))

    found = asyncio.run(
        fetch_since(venue, rows_of(paging, 4), since=NOW - timedelta(hours=1), now=NOW)
    )

    assert [row["id"] for row in found] == list(range(27))


def test_span_longer_than_a_venue_allows_is_asked_in_windows() -> None:
    venue = HistoryVenue(Paging.FORWARD, 100, booked(*range(0, 20 * 24 * 60, 60)))

    found = asyncio.run(
        fetch_since(venue, rows_of(Paging.FORWARD, 100), since=NOW - timedelta(days=20), now=NOW)
    )

    assert len(found) == 480
    assert max(venue.windows) <= timedelta(days=7)


def test_row_booked_by_a_venue_whose_clock_is_ahead_is_not_missed() -> None:
    venue = HistoryVenue(Paging.FORWARD, 100, [{"id": 1, "time": milliseconds(NOW) + 900}])

    found = asyncio.run(
        fetch_since(venue, rows_of(Paging.FORWARD, 100), since=NOW - timedelta(minutes=1), now=NOW)
    )

    assert [row["id"] for row in found] == [1]


@pytest.mark.parametrize("paging", [Paging.FORWARD, Paging.BACKWARD])
def test_instant_with_more_rows_than_a_page_raises_instead_of_losing_some(paging: Paging) -> None:
    venue = HistoryVenue(paging, 3, booked(5, 5, 5, 5))

    with pytest.raises(UnexpectedPayload, match="one millisecond"):
        asyncio.run(fetch_since(venue, rows_of(paging, 3), since=NOW - timedelta(hours=1), now=NOW))


class OneAnswerVenue:
    id = "one"

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    async def ask(self, request: Mapping[str, Any]) -> Any:
        return self.answer


@pytest.mark.parametrize("answer", [{}, {"result": {}}, {"result": {"list": "none"}}, "text", [1]])
def test_answer_of_another_shape_raises_instead_of_being_empty(answer: Any) -> None:
    rows = Rows(method="ask", path=("result", "list"))

    with pytest.raises(PARSE_FAILURES):
        asyncio.run(fetch_rows(OneAnswerVenue(answer), rows))


class BillsOfOkx:
    """Answers two lists by time and by id, newest first: one is up to date, one reaches back."""

    id = "okx"

    def __init__(self, rows: list[dict[str, Any]], *, page_size: int) -> None:
        self._rows, self._page_size = rows, page_size
        self.asked: list[tuple[str, Any]] = []

    async def archive(self, request: Mapping[str, Any]) -> Any:
        # It lags by an hour.
        return self._page("archive", request, until=NOW - timedelta(hours=1))

    async def recent(self, request: Mapping[str, Any]) -> Any:
        return self._page("recent", request, since=NOW - timedelta(days=7))

    def _page(self, name: str, request: Mapping[str, Any], **span: datetime) -> Any:
        self.asked.append((name, request.get("after")))
        assert request["limit"] == self._page_size
        since = max(
            request["begin"], milliseconds(span.get("since", datetime.min.replace(tzinfo=UTC)))
        )
        until = min(request["end"], milliseconds(span.get("until", NOW + timedelta(hours=1))))
        found = [row for row in reversed(self._rows) if since <= row["time"] <= until]
        older = request.get("after")
        if older is not None:
            found = [row for row in found if row["id"] < older]
        return {"data": found[: self._page_size]}


BILLS = Rows(
    method="archive",
    path=("data",),
    columns={**COLUMNS, "page": "id"},
    paging=Paging.OLDER_THAN_ID,
    page_size=3,
    span=("begin", "end"),
    window=timedelta(days=92),
    recent=("recent", timedelta(days=6)),
)


def test_list_by_id_is_read_to_its_end_though_rows_share_an_instant() -> None:
    venue = BillsOfOkx(booked(5, 5, 5, 5, 4, 3, 2), page_size=3)

    found = asyncio.run(fetch_since(venue, BILLS, since=NOW - timedelta(hours=1), now=NOW))

    assert [row["id"] for row in found] == list(range(7))
    assert venue.asked == [("recent", None), ("recent", 4), ("recent", 1)]


def test_old_rows_come_from_the_archive_and_the_latest_from_the_list_that_is_up_to_date() -> None:
    day = 24 * 60
    venue = BillsOfOkx(booked(20 * day, 6 * day + 5, 3 * day, 10), page_size=3)

    found = asyncio.run(fetch_since(venue, BILLS, since=NOW - timedelta(days=30), now=NOW))

    assert [row["id"] for row in found] == [0, 1, 2, 3]
    assert {name for name, _ in venue.asked} == {"archive", "recent"}
