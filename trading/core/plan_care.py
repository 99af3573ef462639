"""What a running hedge needs of the order path: a trim of the larger leg, or another size.

Legs are compared by their size, what they hold per ratio.

`docs/DOMAIN.md` section 6, delta care and basis care. What shrinks goes through UNWINDING, which
cuts legs by reduce-only orders, what grows through ENTERING: care has no order path of its own.
"""

from __future__ import annotations

from decimal import Decimal

from trading.core.exposure import drift, smallest_size
from trading.core.money import plain
from trading.core.sentence import percent
from trading.core.snapshot import LegView, PositionView
from trading.core.states import PositionEvent
from trading.core.steps import Record


def trim_cause(view: PositionView) -> str:
    """Return why the larger leg must be trimmed now, empty while the drift may stay.

    What no order could remove, less than a lot, is dust and never counts.
    """
    off, larger, excess = _drift(view)
    if excess <= 0 or off < min(view.rules.trim_drift, view.rules.rebalance_threshold):
        return ""
    most = view.rules.rebalance_threshold
    if off < most:
        if larger.book is None or excess * larger.book.mid <= larger.instrument.min_notional:
            return ""
        most = view.rules.trim_drift
    return (
        f"the legs differ by {percent(off, 2)}, {plain(excess)} {larger.instrument.base}; "
        f"the most is {percent(most, 2)}"
    )


def lacks_price(view: PositionView) -> bool:
    """Tell whether only a fresh book can say if a drift is worth a trim."""
    off, larger, excess = _drift(view)
    return excess > 0 and off >= view.rules.trim_drift and larger.book is None


def _drift(view: PositionView) -> tuple[Decimal, LegView, Decimal]:
    """Return how far the legs differ, the larger one, and what could be cut from it."""
    sizes = [leg.exposure for leg in view.legs]
    larger = max(view.legs, key=lambda leg: leg.exposure.size)
    return drift(sizes), larger, larger.cut_to(smallest_size(sizes) * larger.ratio)


def reduction_step(view: PositionView) -> Record | None:
    """Return the start of what care asked for; None when nothing is asked, or left to cut."""
    if view.reduce_to is None:
        return None
    return Record(event=PositionEvent.REDUCE, cause=view.reduce_cause)


def addition_step(view: PositionView) -> Record | None:
    """Return the start of an addition that care asked for; whether it may open is asked there."""
    if view.add_quantity is None:
        return None
    return Record(event=PositionEvent.ADD, cause=view.add_cause)


def kept_quantity(view: PositionView) -> Decimal:
    """Return the size that unwinding leaves: the smallest leg's, or less where care asked."""
    smaller = smallest_size([leg.exposure for leg in view.legs])
    return smaller if view.reduce_to is None else min(smaller, view.reduce_to)
