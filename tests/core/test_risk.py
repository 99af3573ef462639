from __future__ import annotations

from datetime import timedelta

import pytest

from exchanges.domain import IntervalSource
from tests.market import NOW, D, make_book, make_rate
from trading.core.refusal import Refusal
from trading.core.risk import (
    refuse_bad_book,
    refuse_bad_funding,
    refuse_implausible,
    refuse_slow_venue,
)

pytestmark = pytest.mark.core

THREE, TEN = timedelta(seconds=3), timedelta(seconds=10)


def test_sound_facts_pass() -> None:
    assert refuse_bad_book(make_book(age=3), NOW, THREE) is None
    assert refuse_bad_funding(make_rate(age=10), NOW, TEN) is None
    assert refuse_implausible("the price gap", D("-0.05"), D("0.05")) is None
    assert refuse_slow_venue("bybit", TEN, TEN) is None


def test_stale_book_names_its_age() -> None:
    refusal = refuse_bad_book(make_book(age=3.4), NOW, THREE)

    assert refusal == Refusal(
        code="stale",
        sentence="The book of BTC/USDT:USDT on bybit is 3.4 s old; the most is 3.0 s.",
    )


@pytest.mark.parametrize(
    ("bid", "ask", "code"), [("100", "100", "crossed_book"), ("0", "100", "empty_book")]
)
def test_crossed_or_empty_book_is_refused(bid: str, ask: str, code: str) -> None:
    refusal = refuse_bad_book(make_book(bid=bid, ask=ask), NOW, THREE)

    assert refusal is not None and refusal.code == code


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (IntervalSource.UNKNOWN, "unknown_interval"),
        (IntervalSource.CONFLICTING, "conflicting_interval"),
    ],
)
def test_interval_that_is_no_fact_is_refused(source: IntervalSource, code: str) -> None:
    refusal = refuse_bad_funding(make_rate(interval=None, source=source), NOW, TEN)

    assert refusal is not None and refusal.code == code


def test_old_rate_slow_venue_and_absurd_gap_name_their_value() -> None:
    old = refuse_bad_funding(make_rate(age=11), NOW, TEN)
    slow = refuse_slow_venue("bybit", timedelta(milliseconds=2_350), timedelta(seconds=2))
    absurd = refuse_implausible("the price gap of BTC", D("-0.0712"), D("0.05"))

    assert old is not None and "11.0 s old" in old.sentence
    assert slow is not None and slow.sentence == ("bybit takes 2.4 s to answer; the most is 2.0 s.")
    assert absurd is not None and absurd.sentence == (
        "The price gap of BTC is −7.12 %, beyond the plausible 5.00 %: probably bad data."
    )
