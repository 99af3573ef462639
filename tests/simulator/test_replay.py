"""The replayed market: recorded rates and prices to the digit, at compressed time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from exchanges.domain import Side
from exchanges.simulator.core import Simulator
from exchanges.simulator.ledger import Ledger
from exchanges.simulator.listings import BYBIT, USDM
from exchanges.simulator.market import UnusableRecording
from exchanges.simulator.replay import (
    Compression,
    ReplayMarket,
    epoch_for,
    read_recording,
)
from exchanges.simulator.storage import Storage
from tests.simulator.world import World

pytestmark = pytest.mark.core

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
START, END = datetime(2025, 7, 1, tzinfo=UTC), datetime(2025, 7, 4, tzinfo=UTC)
EPOCH = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
HOUR = timedelta(seconds=3)
BASES = ("BTC", "ETH", "SOL", "DOGE", "HYPE")

FUNDING = "venue,symbol,base,ts,funding_rate,interval_hours,kind\n"
PRICES = "venue,symbol,base,ts,open,high,low,close,volume,kind,interval\n"


@pytest.fixture
def invented(tmp_path: Path) -> ReplayMarket:
    """Two settlements and two hours of BTC at both venues."""
    rates = prices = ""
    for venue, rate in (("binance", "0.0001"), ("bybit", "-0.00002551")):
        rates += f"{venue},BTC/USDT:USDT,BTC,2025-07-01T00:00:00Z,0.5,8,settled\n"
        rates += f"{venue},BTC/USDT:USDT,BTC,2025-07-01T08:00:00Z,{rate},8,settled\n"
        for hour, price in (("00", "60000"), ("07", "61000"), ("08", "61234.5")):
            stamp = f"2025-07-01T{hour}:00:00Z"
            prices += f"{venue},BTC/USDT:USDT,BTC,{stamp},{price},0,0,61300,1,perp,1h\n"
    (tmp_path / "funding.csv").write_text(FUNDING + rates)
    (tmp_path / "prices.csv").write_text(PRICES + prices)
    recording = read_recording([tmp_path], start=START, end=END)
    time = Compression(start=START, end=END, epoch=EPOCH, seconds_per_hour=3.0)
    return ReplayMarket(recording, time)


def test_eight_hours_pass_in_24_seconds(invented: ReplayMarket) -> None:
    assert invented.interval(invented.listings[(USDM, "BTCUSDT")]) == timedelta(seconds=24)


def test_a_replay_begins_on_the_grid_of_its_settlements() -> None:
    now = datetime(2026, 1, 5, 12, 0, 7, tzinfo=UTC)

    assert epoch_for(now, 3.0) == datetime(2026, 1, 5, 12, 0, 24, tzinfo=UTC)


def test_the_recorded_rate_settles_at_the_open_of_its_hour(invented: ReplayMarket) -> None:
    at = EPOCH + 8 * HOUR

    for venue, rate in ((USDM, "0.0001"), (BYBIT, "-0.00002551")):
        listing = invented.listings[(venue, "BTCUSDT")]
        assert invented.settled_rate(listing, at) == Decimal(rate)
        assert invented.predicted_rate(listing, at - HOUR) == Decimal(rate)
        assert invented.mark(listing, at) == Decimal("61234.5")


def test_prices_go_straight_from_open_to_open(invented: ReplayMarket) -> None:
    listing = invented.listings[(USDM, "BTCUSDT")]

    # A third of the way from 61,000 to 61,234.5 is 61,078.17, on the tick 61,078.2.
    assert invented.mark(listing, EPOCH + 7 * HOUR + HOUR / 3) == Decimal("61078.2")


def test_after_its_end_the_recording_stands_still(invented: ReplayMarket) -> None:
    listing = invented.listings[(USDM, "BTCUSDT")]
    late = EPOCH + 400 * HOUR

    assert invented.mark(listing, late) == invented.mark(listing, late + HOUR)
    assert invented.predicted_rate(listing, late) == 0


def test_a_start_between_settlements_is_refused() -> None:
    with pytest.raises(UnusableRecording, match="not on an eight-hour settlement"):
        read_recording([], start=START + timedelta(hours=3), end=None)


def test_an_empty_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableRecording, match="no asset has prices and funding"):
        read_recording([tmp_path], start=START, end=None)


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"recorded data ../shared/data absent: {SHARED}")
def test_every_payment_of_three_recorded_days_is_position_times_price_times_rate(
    tmp_path: Path,
) -> None:
    paths = [SHARED / "funding.parquet", SHARED / "prices_1h_2h.parquet"]
    recording = read_recording(paths, start=START, end=END)
    time = Compression(start=START, end=END, epoch=EPOCH, seconds_per_hour=3.0)
    market = ReplayMarket(recording, time)
    clock = [EPOCH + timedelta(seconds=1)]
    simulator = Simulator(
        ledger=Ledger(Storage(tmp_path)), market=market, seed=1, now=lambda: clock[0]
    )
    world = World(tmp_path / "other")
    world.simulator = simulator
    world.at = clock[0]
    assert recording.bases == BASES
    for venue, side in ((USDM, Side.BUY), (BYBIT, Side.SELL)):
        for base in BASES:
            listing = market.listings[(venue, f"{base}USDT")]
            quantity = str(listing.lot * 100)
            world.place(venue, side, quantity, listing=listing)

    clock[0] = EPOCH + 72 * HOUR
    simulator.advance(clock[0])

    recorded = _recorded_rates()
    assert len(simulator.ledger.funding) == sum(
        72 // recording.interval_hours[(venue, base)]
        for venue in ("binance", "bybit")
        for base in BASES
    )
    for row in simulator.ledger.funding:
        moment = START + (row.settled_at - EPOCH) * 1200
        venue = "bybit" if row.venue == BYBIT else "binance"
        assert row.funding_rate == recorded[(venue, row.symbol, moment)]
        assert row.payment == -row.position_base * row.settlement_price * row.funding_rate


def _recorded_rates() -> dict[tuple[str, str, datetime], Decimal]:
    frame = pl.read_parquet(SHARED / "funding.parquet").filter(
        pl.col("kind").cast(pl.String) == "settled",
        pl.col("ts").is_between(START, END),
        pl.col("venue").cast(pl.String).is_in(["binance", "bybit"]),
    )
    return {
        (row["venue"], f"{row['base']}USDT", row["ts"]): Decimal(str(row["funding_rate"]))
        for row in frame.iter_rows(named=True)
    }
