"""The funding table as rows of slots; each slot knows the key under which it changes live."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from trading.models import Opportunity
from trading.selectors.rates import NOT_LISTED, Cell, Cells, VenueColumn, next_fundings
from trading.selectors.screen import Screen
from trading.selectors.settled import LABELS, RateBasis, settled_cells

# Columns right of the pair: field of the live cell → class of its column.
FIGURES = {"spread": "", "net": "net", "even": "dim", "cap": "dim"}
EMPTY = Cell("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One table cell. `tag` is L or S where the venue is a leg of the best pair."""

    key: str
    cell: Cell
    tag_key: str = ""
    tag: str = ""
    base_class: str = ""

    @property
    def is_listed(self) -> bool:
        return self.cell is not NOT_LISTED


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingRow:
    """One base asset with its rates, its best pair and the time of the earlier settlement."""

    base: str
    rates: list[Slot]
    long: Slot
    short: Slot
    figures: list[Slot]
    next_at: datetime | None
    found: Opportunity | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingTable:
    """`bases` are (value, label) of the choice of rates; only predicted rates change live."""

    basis: RateBasis
    bases: list[tuple[str, str]]
    heads: list[tuple[VenueColumn, Slot]]
    lines: list[FundingRow]


def funding_table(screen: Screen, basis: RateBasis) -> FundingTable:
    """Return the rows by net APR, the best first; bases without a pair come last."""
    cells, columns = screen.cells, screen.sheet.venues
    if basis is not RateBasis.PREDICTED:
        cells = cells | settled_cells(screen.sheet, basis, screen.now)
    times = next_fundings(screen.sheet, screen.board, screen.now)
    heads = [(column, _slot(cells, f"h.{column.code}")) for column in columns]
    lines = [
        FundingRow(
            base=base,
            rates=[_rate_slot(cells, base, column.code) for column in columns],
            long=_slot(cells, f"p.{base}.long"),
            short=_slot(cells, f"p.{base}.short"),
            figures=[
                _slot(cells, f"p.{base}.{name}", base_class=column_class)
                for name, column_class in FIGURES.items()
            ],
            next_at=times.get(base),
            found=screen.best_pairs.get(base),
        )
        for base in screen.ranked_bases
    ]
    return FundingTable(basis=basis, bases=list(LABELS.items()), heads=heads, lines=lines)


def _slot(cells: Cells, key: str, base_class: str = "") -> Slot:
    return Slot(key=key, cell=cells.get(key, EMPTY), base_class=base_class)


def _rate_slot(cells: Cells, base: str, venue: str) -> Slot:
    key, tag_key = f"r.{base}.{venue}", f"t.{base}.{venue}"
    tag = cells.get(tag_key, EMPTY).text
    return Slot(key=key, cell=cells.get(key, NOT_LISTED), tag_key=tag_key, tag=tag)
