"""What the settled past of a set of legs says, as the opportunities page shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from statistics import median_low

from trading.core.funding import SettledRate
from trading.core.history import half_life, probability_of_break_even, stability


@dataclass(frozen=True, slots=True, kw_only=True)
class PastFigures:
    """Each None where too little was settled.

    `half_life_hours`: in what time half of a deviation of the spread is gone, the estimate of its
    convergence; `gap_half_life_hours` the same of the price gap. `stability` and `persistence`
    0 … 1; `break_even` is the part of the windows of the hold time in which settled spreads alone
    paid the round trip.
    """

    half_life_hours: Decimal | None
    stability: Decimal | None
    persistence: Decimal | None
    break_even: Decimal | None
    gap_half_life_hours: Decimal | None = None


def past_figures(
    spreads: Sequence[SettledRate],
    cost: Decimal,
    horizon: timedelta,
    *,
    gap_half_life_hours: Decimal | None = None,
) -> PastFigures:
    """Return the figures of settled spreads, oldest first; `cost` is the whole round trip."""
    steady = stability(spreads)
    steps = half_life([spread.rate_8h for spread in spreads])
    paid = probability_of_break_even(spreads, cost, horizon)
    hours = None
    if steps is not None:
        hours = steps * median_low(spread.interval_seconds for spread in spreads) / 3600
    return PastFigures(
        half_life_hours=hours,
        stability=None if steady is None else steady.score,
        persistence=None if steady is None else steady.persistence,
        break_even=None if paid is None else paid.share,
        gap_half_life_hours=gap_half_life_hours,
    )
