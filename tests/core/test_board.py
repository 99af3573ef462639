from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from exchanges.board import Board, Channel, FeedHealth
from exchanges.domain import BookTop, FundingRate, IntervalSource, Quote, Symbol
from exchanges.interval_table import IntervalTable

pytestmark = pytest.mark.core

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BTC = Symbol("BTC/USDT:USDT")
BOOK = BookTop(
    venue="bybit",
    symbol=BTC,
    bid=Decimal("99.5"),
    bid_quantity=Decimal("2"),
    ask=Decimal("100.5"),
    ask_quantity=Decimal("3"),
    observed_at=NOW,
)
RATE = FundingRate(
    venue="binanceusdm",
    symbol=BTC,
    funding_rate=Decimal("0.0001"),
    interval_seconds=14_400,
    interval_source=IntervalSource.SETTLEMENT_SPACING,
    next_funding_at=NOW + timedelta(hours=2),
    observed_at=NOW,
)


def streamed(**changes: object) -> FundingRate:
    """Return a rate as a stream of Binance brings it: without an interval."""
    unknown = replace(RATE, interval_seconds=None, interval_source=IntervalSource.UNKNOWN)
    return replace(unknown, **changes)  # type: ignore[arg-type]


def test_newest_fact_wins_whatever_the_order_of_arrival() -> None:
    board = Board()
    older = replace(BOOK, bid=Decimal("98"), observed_at=NOW - timedelta(seconds=1))

    assert board.apply(BOOK)
    assert not board.apply(older)

    assert board.rows[("bybit", BTC)].book == BOOK


def test_a_clock_that_was_set_back_freezes_no_fact_and_makes_none_young() -> None:
    board, back = Board(), NOW - timedelta(hours=1)
    board.apply(BOOK)
    assert board.health("bybit", Channel.BOOK, back) is FeedHealth.DOWN
    assert board.rows[("bybit", BTC)].age(Channel.BOOK, back) == timedelta(hours=1)

    fresh = replace(BOOK, bid=Decimal("90"), observed_at=back)
    assert board.apply(fresh)

    assert board.rows[("bybit", BTC)].book == fresh
    assert board.health("bybit", Channel.BOOK, back) is FeedHealth.OK


def test_facts_of_one_instrument_age_separately() -> None:
    board = Board()
    board.apply(replace(RATE, venue="bybit", observed_at=NOW - timedelta(seconds=9)))
    board.apply(BOOK)

    row = board.rows[("bybit", BTC)]

    assert row.age(Channel.FUNDING, NOW) == timedelta(seconds=9)
    assert row.age(Channel.BOOK, NOW) == timedelta(0)
    assert row.age(Channel.QUOTE, NOW) is None


@pytest.mark.parametrize(
    ("bid", "ask", "reason"),
    [
        ("100.5", "100.5", "the book is crossed: bid 100.5, ask 100.5"),
        ("0", "100.5", "the book 0 / 100.5 has no price on one side"),
        ("NaN", "100.5", "the book NaN / 100.5 has no price on one side"),
    ],
)
def test_implausible_book_takes_the_place_of_the_last_good_one(
    bid: str, ask: str, reason: str
) -> None:
    board = Board()
    board.apply(BOOK)
    later = NOW + timedelta(seconds=1)

    board.apply(replace(BOOK, bid=Decimal(bid), ask=Decimal(ask), observed_at=later))

    row = board.rows[("bybit", BTC)]
    assert row.book is None
    assert row.implausible == {Channel.BOOK: reason}
    assert board.age("bybit", Channel.BOOK, later) == timedelta(seconds=1)


def test_good_book_clears_the_reason() -> None:
    board = Board()
    board.apply(replace(BOOK, bid=Decimal("101")))

    board.apply(replace(BOOK, observed_at=NOW + timedelta(seconds=1)))

    assert board.rows[("bybit", BTC)].implausible == {}


@pytest.mark.parametrize("rate", ["1", "-1", "Infinity"])
def test_funding_rate_of_a_whole_price_is_refused(rate: str) -> None:
    board = Board()

    board.apply(replace(RATE, funding_rate=Decimal(rate)))

    assert board.rows[("binanceusdm", BTC)].funding is None


@pytest.mark.parametrize(
    ("seconds", "health"),
    [(1, "OK"), (2, "SLOW"), (10, "STALE"), (59, "STALE"), (60, "DOWN")],
)
def test_feed_is_judged_by_the_age_of_its_last_fact(seconds: int, health: str) -> None:
    board = Board()
    board.apply(BOOK)

    assert board.health("bybit", Channel.BOOK, NOW + timedelta(seconds=seconds)) == health
    assert board.health("bybit", Channel.FUNDING, NOW) == FeedHealth.DOWN


def test_base_of_a_scaled_contract_is_the_plain_asset() -> None:
    pepe = ("binanceusdm", Symbol("1000PEPE/USDT:USDT"))
    board = Board({pepe: "PEPE"})

    assert board.base_of(pepe) == "PEPE"
    assert board.base_of(("bybit", BTC)) == "BTC"


def test_streamed_rate_takes_the_interval_read_by_rest() -> None:
    table = IntervalTable()
    table.learn([RATE])

    rate = table.complete(streamed(funding_rate=Decimal("0.0003")))

    assert rate.funding_rate == Decimal("0.0003")
    assert rate.interval_seconds == 14_400
    assert rate.interval_source == IntervalSource.SETTLEMENT_SPACING


def test_streamed_rate_without_a_read_interval_stays_unknown() -> None:
    rate = IntervalTable().complete(streamed())

    assert rate.interval_seconds is None
    assert rate.interval_source == IntervalSource.UNKNOWN


def test_next_settlement_beyond_the_interval_makes_it_conflicting() -> None:
    table = IntervalTable()
    table.learn([RATE])

    rate = table.complete(streamed(next_funding_at=NOW + timedelta(hours=6)))

    assert rate.interval_seconds is None
    assert rate.interval_source == IntervalSource.CONFLICTING


def test_settlement_off_the_known_grid_makes_it_conflicting() -> None:
    table = IntervalTable()
    table.learn([RATE])

    # The grid is 14:00, 18:00, ...; an hourly schedule shows at 15:00.
    hourly = streamed(
        next_funding_at=NOW + timedelta(hours=3), observed_at=NOW + timedelta(hours=2)
    )

    assert table.complete(hourly).interval_source == IntervalSource.CONFLICTING


def test_missed_settlements_keep_the_interval() -> None:
    table = IntervalTable()
    table.learn([RATE])

    later = streamed(
        next_funding_at=NOW + timedelta(hours=10), observed_at=NOW + timedelta(hours=9)
    )

    assert table.complete(later).interval_seconds == 14_400


def test_mark_price_must_be_a_price() -> None:
    board = Board()
    quote = Quote(
        venue="bybit", symbol=BTC, mark_price=Decimal(0), index_price=None, observed_at=NOW
    )

    board.apply(quote)

    reason = board.rows[("bybit", BTC)].implausible[Channel.QUOTE]
    assert reason == "the mark price 0 is not a price"
