from __future__ import annotations

from datetime import timedelta

import pytest

from tests.market import NOW, D
from trading.core.volatility import daily_volatility

pytestmark = pytest.mark.core

EIGHT_HOURS = timedelta(hours=8)


def test_volatility_is_the_root_of_the_squared_returns_a_day() -> None:
    # three moves of 1.7320508 % a day: 3 x 0.0003 = 0.0009 a day, the root is 3 %
    up = D("1.017320508075688772935274463")
    prices = [(NOW + EIGHT_HOURS * i, D(50_000) * (up if i % 2 else 1)) for i in range(31)]
    # half of the moves go down again: 1 / 1.01732 - 1 = -1.70256 %; 15 x (0.0003 + 0.000289872...)
    # over 10 days: 15 x 0.000589872 / 10 = 0.000884808, the root is 2.9746 %

    assert daily_volatility(prices) == pytest.approx(D("0.029746"), abs=D("0.000001"))


def test_a_short_history_says_nothing() -> None:
    prices = [(NOW + timedelta(minutes=i), D(50_000 + i % 2 * 500)) for i in range(300)]

    assert daily_volatility(prices) is None
    assert daily_volatility([]) is None


def test_prices_closer_than_four_hours_are_passed_over() -> None:
    calm = [(NOW + EIGHT_HOURS * i, D(50_000)) for i in range(20)]
    noisy = sorted([*calm, *((at + timedelta(minutes=5), D(55_000)) for at, _ in calm)])

    assert daily_volatility(noisy) == 0
