"""How much worse a price is than the mid an entry was decided on, and what is too much."""

from __future__ import annotations

from decimal import Decimal

from exchanges.domain import Side
from trading.core.money import plain
from trading.core.sentence import percent
from trading.core.snapshot import LegView, PositionView


def worse_by(price: Decimal, mid: Decimal, side: Side) -> Decimal:
    """Return the part of `mid` by which `price` is worse for `side`; < 0 is better."""
    return side.sign * (price - mid) / mid


def too_far(view: PositionView, leg: LegView, price: Decimal) -> str:
    """Say with both prices how an entry at `price` is beyond the guard; empty within it."""
    mid, most = leg.decision_mid, view.rules.max_entry_slippage
    side = Side.BUY if leg.sign > 0 else Side.SELL
    if mid is None or worse_by(price, mid, side) <= most:
        return ""
    return (
        f"the {leg.side_name} leg at {plain(price)} is {percent(worse_by(price, mid, side), 2)} "
        f"worse than the {plain(mid)} decided on; the most is {percent(most, 2)}"
    )
