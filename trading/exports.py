"""Tables as files: CSV that a spreadsheet may open safely, and Parquet with exact decimals."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from importlib import import_module
from typing import Any

from trading.core.money import plain
from trading.selectors.exports import Kind, Table

# A spreadsheet runs what begins so; the apostrophe makes it a text there.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def as_csv(table: Table) -> bytes:
    """Return the table as UTF-8 CSV: numbers plain, negative ones too; texts never a formula."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow([column.name for column in table.columns])
    for row in table.rows:
        cells = zip(table.columns, row, strict=True)
        writer.writerow([CSV_CELLS[column.kind](value) for column, value in cells])
    return written.getvalue().encode()


def as_parquet(table: Table) -> bytes:
    """Return the table as Parquet: decimals of 18 places, times in UTC."""
    # Loaded when it is asked for: a second and 30 MB, which every start can spare.
    polars: Any = import_module("polars")
    types: dict[Kind, Any] = {
        Kind.TEXT: polars.String,
        Kind.NUMBER: polars.Decimal(38, 18),
        Kind.TIME: polars.Datetime("us", "UTC"),
    }
    frame = polars.DataFrame(
        list(table.rows),
        schema={column.name: types[column.kind] for column in table.columns},
        orient="row",
    )
    written = io.BytesIO()
    frame.write_parquet(written)
    return written.getvalue()


def _text(value: str) -> str:
    return f"'{value}" if value.startswith(FORMULA) else value


def _number(value: Decimal | None) -> str:
    return "" if value is None else plain(value)


def _time(value: datetime | None) -> str:
    return "" if value is None else value.isoformat()


CSV_CELLS: Mapping[Kind, Callable[[Any], str]] = {
    Kind.TEXT: _text,
    Kind.NUMBER: _number,
    Kind.TIME: _time,
}
FORMATS: Mapping[str, tuple[str, Callable[[Table], bytes]]] = {
    "csv": ("text/csv; charset=utf-8", as_csv),
    "parquet": ("application/vnd.apache.parquet", as_parquet),
}
"""Content type and writer by the ending of a file's name."""
