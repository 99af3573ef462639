"""What the cut of an entry cost that could be hedged in part only."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from exchanges.domain import Side
from trading.core.exposure import ZERO
from trading.core.pnl import LegFill


def cut_cost(opened: Sequence[LegFill], cut: Sequence[LegFill]) -> Decimal:
    """Return what was lost on the quantity that was cut again, fees of both ways included.

    Of the opening fees it bears its share by quantity; < 0 where the cut brought a gain.
    """
    bought = sum((fill.base_quantity for fill in opened), ZERO)
    gone = sum((fill.base_quantity for fill in cut), ZERO)
    if not bought or not gone:
        return ZERO
    share = gone / bought
    paid = sum((_value(fill) for fill in opened), ZERO) * share
    fees = sum((fill.fee for fill in opened), ZERO) * share + sum((f.fee for f in cut), ZERO)
    return paid + sum((_value(fill) for fill in cut), ZERO) + fees


def _value(fill: LegFill) -> Decimal:
    """Return what was paid, > 0 for a buy, < 0 for a sale."""
    sign = 1 if fill.side is Side.BUY else -1
    return sign * fill.price * fill.base_quantity
