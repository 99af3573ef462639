from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest

from trading.core.history import Frequency
from trading.templatetags import carry_format as carry

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    ("fraction", "shown"),
    [
        ("0.246", "+24.6"),
        ("-0.189", "−18.9"),
        ("0.9996", "+100"),  # 99.96 % rounds to three digits and loses its decimal
        ("1.804", "+180"),
        ("11.96", "+1.2k"),
        ("-197.1", "−19.7k"),
        ("1234.5", "+123k"),
        ("0.0004", "0.0"),
        (None, "?"),
    ],
)
def test_rates_carry_sign_and_fewer_digits_as_they_grow(fraction: str | None, shown: str) -> None:
    assert carry.rate(None if fraction is None else D(fraction)) == shown


def test_a_spread_is_a_level_and_has_no_sign() -> None:
    assert carry.spread(D("0.284")) == "28.4"


def test_the_raw_rate_shows_four_decimals() -> None:
    assert carry.raw_rate(D("0.0001")) == "+0.0100%"


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("39.394", "+$39.39"), ("-15.5", "−$15.50"), ("0", "$0.00"), ("-12345.678", "−$12,345.68")],
)
def test_cash_is_signed_in_dollars(amount: str, shown: str) -> None:
    assert carry.cash(D(amount)) == shown


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("184302.4", "$184,302"), ("9950.2", "$9,950.20"), ("-84", "−$84.00")],
)
def test_balances_lose_cents_from_ten_thousand(amount: str, shown: str) -> None:
    assert carry.usd(D(amount)) == shown


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("850", "850"), ("38000", "38k"), ("999499", "999k"), ("1249000", "1.2M")],
)
def test_capacity_is_compact(amount: str, shown: str) -> None:
    assert carry.compact(D(amount)) == shown


@pytest.mark.parametrize(
    ("hours", "shown"),
    [("0.2", "12 min"), ("14.4", "14 h"), ("45.6", "1.9 d"), ("48", "2.0 d"), (None, "never")],
)
def test_break_even_names_its_unit(hours: str | None, shown: str) -> None:
    assert carry.horizon(None if hours is None else D(hours)) == shown


def test_a_hold_time_of_whole_days_has_no_decimal() -> None:
    assert carry.hold(D(168)) == "7 d"


def test_a_hold_time_below_a_day_is_exact() -> None:
    assert [carry.hold(D(hours)) for hours in ("0.5", "1.5", "14")] == ["30 min", "90 min", "14 h"]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.124, "124 ms"),
        (1.9, "1.9 s"),
        (34, "34 s"),
        (130, "2 min"),
        (7300, "2 h"),
        (200_000, "2 d"),
    ],
)
def test_ages_coarsen_with_time(seconds: float, shown: str) -> None:
    assert carry.age(timedelta(seconds=seconds)) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (timedelta(days=2, hours=6, minutes=59), "2d 06h"),
        (timedelta(hours=16, minutes=5), "16h 05m"),
        (timedelta(minutes=14, seconds=59), "14 min"),
        (timedelta(seconds=34), "34 s"),
    ],
)
def test_holding_time_is_whole_units(value: timedelta, shown: str) -> None:
    assert carry.held(value) == shown


def test_basis_points_that_are_mine_carry_their_sign() -> None:
    assert [carry.bp_earned(D(value)) for value in ("0.0224", "-0.00035")] == [
        "+224.0 bp",
        "−3.5 bp",
    ]
    assert (carry.bp_earned(D(0)), carry.bp_earned(None)) == ("0.0 bp", "?")


def test_intervals_and_countdowns() -> None:
    assert [carry.interval(s) for s in (28_800, 3600, 240, None)] == ["8h", "1h", "4m", "?"]
    assert carry.countdown(timedelta(seconds=2213)) == "00:36:53"
    assert carry.countdown(timedelta(seconds=-5)) == "00:00:00"


def test_prices_follow_the_tick_and_quantities_drop_zeros() -> None:
    assert carry.at_tick(D("97412.5"), D("0.10")) == "97,412.5"
    assert carry.at_tick(D("0.62134"), D("0.0001")) == "0.6213"
    assert carry.quantity(D("1.2500")) == "1.25"
    assert carry.quantity(D("12000")) == "12,000"
    assert carry.signed_quantity(D("-0.5")) == "−0.5"


def test_times_are_utc() -> None:
    at = datetime(2026, 11, 20, 14, 23, 7, tzinfo=UTC)
    assert carry.clock(at) == "14:23:07"
    assert carry.moment(at) == "20 Nov 14:23"
    assert carry.iso(at) == "2026-11-20T14:23:07Z"


def test_people_read_plain_symbols() -> None:
    assert carry.people_symbol("BTC/USDT:USDT") == "BTC-USDT"


def test_basis_points_of_my_money_carry_their_sign() -> None:
    assert carry.basis_points(D("-0.0371")) == "−371"
    assert carry.basis_points(D("0.0046")) == "+46"
    assert carry.basis_points(None) == "?"


def test_odds_are_parts_without_a_sign_and_unknown_without_history() -> None:
    assert carry.odds(Frequency(hits=21, windows=100)) == "21%"
    assert carry.odds(None) == "?"
    assert carry.level(D("0.856")) == "86%"
