"""The choices of a configuration that belong to no other noun."""

from __future__ import annotations

from enum import StrEnum

KNOWN_STRATEGIES = (
    "funding_spread",
    "cash_and_carry",
    "reverse_cash_and_carry",
    "price_convergence",
    "calendar_spread",
    "split_carry",
)


class EntryPolicy(StrEnum):
    NET = "net"
    SPREAD_ONLY = "spread_only"


class Tolerance(StrEnum):
    """When a spread that has turned against us closes a position; `docs/DOMAIN.md` section 6.

    `by_strategy` is cost-aware for funding spreads and moderate for all else.
    """

    BY_STRATEGY = "by_strategy"
    CONSERVATIVE = "conservative"
    MODERATE = "moderate"
    AGGRESSIVE = "aggressive"
    COST_AWARE = "cost_aware"


class Ranking(StrEnum):
    NET_PROFIT = "net_profit"
    NET_BPS = "net_bps"
    SPREAD = "spread"
