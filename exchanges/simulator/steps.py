"""What the venues' contracts are cut into, and how much margin their risk tiers ask for."""

from __future__ import annotations

from decimal import Decimal

from exchanges.matching import LeverageTier, tiers_from

TIERS = tiers_from(
    [
        ("50000", "100", "0.004"),
        ("500000", "75", "0.005"),
        ("5000000", "50", "0.01"),
        ("20000000", "20", "0.025"),
        ("100000000", "5", "0.1"),
    ]
)
SPOT_TIERS = (
    LeverageTier(
        notional_cap=Decimal("Infinity"), max_leverage=Decimal(1), maintenance_rate=Decimal(0)
    ),
)
# The tick of five digits at today's price, and the lot.
HYPERLIQUID_STEPS = {
    "BTC": ("1", "0.00001"),
    "ETH": ("0.1", "0.0001"),
    "SOL": ("0.01", "0.01"),
    "XRP": ("0.0001", "1"),
    "DOGE": ("0.00001", "1"),
    "ADA": ("0.00001", "1"),
    "LINK": ("0.001", "0.1"),
    "AVAX": ("0.001", "0.01"),
    "HYPE": ("0.001", "0.01"),
}
DYDX_TIERS = tiers_from([("1000000000", "50", "0.012")])
HYPERLIQUID_TIERS = tiers_from([("150000000", "40", "0.0125"), ("1000000000", "20", "0.025")])
BITGET_TIERS = tiers_from(
    [
        ("50000", "125", "0.004"),
        ("200000", "100", "0.005"),
        ("5000000", "50", "0.01"),
        ("20000000", "20", "0.025"),
        ("100000000", "5", "0.1"),
    ]
)
KRAKEN_FUTURES_TIERS = tiers_from(
    [
        ("2000000", "50", "0.01"),
        ("5000000", "25", "0.02"),
        ("20000000", "20", "0.025"),
        ("100000000", "5", "0.1"),
    ]
)
DERIBIT_TIERS = tiers_from([("5000000", "50", "0.01"), ("50000000", "20", "0.025")])
# Base units of one contract, and its smallest part that is traded.
OKX_CONTRACTS = {
    "BTC": ("0.01", "0.01"),
    "ETH": ("0.1", "0.01"),
    "SOL": ("1", "0.01"),
    "XRP": ("100", "0.01"),
    "DOGE": ("1000", "0.01"),
    "ADA": ("100", "0.1"),
    "LINK": ("1", "0.1"),
    "AVAX": ("1", "0.1"),
    "HYPE": ("0.1", "1"),
}
# Base units of one contract, which is not parted.
GATE_CONTRACTS = {
    "BTC": "0.0001",
    "ETH": "0.01",
    "SOL": "0.1",
    "XRP": "10",
    "DOGE": "10",
    "ADA": "10",
    "LINK": "0.1",
    "AVAX": "0.1",
    "HYPE": "0.1",
}
# Of KuCoin, where no part of a contract is traded.
KUCOIN_CONTRACTS = {
    "BTC": "0.001",
    "ETH": "0.01",
    "SOL": "0.1",
    "XRP": "10",
    "DOGE": "100",
    "ADA": "10",
    "LINK": "0.1",
    "AVAX": "0.1",
    "HYPE": "0.1",
}
# Of assets without steps of their own.
USUAL_CONTRACT, USUAL_STEPS = ("1", "0.1"), ("0.001", "0.1")
