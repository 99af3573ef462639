"""The rows of a venue's list beside the listings they are of; a bad one costs no other its fact."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from exchanges.ccxt_adapter.bad_rows import made_of, take_each
from exchanges.ccxt_adapter.listing import Listing
from exchanges.ccxt_adapter.rows import Row
from exchanges.domain import InstrumentKind
from exchanges.venues.profile import VenueProfile
from exchanges.venues.rows import Rows

T = TypeVar("T")
Pair = tuple[Row, Listing]


def known(
    profile: VenueProfile, answer: Sequence[Row], rows: Rows, listings: Mapping[str, Listing]
) -> list[Pair]:
    """Return the rows of what we list; the rest is inverse, quanto, an option or delisted."""
    found: list[Pair] = []

    def take(row: Row, column: str) -> bool:
        listing = listings.get(row[column])
        if listing is not None:
            found.append((row, listing))
        return listing is not None

    take_each(answer, take, rows.columns["symbol"], list_name(profile, rows))
    return found


def perpetuals_of(pairs: Iterable[Pair]) -> list[Pair]:
    return [pair for pair in pairs if pair[1].instrument.kind is InstrumentKind.PERPETUAL]


def without_end(pairs: Iterable[Pair]) -> list[Pair]:
    """Return perpetuals and spot: of what ends nobody keeps how much is traded."""
    return [pair for pair in pairs if pair[1].instrument.kind is not InstrumentKind.FUTURE]


def read_each(
    pairs: Iterable[Pair], read: Callable[[Row, Listing], T | None], name: str
) -> list[T]:
    """Return what is read of each row; a bad one is counted and left out, if not all are bad."""
    found = made_of(pairs, lambda pair: read(*pair), name)
    return [fact for fact in found if fact is not None]


def list_name(profile: VenueProfile, rows: Rows) -> str:
    """Return what the bad rows of a list are counted under."""
    return f"{profile.name} {rows.method}"
