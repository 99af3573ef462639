"""What the past of a pair says: how long it lasts, how often it paid, how often it hurt.

Definitions: `docs/DOMAIN.md` section 6a. Windows overlap, so a share is worth as many independent
observations as the period holds horizons. Every function returns None where history is too short.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from itertools import accumulate, pairwise
from statistics import median

from exchanges.domain import Side
from trading.core.funding import (
    SECONDS_PER_HOUR,
    STAMP_SLACK,
    SettledRate,
    rate_per_interval,
)
from trading.core.liquidation import WARNING_DISTANCE, liquidation_price

ZERO, ONE, HALF = Decimal(0), Decimal(1), Decimal("0.5")
LEAST_OBSERVATIONS = 30
LEAST_HORIZONS = 3
"""A period shorter than this many horizons says nothing about one of them."""
MOST_INTERVALS = 2
USUAL_MAINTENANCE = Decimal("0.005")
"""The maintenance rate that a leg of the past is taken to have had."""
SUGGESTED_PART = Decimal("0.75")
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceBar:
    """A price and how far it went until the next one; without that, all three are the same."""

    at: datetime
    price: Decimal
    lowest: Decimal
    highest: Decimal

    @classmethod
    def point(cls, at: datetime, price: Decimal) -> PriceBar:
        return cls(at=at, price=price, lowest=price, highest=price)


def with_points(
    bars: Sequence[PriceBar], points: Sequence[PriceBar], length: timedelta
) -> tuple[PriceBar, ...]:
    """Return bars of a length, and between them the points that no bar covers; oldest first."""
    starts = [bar.at for bar in bars]

    def is_covered(at: datetime) -> bool:
        index = bisect_right(starts, at + STAMP_SLACK) - 1
        return index >= 0 and at < starts[index] + length

    alone = [point for point in points if not is_covered(point.at)]
    return tuple(sorted([*bars, *alone], key=lambda bar: bar.at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Frequency:
    """How many of the windows of the past did it."""

    hits: int
    windows: int

    @property
    def share(self) -> Decimal:
        return Decimal(self.hits) / self.windows


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPart:
    """The part of the average, 0 … 1, that the windows of the past kept."""

    part: Decimal
    windows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stability:
    """How steady a spread was. `mean` and `deviation` per 8 h.

    `score` is |mean| / (|mean| + deviation), 0 … 1; `persistence` the share of settlements whose
    spread had the sign of the one before.
    """

    observations: int
    mean: Decimal
    deviation: Decimal
    persistence: Decimal

    @property
    def score(self) -> Decimal:
        size = abs(self.mean) + self.deviation
        return abs(self.mean) / size if size else ZERO


def percentile(values: Sequence[Decimal], part: Decimal = SUGGESTED_PART) -> Decimal | None:
    """Return the value below which `part` of the values lie, between neighbours linearly."""
    if not values:
        return None
    ordered = sorted(values)
    place = part * (len(ordered) - 1)
    below = int(place.to_integral_value(ROUND_FLOOR))
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def half_life(values: Sequence[Decimal]) -> Decimal | None:
    """Return in how many steps half of a deviation is gone; None where it does not come back.

    The slope b of x(t+1) = a + b x(t) by least squares; ln 0.5 / ln b for 0 < b < 1.
    """
    return half_life_of(list(pairwise(values)))


def half_life_of(steps: Sequence[tuple[Decimal, Decimal]]) -> Decimal | None:
    """Return the half-life of what went from one value to the next, wherever steps are missing."""
    if len(steps) + 1 < LEAST_OBSERVATIONS:
        return None
    slope = _slope([before for before, _ in steps], [after for _, after in steps])
    if slope is None or not ZERO < slope < ONE:
        return None
    return HALF.ln() / slope.ln()


def stability(spreads: Sequence[SettledRate]) -> Stability | None:
    """Return how steady settled spreads (oldest first) were."""
    rates = [spread.rate_8h for spread in spreads]
    if len(rates) < LEAST_OBSERVATIONS:
        return None
    mean = sum(rates, ZERO) / len(rates)
    variance = sum(((rate - mean) ** 2 for rate in rates), ZERO) / (len(rates) - 1)
    kept = sum(1 for old, new in pairwise(rates) if old * new > 0)
    return Stability(
        observations=len(rates),
        mean=mean,
        deviation=variance.sqrt(),
        persistence=Decimal(kept) / (len(rates) - 1),
    )


def probability_of_break_even(
    spreads: Sequence[SettledRate],
    cost: Decimal,
    horizon: timedelta,
    *,
    least_spread: Decimal | None = None,
) -> Frequency | None:
    """Return in how many windows of `horizon` the settled spreads paid `cost`.

    `spreads` are oldest first; `cost` is all of a round trip, as a fraction of one leg's notional.
    With `least_spread` only windows count that began after a settlement at or above it.
    """
    hits = windows = 0
    for index, paid in _funding_windows(spreads, horizon):
        if least_spread is None or spreads[index].rate_8h >= least_spread:
            windows += 1
            hits += paid >= cost
    return Frequency(hits=hits, windows=windows) if windows else None


def probability_of_warning(
    prices: Sequence[PriceBar],
    leverage: Decimal,
    horizon: timedelta,
) -> Frequency | None:
    """Return in how many windows of `horizon` the long or the short leg reached WARNING.

    `prices` are oldest first; each window is entered at its first price. Between two points that
    are no bars a move is not seen, so sparse points say too little.
    """
    if not _is_long_enough([bar.at for bar in prices], horizon):
        return None
    below, above = _warning_levels(leverage)
    hits = windows = 0
    for entry, lowest, highest in _price_windows(prices, horizon):
        windows += 1
        hits += lowest < entry * below or highest > entry * above
    return Frequency(hits=hits, windows=windows) if windows else None


def running_averages(rates: Sequence[SettledRate], half_life: timedelta) -> list[Decimal]:
    """Return what `ewma_8h` says at each settlement, each from the one before; oldest first."""
    averages: list[Decimal] = []
    weighted = weights = ZERO
    decay: dict[timedelta, Decimal] = {}
    before: datetime | None = None
    for rate in rates:
        spacing = rate.settled_at - before if before is not None else timedelta(0)
        if spacing not in decay:
            decay[spacing] = HALF ** (Decimal(spacing // _SECOND) / (half_life // _SECOND))
        weighted = weighted * decay[spacing] + rate.interval_seconds * rate.rate_8h
        weights = weights * decay[spacing] + rate.interval_seconds
        averages.append(weighted / weights)
        before = rate.settled_at
    return averages


def fitted_beta(
    spreads: Sequence[SettledRate], horizon: timedelta, *, half_life: timedelta
) -> KeptPart | None:
    """Return the part of the average settled spread that the next `horizon` kept.

    Least squares through the origin: sum(x y) / sum(x x), x the average as `ewma_8h` counts it at
    a settlement, y the mean spread of the complete window after it.
    """
    averages = running_averages(spreads, half_life)
    eights = Decimal(horizon // _SECOND) / (8 * SECONDS_PER_HOUR)
    products = squares = ZERO
    windows = 0
    for index, paid in _funding_windows(spreads, horizon):
        windows += 1
        products += averages[index] * paid
        squares += averages[index] ** 2
    if windows < LEAST_OBSERVATIONS or squares == 0:
        return None
    part = min(max(products / squares / eights, ZERO), ONE)
    return KeptPart(part=part, windows=windows)


def _funding_windows(
    spreads: Sequence[SettledRate], horizon: timedelta
) -> Iterator[tuple[int, Decimal]]:
    """Yield each settlement with what the complete window after it paid.

    A row that covers far more than the usual interval has a gap before it: its windows are left
    out, for nobody knows what the missing settlements paid.
    """
    if not _is_long_enough([spread.settled_at for spread in spreads], horizon):
        return
    paid = [ZERO, *accumulate(rate_per_interval(s.rate_8h, s.interval_seconds) for s in spreads)]
    covered = [0, *accumulate(spread.interval_seconds for spread in spreads)]
    usual = median(spread.interval_seconds for spread in spreads)
    gaps = [0, *accumulate(spread.interval_seconds > MOST_INTERVALS * usual for spread in spreads)]
    seconds = horizon // _SECOND
    end = 0
    for start, spread in enumerate(spreads):
        until = spread.settled_at + horizon + STAMP_SLACK
        while end < len(spreads) and spreads[end].settled_at <= until:
            end += 1
        if (
            end == len(spreads)
            and spreads[-1].settled_at + STAMP_SLACK < spread.settled_at + horizon
        ):
            return
        missing = seconds - (covered[end] - covered[start + 1])
        is_complete = 0 <= missing < spreads[end - 1].interval_seconds
        if is_complete and gaps[end] == gaps[start + 1]:
            yield start, paid[end] - paid[start + 1]


def _price_windows(
    prices: Sequence[PriceBar], horizon: timedelta
) -> Iterator[tuple[Decimal, Decimal, Decimal]]:
    """Yield each price with the lowest and the highest of the window that begins with it."""
    lowest, highest = _Extreme(lambda a, b: a <= b), _Extreme(lambda a, b: a >= b)
    end = 0
    for start, bar in enumerate(prices):
        if prices[-1].at < bar.at + horizon:
            return
        while end < len(prices) and prices[end].at <= bar.at + horizon:
            lowest.add(end, prices[end].lowest)
            highest.add(end, prices[end].highest)
            end += 1
        yield bar.price, lowest.since(start), highest.since(start)


class _Extreme:
    """The best value of a window that only moves forwards; each value is looked at twice."""

    def __init__(self, is_better: Callable[[Decimal, Decimal], bool]) -> None:
        self._is_better = is_better
        self._kept: deque[tuple[int, Decimal]] = deque()

    def add(self, index: int, value: Decimal) -> None:
        while self._kept and self._is_better(value, self._kept[-1][1]):
            self._kept.pop()
        self._kept.append((index, value))

    def since(self, index: int) -> Decimal:
        while self._kept[0][0] < index:
            self._kept.popleft()
        return self._kept[0][1]


def _warning_levels(leverage: Decimal) -> tuple[Decimal, Decimal]:
    """Return at which parts of the entry price the long and the short leg reach WARNING."""
    long, short = (
        liquidation_price(
            entry_price=ONE, leverage=leverage, maintenance=USUAL_MAINTENANCE, side=side
        )
        for side in (Side.BUY, Side.SELL)
    )
    return long / (1 - WARNING_DISTANCE), short / (1 + WARNING_DISTANCE)


def _is_long_enough(moments: Sequence[datetime], horizon: timedelta) -> bool:
    if len(moments) < LEAST_OBSERVATIONS:
        return False
    return moments[-1] - moments[0] >= LEAST_HORIZONS * horizon


def _slope(xs: Sequence[Decimal], ys: Sequence[Decimal]) -> Decimal | None:
    mean_x, mean_y = sum(xs, ZERO) / len(xs), sum(ys, ZERO) / len(ys)
    spread = sum(((x - mean_x) ** 2 for x in xs), ZERO)
    if spread == 0:
        return None
    together = sum(((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)), ZERO)
    return together / spread
