"""The funding table: one row per base asset, one column per venue, cells that change live.

`rate_cells` is called up to four times a second for all open pages of a process at once; it reads
the board only. What the database knows (which instrument is which cell) is in the `RateSheet`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from statistics import median
from typing import NamedTuple
from uuid import UUID

from exchanges.board import Board, Channel
from exchanges.domain import FundingRate, InstrumentKind, Symbol
from exchanges.models import Exchange, Instrument
from trading.core.funding import annualised_rate
from trading.selectors.board import is_stale
from trading.selectors.venues import venue_feed
from trading.templatetags import carry_format as carry

PREFERRED_SETTLE = ("USDT", "USDC", "USD")
# Annualised, calm markets: from 22.5 % on the strongest of the four colours.
HEAT_FULL = Decimal("0.225")
HEAT_STEPS = (Decimal("0.11"), Decimal("0.31"), Decimal("0.62"), Decimal(1))


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueColumn:
    """One venue with perpetuals; the interval most of its instruments have."""

    code: str
    short_code: str
    name: str
    interval_seconds: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RateSheet:
    """Which instrument stands in which cell: (base, venue code) → symbol."""

    venues: tuple[VenueColumn, ...]
    venue_codes: tuple[str, ...]
    symbols: Mapping[tuple[str, str], Symbol]

    @property
    def bases(self) -> list[str]:
        return list(dict.fromkeys(base for base, _ in self.symbols))


class Listed(NamedTuple):
    """What the table wants to know of an instrument."""

    exchange_id: UUID
    base: str
    settle: str
    symbol: str
    funding_interval_seconds: int | None


@dataclass(frozen=True, slots=True)
class Cell:
    """What one element of a page shows: its text, its changing classes, its tooltip."""

    text: str
    classes: str = ""
    title: str = ""


Cells = dict[str, Cell]
NOT_LISTED = Cell("—", "vx", "not listed")


def rate_sheet(exchanges: Iterable[Exchange]) -> RateSheet:
    """Return the cells of all perpetuals of these exchanges, bases in alphabetical order."""
    by_venue = {exchange.id: exchange for exchange in exchanges}
    perpetuals = Instrument.objects.filter(
        exchange__in=by_venue, kind=InstrumentKind.PERPETUAL, is_active=True
    ).order_by("base")
    # Thousands of rows, of which five columns are looked at: making models of them was most of
    # the time.
    rows = perpetuals.values_list(*Listed._fields)
    symbols: dict[tuple[str, str], Symbol] = {}
    intervals: dict[str, Counter[int]] = {}
    for instrument in sorted(map(Listed._make, rows), key=_preference):
        code = by_venue[instrument.exchange_id].code
        symbols.setdefault((instrument.base, code), Symbol(instrument.symbol))
        counter = intervals.setdefault(code, Counter())
        if instrument.funding_interval_seconds is not None:
            counter[instrument.funding_interval_seconds] += 1
    columns = tuple(
        VenueColumn(
            code=exchange.code,
            short_code=exchange.short_code,
            name=exchange.name,
            interval_seconds=_commonest(intervals[exchange.code]),
        )
        for exchange in by_venue.values()
        if exchange.code in intervals
    )
    codes = tuple(exchange.code for exchange in by_venue.values())
    return RateSheet(venues=columns, venue_codes=codes, symbols=symbols)


def rate_cells(sheet: RateSheet, board: Board, now: datetime) -> Cells:
    """Return every live cell that is the same for all users: rates, column heads, feed health."""
    rates = {
        place: row.funding
        for place, symbol in sheet.symbols.items()
        if (row := board.row(place[1], symbol)) is not None and row.funding is not None
    }
    full = heat_scale([apr for rate in rates.values() if (apr := _apr(rate)) is not None])
    cells: Cells = {}
    for column in sheet.venues:
        stale = is_stale(board, column.code, Channel.FUNDING, now)
        cells[f"h.{column.code}"] = Cell("", "warn" if stale else "")
        for base in sheet.bases:
            if (base, column.code) in sheet.symbols:
                rate = rates.get((base, column.code))
                cells[f"r.{base}.{column.code}"] = _rate_cell(rate, column, stale, full)
    return cells | _feed_cells(sheet.venue_codes, board, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLine:
    """The rate of one perpetual as it stands; `apr` None while its interval is not known."""

    base: str
    venue: str
    symbol: str
    funding_rate: Decimal
    interval_seconds: int | None
    apr: Decimal | None
    mark_price: Decimal | None
    next_funding_at: datetime | None
    observed_at: datetime


def rate_lines(sheet: RateSheet, board: Board) -> list[RateLine]:
    """Return every rate that was received, in the order of the sheet."""
    lines = []
    for (base, venue), symbol in sheet.symbols.items():
        row = board.row(venue, symbol)
        if row is None or row.funding is None:
            continue
        rate = row.funding
        line = RateLine(
            base=base,
            venue=venue,
            symbol=symbol,
            funding_rate=rate.funding_rate,
            interval_seconds=rate.interval_seconds,
            apr=_apr(rate),
            mark_price=None if row.quote is None else row.quote.mark_price,
            next_funding_at=rate.next_funding_at,
            observed_at=rate.observed_at,
        )
        lines.append(line)
    return lines


def next_fundings(sheet: RateSheet, board: Board, now: datetime) -> dict[str, datetime]:
    """Return the earliest coming settlement of each base over its venues."""
    times: dict[str, datetime] = {}
    for (base, venue), symbol in sheet.symbols.items():
        row = board.row(venue, symbol)
        if row is None or row.funding is None or row.funding.next_funding_at is None:
            continue
        at = row.funding.next_funding_at
        if at > now and (base not in times or at < times[base]):
            times[base] = at
    return times


def heat_scale(aprs: Sequence[Decimal]) -> Decimal:
    """Return the annualised rate of the strongest colour: doubled until the median fits well in.

    Rehearsal settles every few minutes, where every rate would have the same, strongest colour.
    """
    full = HEAT_FULL
    middle = median(abs(apr) for apr in aprs) if aprs else Decimal(0)
    while full < middle * Decimal("1.5"):
        full *= 2
    return full


def heat(apr: Decimal, full: Decimal) -> str:
    """Return the class of a rate: `hp1…4` where longs pay, `hn1…4` where they receive."""
    step = sum(1 for share in HEAT_STEPS if abs(apr) >= share * full)
    return f"{'hp' if apr > 0 else 'hn'}{step}" if step else ""


def _rate_cell(rate: FundingRate | None, column: VenueColumn, stale: bool, full: Decimal) -> Cell:
    if rate is None:
        return Cell(carry.UNKNOWN, "stale", "no rate received")
    apr = _apr(rate)
    if apr is None:
        return Cell(
            carry.UNKNOWN,
            "odd",
            f"{carry.raw_rate(rate.funding_rate)}, interval {rate.interval_source}: not tradable",
        )
    classes = ["stale" if stale else heat(apr, full)]
    if rate.interval_seconds != column.interval_seconds:
        classes.append("odd")
    title = f"{carry.raw_rate(rate.funding_rate)} / {carry.interval(rate.interval_seconds)}"
    return Cell(carry.rate(apr), " ".join(filter(None, classes)), title)


def _feed_cells(codes: Iterable[str], board: Board, now: datetime) -> Cells:
    cells: Cells = {}
    for code in codes:
        feed = venue_feed(board, code, now)
        cells[f"v.{code}.glyph"] = Cell("", feed.glyph)
        cells[f"v.{code}.state"] = Cell(feed.health, feed.glyph)
        cells[f"v.{code}.age"] = Cell(carry.age(feed.age), feed.glyph)
    return cells


def _apr(rate: FundingRate) -> Decimal | None:
    if rate.interval_seconds is None:
        return None
    return annualised_rate(rate.funding_rate, rate.interval_seconds)


def _preference(instrument: Listed) -> tuple[str, int, str]:
    """Sort key: of several perpetuals on one base the one most people mean comes first."""
    known = instrument.settle in PREFERRED_SETTLE
    rank = PREFERRED_SETTLE.index(instrument.settle) if known else len(PREFERRED_SETTLE)
    return (instrument.base, rank, instrument.symbol)


def _commonest(intervals: Counter[int]) -> int | None:
    return intervals.most_common(1)[0][0] if intervals else None
