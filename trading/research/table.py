"""A comparison of rules as text, losses included."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from trading.core.money import for_display, signed
from trading.research.ledger import ReplayResult

COLUMNS = (
    "% a year",
    "trades",
    "lost",
    "funding bp",
    "price bp",
    "cost bp",
    "net bp",
    "worst bp",
    "fall bp",
    "in market",
)
GAP = "  "


def comparison(rows: Sequence[tuple[str, ReplayResult]]) -> str:
    """Return the table; returns and sums are of one leg's notional, simple, idle time included."""
    cells = [("", *COLUMNS), *((title, *_cells(result)) for title, result in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    return "\n".join(
        GAP.join(
            [
                row[0].ljust(widths[0]),
                *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True)),
            ]
        ).rstrip()
        for row in cells
    )


def _cells(result: ReplayResult) -> tuple[str, ...]:
    return (
        signed(result.per_year * 100, 2),
        str(len(result.trades)),
        str(result.lost),
        _bp(result.funding),
        _bp(result.price),
        _bp(-result.cost),
        _bp(result.funding + result.price - result.cost),
        _bp(result.worst),
        _bp(-result.drawdown),
        f"{for_display(result.time_in_market * 100, 0)} %",
    )


def _bp(fraction: Decimal) -> str:
    return signed(fraction * 10_000, 0)
