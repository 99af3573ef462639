"""How much of a perpetual is held and was traded: a fact of its own beside prices and rates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from exchanges.domain import Symbol


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """How much of a perpetual is held, and was traded within 24 hours.

    `open_interest` is in base units, `turnover_usd` counts stablecoins as dollars; None is what an
    answer did not tell.
    """

    venue: str
    symbol: Symbol
    open_interest: Decimal | None
    turnover_usd: Decimal | None
    observed_at: datetime
