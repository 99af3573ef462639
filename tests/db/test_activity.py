"""What is kept of open interest and turnover: the last of each with its age, by minute and hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from exchanges.activity import Activity as Fact
from exchanges.domain import Symbol
from exchanges.models import Activity, ActivityBar, Exchange, HourlyActivity
from exchanges.open_interest import store_activity
from tests.web.rows import make_exchange, make_instrument

pytestmark = [pytest.mark.db, pytest.mark.django_db]

NOW = datetime(2026, 3, 1, 12, 30, 20, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BTC = Symbol("BTC/USDT:USDT")
D = Decimal


@pytest.fixture
def binance() -> Exchange:
    exchange = make_exchange("binanceusdm", "BIN", "Binance")
    make_instrument(exchange, "BTC", NOW)
    return exchange


def fact(at: datetime, held: str | None, traded: str | None, symbol: Symbol = BTC) -> Fact:
    return Fact(
        venue="binanceusdm",
        symbol=symbol,
        open_interest=None if held is None else D(held),
        turnover_usd=None if traded is None else D(traded),
        observed_at=at,
    )


def test_what_an_answer_leaves_out_stays_and_keeps_its_age(binance: Exchange) -> None:
    # The list tells turnover, the contract's own answer what is held: one row of both.
    store_activity(binance, [fact(NOW, None, "900"), fact(NOW, "12", None)], NOW)
    store_activity(binance, [fact(NOW + MINUTE, None, "950")], NOW + MINUTE)

    row = Activity.objects.get()
    assert (row.open_interest, row.open_interest_at) == (D(12), NOW)
    assert (row.turnover_usd, row.turnover_at) == (D(950), NOW + MINUTE)


def test_each_minute_has_one_bar_of_what_was_told_in_it(binance: Exchange) -> None:
    store_activity(binance, [fact(NOW, "12", "900")], NOW)
    store_activity(binance, [fact(NOW, "13", "910")], NOW + timedelta(seconds=30))
    store_activity(binance, [fact(NOW + MINUTE, None, "950")], NOW + MINUTE)

    bars = ActivityBar.objects.values_list("minute_at", "open_interest", "turnover_usd")
    minute_at = NOW.replace(second=0)
    assert list(bars) == [(minute_at, D(12), D(900)), (minute_at + MINUTE, None, D(950))]


def test_what_is_not_listed_is_not_kept(binance: Exchange) -> None:
    assert store_activity(binance, [fact(NOW, "1", "1", Symbol("X/USDT:USDT"))], NOW) == 0
    assert not Activity.objects.exists()


def test_each_hour_keeps_the_last_that_was_told_in_it(binance: Exchange) -> None:
    hour = timedelta(hours=1)
    store_activity(binance, [fact(NOW, "12", "900")], NOW)
    store_activity(binance, [fact(NOW + MINUTE, None, "950")], NOW + MINUTE)
    store_activity(binance, [fact(NOW + hour, None, "990")], NOW + hour)

    hours = HourlyActivity.objects.values_list("hour_at", "open_interest", "turnover_usd")
    began_at = NOW.replace(minute=0, second=0)
    # What was held an hour ago is not said to be held in this one.
    assert list(hours) == [(began_at, D(12), D(950)), (began_at + hour, None, D(990))]
