"""Stablecoins that leave their peg: what bars entries, what is too old, what nobody can tell."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.market import NOW, D
from trading.core.depeg import StablecoinRate, deviation, refuse_depeg, worst_rate

pytestmark = pytest.mark.core


def rate(mid: str, *, venue: str = "Binance", seconds: int = 0) -> StablecoinRate:
    return StablecoinRate(
        venue=venue,
        asset="USDC",
        against="USDT",
        mid=D(mid),
        observed_at=NOW - timedelta(seconds=seconds),
    )


def sentence(*rates: StablecoinRate, asset: str = "USDT") -> str:
    refusal = refuse_depeg(rates, {asset}, NOW)
    return "" if refusal is None else refusal.sentence


def test_half_a_percent_off_either_way_bars_what_settles_in_either() -> None:
    assert sentence(rate("0.9951")) == sentence(rate("1.0049")) == ""
    assert sentence(rate("0.995")) == (
        "1 USDC is 0.995 USDT at Binance, 0.50 % off its peg; nothing is opened from 0.50 % on."
    )
    assert "0.60 % off its peg" in sentence(rate("1.006"), asset="USDC")
    assert deviation(rate("0.99")) == D("0.01")


def test_the_venue_that_is_farthest_off_counts() -> None:
    calm, off = rate("0.9999"), rate("0.994", venue="Bybit")

    assert worst_rate([calm, off], {"USDT"}, NOW) == off
    assert "at Bybit" in sentence(calm, off)


def test_a_rate_that_is_older_than_two_minutes_bars_instead_of_vouching() -> None:
    assert sentence(rate("1", seconds=120)) == ""
    assert sentence(rate("1", seconds=121)) == (
        "What USDC is worth in USDT was read 121.0 s ago, longer than 120.0 s."
    )
    # One venue that answers is enough.
    assert sentence(rate("0.9", seconds=500), rate("1", venue="Bybit")) == ""


def test_what_no_market_tells_is_not_refused() -> None:
    assert sentence() == ""
    assert sentence(replace(rate("0.9"), asset="DAI", against="USDC"), asset="USDT") == ""
