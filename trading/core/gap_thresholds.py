"""At which price gaps positions of the gap open and close; `docs/DOMAIN.md` section 6."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from trading.core.parameters import Parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class GapThresholds:
    """Fractions of the price: opens at or above `opening`, closes at or below `closing`."""

    opening: Decimal
    closing: Decimal


def dynamic_thresholds(spread_8h: Decimal, parameters: Parameters) -> GapThresholds:
    """Return the thresholds of a funding regime, linear between low and high funding.

    `spread_8h` is what the position receives per 8 h: much of it is worth a small gap.
    """
    p = parameters
    span = p.dynamic_funding_high - p.dynamic_funding_low
    within = min(max(spread_8h, p.dynamic_funding_low), p.dynamic_funding_high)
    part = (within - p.dynamic_funding_low) / span
    return GapThresholds(
        opening=p.dynamic_open_low + (p.dynamic_open_high - p.dynamic_open_low) * part,
        closing=p.dynamic_close_low + (p.dynamic_close_high - p.dynamic_close_low) * part,
    )


def opening_gap(spread_8h: Decimal, parameters: Parameters, otherwise: Decimal) -> Decimal:
    """Return the gap that opens: `otherwise` unless thresholds follow funding."""
    if not parameters.dynamic_thresholds:
        return otherwise
    return dynamic_thresholds(spread_8h, parameters).opening


def closing_gap(spread_8h: Decimal | None, parameters: Parameters) -> Decimal | None:
    """Return the gap that closes, None where it follows funding and that is not known."""
    if not parameters.dynamic_thresholds:
        return parameters.min_closing_arbitrage
    return None if spread_8h is None else dynamic_thresholds(spread_8h, parameters).closing
