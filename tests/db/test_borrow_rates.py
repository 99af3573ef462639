"""What is kept of borrow rates: the last of each hour, the day's highest, nothing that is old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from exchanges.domain import BorrowRate
from exchanges.lending import store_borrow_rates
from exchanges.models import Exchange, HourlyBorrowRate
from exchanges.selectors import borrow_rates

pytestmark = [pytest.mark.db, pytest.mark.django_db]

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def bybit() -> Exchange:
    return Exchange.objects.create(code="bybit", short_code="BYB", name="Bybit")


def store(exchange: Exchange, rate: str, at: datetime, asset: str = "BTC") -> None:
    fact = BorrowRate(
        venue=exchange.code,
        asset=asset,
        hourly_rate=Decimal(rate),
        highest_hourly_rate=Decimal(rate),
        most=Decimal(10),
        observed_at=at,
    )
    store_borrow_rates(exchange, [fact], at)


def test_an_hour_is_one_row_with_its_last_and_its_highest_rate(bybit: Exchange) -> None:
    for minute, rate in enumerate(("0.000004", "0.000009", "0.000005")):
        store(bybit, rate, NOW + minute * MINUTE)

    row = HourlyBorrowRate.objects.get()
    assert (row.hourly_rate, row.highest_hourly_rate) == (Decimal("0.000005"), Decimal("0.000009"))
    assert row.observed_at == NOW + 2 * MINUTE


def test_prudent_rate_is_the_highest_of_the_day_and_forgets_what_is_older(bybit: Exchange) -> None:
    store(bybit, "0.00009", NOW - 25 * HOUR)
    store(bybit, "0.000008", NOW - 20 * HOUR)
    store(bybit, "0.000004", NOW)

    rate = borrow_rates(NOW)["bybit", "BTC"]

    assert rate.hourly_rate == Decimal("0.000004")
    assert rate.prudent_hourly_rate == Decimal("0.000008")
    assert rate.most == 10


def test_what_nobody_confirmed_lately_is_not_lent(bybit: Exchange) -> None:
    store(bybit, "0.000004", NOW - 11 * MINUTE)
    store(bybit, "0.000004", NOW - 9 * MINUTE, asset="ETH")

    assert set(borrow_rates(NOW)) == {("bybit", "ETH")}


def test_venue_that_is_switched_off_lends_nothing(bybit: Exchange) -> None:
    store(bybit, "0.000004", NOW)
    Exchange.objects.update(is_enabled=False)

    assert borrow_rates(NOW) == {}
