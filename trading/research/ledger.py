"""What a replay traded and earned. Everything is a fraction of one leg's notional."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

ZERO = Decimal(0)
YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedTrade:
    """One position from entry to exit; `price` is what the gap between the legs earned."""

    base: str
    venues: tuple[str, ...]
    opened_at: datetime
    closed_at: datetime
    funding: Decimal
    price: Decimal
    cost: Decimal
    reason: str

    @property
    def net(self) -> Decimal:
        return self.funding + self.price - self.cost


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayResult:
    """All trades of one set of rules in order of time; `span` is the time of all books added up."""

    trades: tuple[ReplayedTrade, ...]
    since: datetime
    until: datetime
    span: timedelta

    @property
    def per_year(self) -> Decimal:
        """Return the simple yearly return on one leg's notional, idle time included."""
        return _sum(t.net for t in self.trades) / _ratio(self.span, YEAR)

    @property
    def funding(self) -> Decimal:
        return _sum(trade.funding for trade in self.trades)

    @property
    def price(self) -> Decimal:
        return _sum(trade.price for trade in self.trades)

    @property
    def cost(self) -> Decimal:
        return _sum(trade.cost for trade in self.trades)

    @property
    def lost(self) -> int:
        return sum(1 for trade in self.trades if trade.net < 0)

    @property
    def worst(self) -> Decimal:
        return min((trade.net for trade in self.trades), default=ZERO)

    @property
    def time_in_market(self) -> Decimal:
        held = sum((t.closed_at - t.opened_at for t in self.trades), timedelta(0))
        return _ratio(held, self.span)

    @property
    def drawdown(self) -> Decimal:
        """Return the deepest fall of the sum of closed trades below its peak, >= 0."""
        total = peak = deepest = ZERO
        for trade in self.trades:
            total += trade.net
            peak = max(peak, total)
            deepest = max(deepest, peak - total)
        return deepest


def together(results: Sequence[ReplayResult]) -> ReplayResult:
    """Return several books of one notional each as one; `per_year` is then their mean."""
    trades = sorted((t for r in results for t in r.trades), key=lambda trade: trade.closed_at)
    return ReplayResult(
        trades=tuple(trades),
        since=min(result.since for result in results),
        until=max(result.until for result in results),
        span=sum((result.span for result in results), timedelta(0)),
    )


def _sum(values: Iterable[Decimal]) -> Decimal:
    return sum(values, ZERO)


def _ratio(span: timedelta, of: timedelta) -> Decimal:
    return Decimal(span // timedelta(seconds=1)) / (of // timedelta(seconds=1))
