"""The cells of the funding table from a board alone."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest

from exchanges.board import Board
from exchanges.domain import FundingRate, IntervalSource, Symbol
from tests.market import NOW, PERP
from trading.selectors.rates import (
    HEAT_FULL,
    Cell,
    RateSheet,
    VenueColumn,
    heat,
    heat_scale,
    next_fundings,
    rate_cells,
)
from trading.ticker import Pulse

pytestmark = pytest.mark.core

HOURS_8 = 28_800
SHEET = RateSheet(
    venues=(
        VenueColumn(code="bybit", short_code="BYB", name="Bybit", interval_seconds=HOURS_8),
        VenueColumn(code="okx", short_code="OKX", name="OKX", interval_seconds=HOURS_8),
    ),
    venue_codes=("bybit", "okx"),
    symbols={("BTC", "bybit"): PERP, ("BTC", "okx"): PERP},
)


def make_rate(
    venue: str = "bybit",
    rate: str = "0.0001",
    *,
    interval: int | None = HOURS_8,
    age: float = 0,
    due: timedelta = timedelta(hours=1),
) -> FundingRate:
    return FundingRate(
        venue=venue,
        symbol=Symbol(PERP),
        funding_rate=D(rate),
        interval_seconds=interval,
        interval_source=IntervalSource.VENUE if interval else IntervalSource.CONFLICTING,
        next_funding_at=NOW + due,
        observed_at=NOW - timedelta(seconds=age),
    )


def cells_of(*facts: FundingRate) -> dict[str, Cell]:
    board = Board()
    for fact in facts:
        board.apply(fact)
    return rate_cells(SHEET, board, NOW)


def test_a_rate_is_annualised_by_its_own_interval() -> None:
    cells = cells_of(make_rate(), make_rate("okx", interval=3600))

    # 0.0001 every 8 h is 10.95 %, every hour 87.6 %. Their median, 49 %, makes 90 % the full heat.
    assert cells["r.BTC.bybit"] == Cell("+11.0", "hp1", "+0.0100% / 8h")
    assert cells["r.BTC.okx"].text == "+87.6"
    assert "odd" in cells["r.BTC.okx"].classes


def test_a_rate_without_a_known_interval_is_marked_and_never_annualised() -> None:
    cell = cells_of(make_rate(interval=None))["r.BTC.bybit"]

    assert cell.text == "?"
    assert cell.title == "+0.0100%, interval conflicting: not tradable"


def test_a_feed_older_than_ten_seconds_is_hatched_and_its_column_marked() -> None:
    cells = cells_of(make_rate(age=11), make_rate("okx", age=9))

    assert cells["r.BTC.bybit"].classes == "stale"
    assert cells["h.bybit"].classes == "warn"
    assert cells["h.okx"].classes == ""
    assert cells["v.bybit.state"] == Cell("STALE", "down")
    assert cells["v.okx.state"] == Cell("SLOW", "warn")


def test_silence_is_down_and_unknown_and_never_zero() -> None:
    cells = cells_of()

    assert cells["r.BTC.bybit"] == Cell("?", "stale", "no rate received")
    assert cells["v.bybit.state"] == Cell("DOWN", "down")
    assert cells["v.bybit.age"].text == "?"


@pytest.mark.parametrize(
    ("apr", "step"),
    [("0.02", ""), ("0.03", "hp1"), ("-0.08", "hn2"), ("0.15", "hp3"), ("-0.3", "hn4")],
)
def test_heat_has_five_steps_and_two_signs(apr: str, step: str) -> None:
    assert heat(D(apr), HEAT_FULL) == step


def test_the_heat_scale_doubles_where_all_rates_are_high() -> None:
    assert heat_scale([D("0.1"), D("0.1")]) == HEAT_FULL
    # 1.5 x 1 = 1.5: 0.225 x 8 = 1.8 is the first doubling above it.
    assert heat_scale([D(1), D(-1), D(1)]) == D("1.8")
    assert heat_scale([]) == HEAT_FULL


def test_the_next_settlement_is_the_earliest_that_is_still_to_come() -> None:
    board = Board()
    board.apply(make_rate(due=timedelta(minutes=-1)))
    board.apply(make_rate("okx", due=timedelta(minutes=5)))

    assert next_fundings(SHEET, board, NOW) == {"BTC": NOW + timedelta(minutes=5)}


def test_a_pulse_carries_only_what_changed() -> None:
    before = Pulse({"a": Cell("1"), "b": Cell("2")}, {"n": 1})
    after = Pulse({"a": Cell("1"), "b": Cell("3")}, {"n": 2})

    assert after.since(before) == Pulse({"b": Cell("3")}, {"n": 2})
    assert after.since(after) == Pulse()
