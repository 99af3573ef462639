"""Three recorded days, an hour every three seconds: every booked payment is the recorded one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import polars as pl
import pytest

from tests.machine import ROOT, wait_until
from tests.scenarios.desk import ENDS, PATIENCE, Desk, running_desk

pytestmark = pytest.mark.scenario

RECORDED = ROOT.parent / "shared" / "data"
FILES = (RECORDED / "funding.parquet", RECORDED / "prices_1h_2h.parquet")
START, END = datetime(2025, 7, 1, tzinfo=UTC), datetime(2025, 7, 4, tzinfo=UTC)
BASES = ("BTC", "ETH", "SOL", "DOGE", "HYPE")
SECONDS_PER_HOUR = 3
SETTLEMENTS = 2
MOST_TRIES = 10
RECORDED_NAME = {"binanceusdm": "binance", "bybit": "bybit"}
# Positions are held by hand through everything: recorded hours move prices within seconds.
PATIENT = {
    "auto_entry": "",
    "symbols": ", ".join(f"{base}-USDT" for base in BASES),
    "order_fill_timeout_seconds": "5",
    "negative_spread_tolerance": "moderate",
    "funding_regime_exit": "",
    "basis_reduce_at": "",
    "take_profit_usd": "",
    "stop_loss_pct": "90",
    "max_spread": "1",
}

Rates = dict[tuple[str, str, datetime], Decimal]


@pytest.fixture
def desk(tmp_path: Path) -> Generator[Desk]:
    if not all(path.is_file() for path in FILES):
        pytest.skip(f"the recorded data of ../shared/data is absent: {RECORDED}")
    options = (
        f"--replay {FILES[0]} {FILES[1]} --replay-start {START.date()} --replay-end {END.date()} "
        f"--seconds-per-hour {SECONDS_PER_HOUR}"
    )
    with running_desk(tmp_path / "var", simulator_options=options, calm=False) as running:
        yield running


def test_every_payment_is_minus_position_times_settlement_price_times_recorded_rate(
    desk: Desk,
) -> None:
    desk.person.configure(**PATIENT)
    first_tries = {base: desk.open(base) for base in BASES}
    positions = [opened_at_last(desk, base, position) for base, position in first_tries.items()]
    wait_until(
        lambda: all(is_paid_often(desk, base) for base in BASES),
        timeout=PATIENCE,
        what=f"every leg is paid {SETTLEMENTS} times",
    )
    for position in positions:
        desk.person.close(position)
    for position in positions:
        assert desk.wait_for(position, "closed").close_reason == "manual"

    desk.assert_books_agree()
    assert_each_payment_is_the_recorded_one(desk)


def opened_at_last(desk: Desk, base: str, position: UUID) -> UUID:
    """Open again until the market, an hour in three seconds, has come to the first leg's price."""
    for _ in range(MOST_TRIES):
        if desk.wait_for(position, "open", *ENDS).state == "open":
            return position
        position = desk.open(base)
    raise AssertionError(f"{base} was not filled in {MOST_TRIES} tries")


def is_paid_often(desk: Desk, base: str) -> bool:
    venues = [payment.venue for payment in desk.venues.payments(base)]
    return all(venues.count(venue) >= SETTLEMENTS for venue in RECORDED_NAME)


def assert_each_payment_is_the_recorded_one(desk: Desk) -> None:
    recorded, epoch = recorded_rates(), epoch_of(desk)
    booked = {payment.venue_payment_id: payment for payment in desk.books.payments()}
    rows = desk.venues.funding()
    assert len(rows) == len(booked) >= 2 * len(BASES) * SETTLEMENTS
    for row in rows:
        settled_at = datetime.fromisoformat(row["settled_at"])
        moment = START + (settled_at - epoch) * 3600 / SECONDS_PER_HOUR
        rate = recorded[(RECORDED_NAME[row["venue"]], row["symbol"], moment)]
        position = held_at(desk, row["venue"], row["symbol"], settled_at)
        expected = -position * Decimal(row["settlement_price"]) * rate
        assert position != 0
        assert booked[row["venue_payment_id"]].payment == expected


def held_at(desk: Desk, venue: str, symbol: str, moment: datetime) -> Decimal:
    """Return the signed base quantity that our own fills add up to at a moment."""
    return sum(
        (
            fill.base_quantity if fill.side == "buy" else -fill.base_quantity
            for fill in desk.books.fills()
            if (fill.venue, fill.symbol) == (venue, symbol) and fill.filled_at <= moment
        ),
        Decimal(0),
    )


def recorded_rates() -> Rates:
    """Return the recorded rate by venue, symbol and settlement."""
    frame = pl.read_parquet(FILES[0]).filter(
        pl.col("kind").cast(pl.String) == "settled",
        pl.col("ts").is_between(START, END + timedelta(minutes=1)),
        pl.col("venue").cast(pl.String).is_in(list(RECORDED_NAME.values())),
        pl.col("base").cast(pl.String).is_in(BASES),
    )
    return {
        (
            row["venue"],
            f"{row['base']}USDT",
            row["ts"].replace(second=0, microsecond=0),
        ): Decimal(str(row["funding_rate"]))
        for row in frame.iter_rows(named=True)
    }


def epoch_of(desk: Desk) -> datetime:
    """Return the wall-clock moment at which the recording began to play."""
    ledger = desk.carry.var / "simulator" / "ledger.sqlite3"
    connection = sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)
    query = "SELECT body FROM document WHERE kind = 'meta' AND key = 'born'"
    (body,) = connection.execute(query).fetchone()
    connection.close()
    return datetime.fromisoformat(json.loads(body)["epoch"])
