from __future__ import annotations

from decimal import Decimal

import pytest

from exchanges.ccxt_adapter.listing import read_listings, split_ticker
from exchanges.venues import PROFILES

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


def market(ticker: str) -> dict[str, object]:
    """A spot market of Binance, as the library tells of it."""
    return {
        "id": f"{ticker}USDT",
        "symbol": f"{ticker}/USDT",
        "base": ticker,
        "quote": "USDT",
        "settle": None,
        "spot": True,
        "swap": False,
        "future": False,
        "contract": False,
        "linear": None,
        "contractSize": None,
        "precision": {"amount": "1", "price": "0.0000001"},
        "limits": {
            "amount": {"min": "1", "max": None},
            "cost": {"min": "5"},
            "leverage": {"max": None},
        },
        "expiry": None,
        "active": True,
        "info": {},
    }


def test_spot_of_a_scaled_ticker_is_left_out() -> None:
    """Its wallet says 5 1000SATS where a hedge is counted in SATS, and so does its fee."""
    listings = read_listings(PROFILES["binance"], [market("1000SATS"), market("SATS")], {})

    assert list(listings.by_symbol) == ["SATS/USDT"]
