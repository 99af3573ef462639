"""How a raw call that answers with rows is described: its method, its columns, its pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

from exchanges.domain import InstrumentKind

EMPTY: Mapping[str, str] = MappingProxyType({})


class Paging(StrEnum):
    """How a venue hands out a long list."""

    SINGLE = "single"
    FORWARD = "forward"
    BACKWARD = "backward"
    CURSOR = "cursor"
    # Newest first; the next page is what is older than the id at the end of the last.
    OLDER_THAN_ID = "older_than_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """One raw call that answers with rows: its ccxt method, and what the columns are called.

    `path` leads down to the list; an answer that is one row counts as a list of one.
    """

    method: str
    columns: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    params: Mapping[str, object] = field(default_factory=lambda: EMPTY)
    path: tuple[str, ...] = ()
    paging: Paging = Paging.SINGLE
    page_size: int = 0
    window: timedelta = timedelta(days=7)
    # The parameters that bound a list by time, in milliseconds.
    span: tuple[str, str] = ("startTime", "endTime")
    # One request per entry where a venue wants the list asked for in parts.
    parts: tuple[Mapping[str, object], ...] = (EMPTY,)
    # Sent besides for an instrument of that kind.
    of_kind: Mapping[InstrumentKind, Mapping[str, object]] = field(default_factory=dict)
    # What names an instrument here instead of its symbol: parameter by key of the raw listing.
    of_listing: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    # The same by what is kept of an instrument, so that one that is listed no more is named too.
    of_instrument: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    # Of all instruments in one list: none is named in the request, `symbol` tells them apart.
    lists_all: bool = False
    # The parameter that names all instruments asked of, where no list tells of all.
    names_param: str = ""
    # The call that is up to date, and how far back it reaches, where `method` itself lags.
    recent: tuple[str, timedelta] | None = None
