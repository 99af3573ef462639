from __future__ import annotations

from decimal import Decimal

import pytest

from exchanges.ccxt_adapter.listing import split_ticker

pytestmark = pytest.mark.protocol


@pytest.mark.parametrize(
    ("ticker", "base", "multiplier"),
    [
        ("BTC", "BTC", 1),
        ("1000PEPE", "PEPE", 1000),
        ("10000SATS", "SATS", 10_000),
        ("1000000MOG", "MOG", 1_000_000),
        ("1MBABYDOGE", "BABYDOGE", 1_000_000),
        ("kPEPE", "PEPE", 1000),
        ("SHIB1000", "SHIB", 1000),
        # Names that only look scaled.
        ("1INCH", "1INCH", 1),
        ("100X", "100X", 1),
        ("KAVA", "KAVA", 1),
    ],
)
def test_scaled_ticker_is_its_plain_asset_with_a_multiplier(
    ticker: str, base: str, multiplier: int
) -> None:
    assert split_ticker(ticker) == (base, Decimal(multiplier))
