"""What a scan found: the legs that may pay, one row for each strategy that looks at them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from trading.core.scan.facts import Floats, Slot
from trading.core.scan.rules import RULES
from trading.core.scan.scanner import Scanner
from trading.core.scan.settings import SECONDS_PER_8H, per_year

Places = NDArray[np.intp]
# No book is so deep that size costs nothing; it keeps the best size finite.
LEAST_IMPACT = 1e-30
# Nothing that can be traded is as bad; what cannot is -inf.
LEAST_NET = -1e9
PAIR = (1.0, 1.0)
COLUMNS = ("rule", "base", "net", "spread_8h", "gap", "impact", "room", "transfer")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannedPair:
    """One ranked pair; fractions of one leg's notional, which `size_usd` is."""

    strategy: str
    base: str
    long: Slot
    short: Slot
    spread_8h: float
    gap: float
    net_return: float
    net_apr: float
    size_usd: float
    profit_usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Aligned columns. `legs` are the slots of each leg, `parts` what it is of the position.

    `net` is before what depends on size: `impact`, a fraction per USD, and `transfer`, USD. `room`
    is what all books take, USD. `spread_8h` is what the legs bring at present: funding, ageing of
    the gap, less borrowing. A row's `rule` is its number among `RULES`.
    """

    rule: Places
    legs: tuple[Places, ...]
    parts: tuple[float, ...] = PAIR
    base: Places
    net: Floats
    spread_8h: Floats
    gap: Floats
    impact: Floats
    room: Floats
    transfer: Floats

    def __len__(self) -> int:
        return len(self.net)

    @property
    def long(self) -> Places:
        return self.legs[0]

    @property
    def short(self) -> Places:
        return self.legs[1]

    def sizes(self, most: Floats | float) -> Floats:
        """Return the size that earns most: half of what eats the return, where there is room."""
        return np.minimum(np.minimum(np.abs(self.net) / (2 * self.impact), self.room), most)

    def profits(self, sizes: Floats) -> Floats:
        """Return the expected profit in USD over the horizon, everything paid."""
        profits: Floats = sizes * (self.net - self.impact * sizes) - self.transfer
        return profits

    def of_strategy(self, key: str) -> Candidates:
        """Return the candidates of one strategy."""
        rules = [number for number, rule in enumerate(RULES) if rule.strategy == key]
        return self.only(np.flatnonzero(np.isin(self.rule, rules)))

    def of_one_base(self) -> Candidates:
        """Return the candidates of one base as its only one: what is kept by base has one row."""
        return replace(self, base=np.zeros_like(self.base))

    def only(self, rows: Places) -> Candidates:
        return replace(
            self,
            legs=tuple(leg[rows] for leg in self.legs),
            **{name: getattr(self, name)[rows] for name in COLUMNS},
        )


def candidates(
    scanner: Scanner,
    *,
    least_net: float | Decimal,
    limit: int,
    most_usd: float | Decimal,
    base: int | None = None,
) -> Candidates:
    """Return the pairs whose net return reaches the bar, highest expected profit first.

    `most_usd` bounds their size; `base` looks at one base alone.
    """
    net = scanner.net if base is None else scanner.net[:, :, base, None]
    indices = np.flatnonzero(net >= max(float(least_net), LEAST_NET))
    legs = indices // net.shape[-1]
    at = indices - legs * net.shape[-1] + (base or 0)
    lean = _Lean(scanner, legs, at)
    return lean.columns(highest(lean.profits(float(most_usd)), limit))


def highest(profits: Floats, limit: int) -> Places:
    """Return the rows of the highest profits, at most `limit`, highest first."""
    best = np.arange(len(profits))
    if len(best) > limit:
        best = np.argpartition(-profits, limit - 1)[:limit]
    return best[np.argsort(-profits[best], kind="stable")]


def pairs(scanner: Scanner, found: Candidates, *, most_usd: float) -> list[ScannedPair]:
    """Name what was found."""
    facts, sizes, hold = scanner.facts, found.sizes(most_usd), scanner.values.hold
    profits = found.profits(sizes)
    net = profits / sizes
    held = np.minimum(hold[found.long, found.base], hold[found.short, found.base])
    return [
        ScannedPair(
            strategy=RULES[found.rule[row]].strategy,
            base=facts.bases[found.base[row]],
            long=facts.slots[found.long[row]],
            short=facts.slots[found.short[row]],
            spread_8h=float(found.spread_8h[row]),
            gap=float(found.gap[row]),
            net_return=float(net[row]),
            net_apr=float(net[row]) * per_year(float(held[row])),
            size_usd=float(sizes[row]),
            profit_usd=float(profits[row]),
        )
        for row in range(len(found))
    ]


class _Lean:
    """As much of many pairs as their profit needs; all columns are read of the few best."""

    def __init__(self, scanner: Scanner, legs: Places, base: Places) -> None:
        facts = scanner.facts
        self._scanner, self._base = scanner, base
        bases, slots = len(facts.bases), len(facts.slots)
        self._long, self._short = legs // slots, legs % slots
        self._first = self._long * bases + base
        self._second = self._short * bases + base
        self._net = scanner.net.take(legs * bases + base)
        impact, room = facts.impact, facts.room
        self._impact = impact.take(self._first)
        self._impact += impact.take(self._second)
        np.maximum(self._impact, LEAST_IMPACT, out=self._impact)
        self._room = np.minimum(room.take(self._first), room.take(self._second))
        self._transfer = scanner.transfer.take(legs)

    def profits(self, most_usd: float) -> Floats:
        sizes = np.abs(self._net)
        sizes /= 2 * self._impact
        np.minimum(sizes, self._room, out=sizes)
        np.minimum(sizes, most_usd, out=sizes)
        profits: Floats = sizes * (self._net - self._impact * sizes) - self._transfer
        return profits

    def columns(self, best: Places) -> Candidates:
        """Return all columns, each row once for every rule that covers its kinds."""
        scanner = self._scanner
        long, short = self._long.take(best), self._short.take(best)
        repeated, rule = np.nonzero(scanner.covers[long, short])
        rows = best.take(repeated)
        first, second = self._first.take(rows), self._second.take(rows)
        gap = scanner.price[0].take(second) * scanner.price[1].take(first) - 1
        return Candidates(
            rule=rule,
            legs=(long.take(repeated), short.take(repeated)),
            base=self._base.take(rows),
            net=self._net.take(rows),
            spread_8h=_present_carry(scanner, first, second, gap),
            gap=gap,
            impact=self._impact.take(rows),
            room=self._room.take(rows),
            transfer=self._transfer.take(rows),
        )


def _present_carry(scanner: Scanner, long: Places, short: Places, gap: Floats) -> Floats:
    """Return what pairs bring per 8 h at present; between two expiries nothing ages."""
    predicted, borrow = scanner.facts.predicted_8h, scanner.facts.borrow
    carry: Floats = predicted.take(short) - predicted.take(long) - 8 * borrow.take(short)
    if scanner.facts.is_dated:
        long_left, short_left = scanner.values.left.take(long), scanner.values.left.take(short)
        ages = np.isinf(long_left) | np.isinf(short_left)
        own = gap / short_left + gap / (1 + gap) / long_left
        carry += np.where(ages, SECONDS_PER_8H * own, 0.0)
    return carry
