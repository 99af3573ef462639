"""What is taken home: numbers that stay numbers, and no formula in any text."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from decimal import Decimal

import polars
import pytest

from tests.api.conftest import Desk, Program
from trading.exports import as_csv
from trading.models import Order, Position
from trading.selectors.exports import Column, Kind, Table

pytestmark = pytest.mark.db

FORMULAS = ("=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1")


def read(own: Program, name: str, **query: object) -> list[dict[str, str]]:
    answer = own.get(f"exports/{name}.csv", **query)
    assert answer.status_code == 200, answer.content
    assert answer["Content-Disposition"] == f'attachment; filename="carry-{name}.csv"'
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_that_a_spreadsheet_would_run_is_a_text_there(
    desk: Desk, own: Program, text: str
) -> None:
    Order.objects.filter(position=desk.position).update(refusal=text)
    Position.objects.filter(pk=desk.position.pk).update(base=text[:8])

    for row in read(own, "orders"):
        assert row["refusal"] == f"'{text}"
        assert row["base"] == f"'{text[:8]}"


def test_negative_numbers_stay_numbers() -> None:
    table = Table(
        columns=(Column("fee", Kind.NUMBER, str), Column("note", Kind.TEXT, str)),
        rows=[(Decimal("-0.000000000000000001"), "-1"), (None, "plain")],
    )

    assert as_csv(table) == b"fee,note\r\n-0.000000000000000001,'-1\r\n,plain\r\n"


def test_the_ledger_is_exported_oldest_first_and_within_a_span(desk: Desk, own: Program) -> None:
    filled_at = desk.now - timedelta(hours=6)

    everything = read(own, "trades")
    # Both were filled at one instant, in no order of their own.
    assert {row["price"] for row in everything} == {"100.01", "99.99"}
    assert read(own, "trades", since=desk.now.isoformat()) == []
    assert len(read(own, "trades", since=filled_at.isoformat())) == 2
    assert read(own, "trades", until=filled_at.isoformat()) == []
    assert [row["payment_usd"] for row in read(own, "funding")] == ["3"]


def test_ended_positions_are_exported_with_the_parts_of_their_result(
    desk: Desk, own: Program
) -> None:
    assert read(own, "positions") == []
    Position.objects.filter(pk=desk.position.pk).update(
        close_timestamp=desk.now, close_reason="manual"
    )

    [row] = read(own, "positions")

    assert (row["funding_usd"], row["fees_usd"], row["close_reason"]) == ("3", "1", "manual")


def test_parquet_keeps_decimals_exact_and_times_in_utc(desk: Desk, own: Program) -> None:
    answer = own.get("exports/trades.parquet")

    frame = polars.read_parquet(io.BytesIO(answer.content))
    assert set(frame["price"]) == {Decimal("100.01"), Decimal("99.99")}
    assert frame.schema["filled_at"] == polars.Datetime("us", "UTC")
    assert frame["filled_at"][0] == desk.now - timedelta(hours=6)
