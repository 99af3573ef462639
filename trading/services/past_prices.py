"""How far the price of each market went: bars of its mids, and settlement prices before them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from exchanges import selectors
from exchanges.board import Key
from exchanges.models import MidBar
from exchanges.selectors import BAR, bar_start
from trading.core.history import PriceBar, with_points

LOOKED_BACK = timedelta(days=100)


class PastPrices:
    """Bars in memory. `refresh` reads those that have ended since, the rest asks memory."""

    def __init__(self) -> None:
        self._bars: dict[Key, tuple[PriceBar, ...]] = {}
        self._points: dict[Key, tuple[PriceBar, ...]] = {}
        self._read_up_to: datetime | None = None

    def refresh(self, now: datetime) -> bool:
        """Read the bars that have ended since the last time; tell whether there were any."""
        ended, since = bar_start(now), self._read_up_to or now - LOOKED_BACK
        if ended <= since:
            return False
        found: dict[Key, list[PriceBar]] = {}
        for key, (at, first, low, high) in selectors.mid_bars(since, ended):
            bar = PriceBar(at=at, price=first, lowest=low, highest=high)
            found.setdefault(key, []).append(bar)
        self._read_up_to = ended
        if not found:
            return False
        # Whole copies: the scan asks on another thread meanwhile.
        known, oldest = self._bars.copy(), now - LOOKED_BACK
        for key, bars in found.items():
            known[key] = (*(bar for bar in known.get(key, ()) if bar.at >= oldest), *bars)
        self._bars = known
        return True

    def settle(self, key: Key, points: Iterable[PriceBar]) -> None:
        """Take over the prices of an instrument's settlements, oldest first."""
        self._points[key] = tuple(points)

    def of(self, key: Key) -> tuple[PriceBar, ...]:
        """Return an instrument's bars and, where none was kept, its settlement prices."""
        return with_points(self._bars.get(key, ()), self._points.get(key, ()), BAR)


def prices_of(bars: Iterable[MidBar], points: Sequence[PriceBar]) -> tuple[PriceBar, ...]:
    """Return bars and, where none was kept, points; both of one instrument, oldest first."""
    known = [
        PriceBar(at=bar.starts_at, price=bar.first, lowest=bar.low, highest=bar.high)
        for bar in bars
    ]
    return with_points(known, points, BAR)
