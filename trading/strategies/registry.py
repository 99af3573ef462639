"""The strategies there are, by key."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from trading.strategies.base import Strategy
from trading.strategies.calendar_spread import CalendarSpread
from trading.strategies.cash_and_carry import CASH_AND_CARRY
from trading.strategies.funding_spread import FundingSpread
from trading.strategies.price_convergence import PriceConvergence
from trading.strategies.reverse_cash_and_carry import REVERSE_CASH_AND_CARRY
from trading.strategies.split_carry import SPLIT_CARRY

_ALL: tuple[Strategy, ...] = (
    FundingSpread(),
    CASH_AND_CARRY,
    REVERSE_CASH_AND_CARRY,
    PriceConvergence(),
    CalendarSpread(),
    SPLIT_CARRY,
)
STRATEGIES: Mapping[str, Strategy] = MappingProxyType({each.key: each for each in _ALL})
