"""How the simulated markets' assets trade: price, volatility, grid, spread and depth."""

from __future__ import annotations

from typing import NamedTuple


class Character(NamedTuple):
    """How one asset trades: start price, volatility per root second, tick, lot, spread, depth."""

    start_price: str
    volatility: float
    tick: str
    lot: str
    spread_bps: str
    touch_notional: str


CHARACTERS = {
    "BTC": Character("64000", 0.00009, "0.1", "0.001", "0.02", "160000"),
    "ETH": Character("3200", 0.00011, "0.01", "0.001", "0.04", "120000"),
    "SOL": Character("150", 0.00014, "0.01", "0.1", "0.7", "60000"),
    "XRP": Character("2.2", 0.00014, "0.0001", "0.1", "0.5", "40000"),
    "DOGE": Character("0.18", 0.00015, "0.00001", "1", "0.6", "40000"),
    "ADA": Character("0.65", 0.00015, "0.0001", "1", "1.5", "30000"),
    "LINK": Character("15", 0.00015, "0.001", "0.1", "1.0", "25000"),
    "AVAX": Character("22", 0.00016, "0.001", "0.1", "1.2", "25000"),
    "HYPE": Character("39", 0.00018, "0.001", "0.1", "1.5", "25000"),
}
STABLECOINS = {"USDC": Character("1", 0.0, "0.0001", "1", "1", "500000")}
# Assets without a character of their own: many symbols for tests of load.
USUAL = Character("10", 0.00015, "0.001", "0.1", "1.0", "25000")
# Tick and lot of spot, which are finer.
SPOT_FILTERS = {
    "USDC": ("0.0001", "0.01"),
    "BTC": ("0.01", "0.00001"),
    "ETH": ("0.01", "0.0001"),
    "SOL": ("0.01", "0.001"),
}


def character_of(base: str) -> Character:
    return STABLECOINS[base] if base in STABLECOINS else CHARACTERS.get(base, USUAL)
