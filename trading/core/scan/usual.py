"""At what price of one instrument per another pairs usually stand: many medians at once."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from trading.core.scan.facts import Floats


def usual_ratios(mids: Sequence[Sequence[Decimal | float]], *, least_hours: int) -> Floats:
    """Return the median price of each short per long, [long, short], over the hours both have.

    `mids` [instrument, hour] are NaN where unknown; 1 where fewer than `least_hours` are common.
    """
    prices = np.array(mids, dtype=float)
    ratios = np.sort(prices[None] / prices[:, None], axis=-1)
    known = np.isfinite(ratios).sum(axis=-1, keepdims=True)
    enough = known[..., 0] >= max(least_hours, 1)
    if not enough.any():
        return np.ones(enough.shape)
    # What is not known is sorted to the end.
    middle = np.maximum(np.concatenate([(known - 1) // 2, known // 2], axis=-1), 0)
    return np.where(enough, np.take_along_axis(ratios, middle, axis=-1).mean(axis=-1), 1.0)
