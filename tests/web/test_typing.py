"""What people may type for a size and a symbol."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from django.core.exceptions import ValidationError

from trading.forms import parse_size, parse_symbol

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    ("typed", "usd"),
    [
        ("25000", "25000"),
        ("25,000", "25000"),
        ("25k", "25000"),
        ("25K", "25000"),
        ("$1.5m", "1500000"),
        (" 2 500 ", "2500"),
        ("99.5", "99.5"),
        ("1000m", "1000000000"),
    ],
)
def test_sizes_are_read_as_people_write_them(typed: str, usd: str) -> None:
    assert parse_size(typed) == D(usd)


@pytest.mark.parametrize(
    "typed", ["", "abc", "-5", "0", "0k", "1e9", "NaN", "5 BTC", "25kk", "1001m"]
)
def test_what_is_no_size_is_refused_by_name(typed: str) -> None:
    with pytest.raises(ValidationError, match="size"):
        parse_size(typed)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("BTC", ("BTC", None)),
        ("btc", ("BTC", None)),
        ("BTC-USDT", ("BTC", "USDT")),
        ("BTCUSDT", ("BTC", "USDT")),
        ("BTC/USDT:USDT", ("BTC", "USDT")),
    ],
)
def test_symbols_are_read_in_every_usual_form(typed: str, meant: tuple[str, str | None]) -> None:
    assert parse_symbol(typed) == meant


@pytest.mark.parametrize("typed", ["", "BTC USDT", "<b>", "ÄPFEL"])
def test_what_is_no_symbol_is_refused_by_name(typed: str) -> None:
    with pytest.raises(ValidationError, match="is not a symbol"):
        parse_symbol(typed)
