"""How far apart two markets usually are: hourly mids, their median, and when nothing is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from exchanges.board import Board, Key
from exchanges.domain import BookTop, InstrumentKind, Side, Symbol
from exchanges.mids import sample_mids
from exchanges.models import Exchange, HourlyMid, Instrument
from trading.core.basis import PricedLeg
from trading.services.usual_gaps import UsualGaps

pytestmark = [pytest.mark.db, pytest.mark.django_db]

NOW = datetime(2026, 3, 1, 12, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
PERP = Symbol("BTC/USDT:USDT")
LONG: Key = ("bybit", PERP)
SHORT: Key = ("binanceusdm", PERP)


def make_perpetual(code: str) -> Instrument:
    exchange = Exchange.objects.create(code=code, short_code=code[:3].upper(), name=code)
    return Instrument.objects.create(
        exchange=exchange,
        symbol=PERP,
        venue_symbol="BTCUSDT",
        kind=InstrumentKind.PERPETUAL,
        base="BTC",
        quote="USDT",
        settle="USDT",
        contract_base=Decimal(1),
        price_tick=Decimal("0.1"),
        lot=Decimal("0.001"),
        min_base_quantity=Decimal("0.001"),
        min_notional=Decimal(5),
        max_leverage=Decimal(10),
        maintenance_margin_rate=Decimal("0.005"),
        refreshed_at=NOW,
    )


@pytest.fixture
def listed() -> list[Instrument]:
    return [make_perpetual("bybit"), make_perpetual("binanceusdm")]


def board_at(now: datetime, **mids: str) -> Board:
    board = Board()
    for venue, mid in mids.items():
        board.apply(
            BookTop(
                venue=venue,
                symbol=PERP,
                bid=Decimal(mid) - 1,
                bid_quantity=Decimal(1),
                ask=Decimal(mid) + 1,
                ask_quantity=Decimal(1),
                observed_at=now,
            )
        )
    return board


def leg(key: Key, side: Side, expires_at: datetime | None = None) -> tuple[Key, PricedLeg]:
    kind = InstrumentKind.PERPETUAL if expires_at is None else InstrumentKind.FUTURE
    return key, PricedLeg(side=side, kind=kind, price=Decimal(0), expires_at=expires_at)


PAIR = [leg(LONG, Side.BUY), leg(SHORT, Side.SELL)]


def store_hours(listed: list[Instrument], hours: int, *, dear: int) -> None:
    """Write hours in which the second venue is 0.2 % dearer, in the last `dear` of them 1 %."""
    start = NOW.replace(minute=0)
    for back in range(1, hours + 1):
        gap = Decimal("1.01") if back <= dear else Decimal("1.002")
        for instrument, mid in zip(listed, (Decimal(50_000), 50_000 * gap), strict=True):
            HourlyMid.objects.create(instrument=instrument, hour_at=start - back * HOUR, mid=mid)


def test_the_usual_gap_is_the_median_of_the_week(listed: list[Instrument]) -> None:
    store_hours(listed, 30, dear=10)
    gaps = UsualGaps()
    gaps.refresh(NOW)

    assert gaps.of(PAIR) == Decimal("0.002")


def test_less_than_a_day_says_nothing_of_what_is_usual(listed: list[Instrument]) -> None:
    store_hours(listed, 23, dear=0)
    gaps = UsualGaps()
    gaps.refresh(NOW)

    assert gaps.of(PAIR) == 0


def test_what_has_an_end_has_no_usual_gap(listed: list[Instrument]) -> None:
    store_hours(listed, 30, dear=0)
    gaps = UsualGaps()
    gaps.refresh(NOW)

    assert gaps.of([leg(LONG, Side.BUY), leg(SHORT, Side.SELL, NOW + 90 * 24 * HOUR)]) == 0


def test_a_new_hour_is_read_once_and_joins_the_rest(listed: list[Instrument]) -> None:
    store_hours(listed, 23, dear=0)
    gaps = UsualGaps()
    gaps.refresh(NOW)
    for instrument, mid in zip(listed, (50_000, 50_100), strict=True):
        HourlyMid.objects.create(instrument=instrument, hour_at=NOW.replace(minute=0), mid=mid)

    assert not gaps.refresh(NOW + timedelta(minutes=30))
    assert gaps.refresh(NOW + HOUR)
    assert gaps.of(PAIR) == Decimal("0.002")


def test_an_hour_is_sampled_once_from_fresh_books(listed: list[Instrument]) -> None:
    assert sample_mids(board_at(NOW, bybit="50000"), NOW) == 1
    late = NOW + timedelta(minutes=5)
    assert sample_mids(board_at(late, bybit="51000", binanceusdm="50100"), late) == 1
    assert sample_mids(board_at(NOW, bybit="50000"), late + HOUR) == 0

    rows = HourlyMid.objects.values_list("instrument__exchange__code", "mid", "hour_at")
    hour = NOW.replace(minute=0)
    assert set(rows) == {("bybit", 50_000, hour), ("binanceusdm", 50_100, hour)}


def test_half_of_a_gap_is_gone_in_the_hours_that_the_past_took(listed: list[Instrument]) -> None:
    # The gap halves every hour, from 1.28 % in the first on; 40 hours later it is all but gone.
    start = NOW.replace(minute=0) - 40 * HOUR
    for hour in range(40):
        gap = Decimal("0.0128") / 2**hour
        for instrument, mid in zip(listed, (Decimal(50_000), 50_000 * (1 + gap)), strict=True):
            HourlyMid.objects.create(instrument=instrument, hour_at=start + hour * HOUR, mid=mid)
    gaps = UsualGaps()
    gaps.refresh(NOW)

    found = gaps.half_life_hours(PAIR)

    assert found is not None
    assert round(found, 6) == 1
    assert gaps.half_life_hours(PAIR[:1]) is None


def test_hours_that_do_not_follow_each_other_are_no_step(listed: list[Instrument]) -> None:
    start = NOW.replace(minute=0)
    for back in range(1, 80, 2):
        for instrument in listed:
            HourlyMid.objects.create(instrument=instrument, hour_at=start - back * HOUR, mid=50_000)
    gaps = UsualGaps()
    gaps.refresh(NOW)

    assert gaps.half_life_hours(PAIR) is None
