"""How much an asset moves in a day, from the prices at which it settled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

LEAST_SPAN = timedelta(days=5)
LEAST_SPACING = timedelta(hours=4)
_MICROSECOND = timedelta(microseconds=1)


def daily_volatility(prices: Sequence[tuple[datetime, Decimal]]) -> Decimal | None:
    """Return the root of the squared returns a day, as a fraction; `prices` are oldest first.

    None with less than five days of them: a short calm is no history. Prices closer together than
    four hours are passed over, for what moves between them is noise of the book.
    """
    kept: list[tuple[datetime, Decimal]] = []
    for at, price in prices:
        if not kept or at - kept[-1][0] >= LEAST_SPACING:
            kept.append((at, price))
    if len(kept) < 2 or kept[-1][0] - kept[0][0] < LEAST_SPAN:
        return None
    squares = sum(((new / old - 1) ** 2 for (_, old), (_, new) in pairwise(kept)), Decimal(0))
    days = Decimal((kept[-1][0] - kept[0][0]) // _MICROSECOND) / (timedelta(days=1) // _MICROSECOND)
    return (squares / days).sqrt()
