"""What a size earns: costs that grow with it are walked off the order books of every leg."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from exchanges.domain import Level
from trading.core.costs import slippage

ZERO, ONE = Decimal(0), Decimal(1)
STEPS = tuple(Decimal(part) / 10 for part in (1, 2, 3, 4, 5, 6, 8, 10))


@dataclass(frozen=True, slots=True, kw_only=True)
class LegBook:
    """One leg's book: the side that an entry takes and that of the exit, best level first."""

    entry: Sequence[Level]
    exit: Sequence[Level]
    mid: Decimal
    touch_slippage: Decimal
    ratio: Decimal = ONE

    def slippage(self, size_usd: Decimal) -> Decimal | None:
        """Return what the leg's two orders slip at a size of the position; None beyond a side."""
        base_quantity = self.ratio * size_usd / self.mid
        walked = [slippage(side, base_quantity, self.mid) for side in (self.entry, self.exit)]
        known = [max(slip, self.touch_slippage) for slip in walked if slip is not None]
        return self.ratio * sum(known, ZERO) if len(known) == len(walked) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityPoint:
    """`net_return` is a fraction of the size, which is one leg's notional in USD."""

    size_usd: Decimal
    net_return: Decimal
    profit_usd: Decimal


def capacity_curve(
    books: Sequence[LegBook], *, net_before_slippage: Decimal, most_usd: Decimal
) -> tuple[CapacityPoint, ...]:
    """Return the expected profit at growing sizes up to `most_usd`, as far as the books reach."""
    points: list[CapacityPoint] = []
    if most_usd <= 0:
        return ()
    for step in STEPS:
        size = step * most_usd
        slips = [book.slippage(size) for book in books]
        known = [slip for slip in slips if slip is not None]
        if len(known) < len(slips):
            break
        net = net_before_slippage - sum(known, ZERO)
        points.append(CapacityPoint(size_usd=size, net_return=net, profit_usd=net * size))
    return tuple(points)


def best_point(curve: Sequence[CapacityPoint]) -> CapacityPoint | None:
    """Return the size that earns most, None where no size earns anything."""
    best = max(curve, key=lambda point: point.profit_usd, default=None)
    return best if best is not None and best.profit_usd > 0 else None
