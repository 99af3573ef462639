"""The strategies there are, by key."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from trading.strategies.base import Strategy
from trading.strategies.funding_spread import FundingSpread

STRATEGIES: Mapping[str, Strategy] = MappingProxyType(
    {strategy.key: strategy for strategy in (FundingSpread(),)}
)
