"""The three example configurations everyone starts from; `docs/DOMAIN.md` section 7."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from trading.core.importing import HUMMINGBOT, read_configuration

EXAMPLES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "Basic": {
            "strategy": HUMMINGBOT,
            "spot_connector": "binance",
            "spot_market": "BTC-USDT",
            "perpetual_connector": "binance_perpetual",
            "perpetual_market": "BTC-USDT",
            "order_amount": "0.01",
            "perpetual_leverage": "3",
            "min_opening_arbitrage_pct": "0.5",
            "min_closing_arbitrage_pct": "0.1",
            "spot_market_slippage_buffer": "0.05",
            "perpetual_market_slippage_buffer": "0.05",
            "next_arbitrage_opening_delay": "300",
        },
        "Aggressive": {
            "strategy": HUMMINGBOT,
            "spot_connector": "binance",
            "spot_market": "ETH-USDT",
            "perpetual_connector": "binance_perpetual",
            "perpetual_market": "ETH-USDT",
            "order_amount": "0.5",
            "perpetual_leverage": "5",
            "min_opening_arbitrage_pct": "0.2",
            "min_closing_arbitrage_pct": "-0.05",
            "spot_market_slippage_buffer": "0.1",
            "perpetual_market_slippage_buffer": "0.1",
            "next_arbitrage_opening_delay": "60",
        },
        "Conservative": {
            "strategy": HUMMINGBOT,
            "spot_connector": "coinbase_pro",
            "spot_market": "BTC-USD",
            "perpetual_connector": "bybit_perpetual",
            "perpetual_market": "BTC-USDT",
            "order_amount": "0.05",
            "perpetual_leverage": "2",
            "min_opening_arbitrage_pct": "1.0",
            "min_closing_arbitrage_pct": "0.3",
            "spot_market_slippage_buffer": "0.2",
            "perpetual_market_slippage_buffer": "0.2",
            "next_arbitrage_opening_delay": "600",
        },
    }
)
PRESETS: Mapping[str, Mapping[str, object]] = MappingProxyType(
    {name: read_configuration(example).values for name, example in EXAMPLES.items()}
)
"""Outer values by name of the preset."""
