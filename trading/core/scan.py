"""All ordered venue pairs of every symbol in one vectorised pass.

The one place in the engine where floats are allowed: the scan ranks, `costs` and `funding` decide
in Decimal. Arrays are [venue, symbol], pairs [long venue, short venue, symbol]. Unlisted or
untrustworthy instruments are NaN and so is every net figure built on them.

A pair's return splits into what each leg brings as a long and as a short leg, so most work is done
per instrument and the pair costs one subtraction. Break-even is looked for at the settlements at
which the leg that settles less often settles (from the first at which both have), a whole number of
the other leg's intervals apart: exact where both settle together, otherwise never earlier than
`costs.break_even` says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from trading.core.costs import BREAK_EVEN_LIMIT
from trading.core.funding import HOURS_PER_YEAR, CarryEstimator
from trading.core.parameters import Parameters

Floats = NDArray[np.float64]

HOURS_PER_8H = 8.0
LEAST_DRIFT = 1e-300
NEVER_HOURS = BREAK_EVEN_LIMIT / timedelta(hours=1)
# A block's buffers fit into the second-level cache; one pass over everything would not.
BLOCK = 100
COLUMNS = (
    "book_at",
    "rate_at",
    "next_funding",
    "interval",
    "carry_8h",
    "predicted_8h",
    "bid",
    "ask",
    "cost",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanSettings:
    """What one scan assumes. Seconds; `beta` None believes the predicted rate."""

    horizon: float
    beta: float | None
    max_book_age: float
    max_rate_age: float

    @classmethod
    def of(cls, parameters: Parameters) -> ScanSettings:
        model = parameters.carry_model
        believes = model.estimator is CarryEstimator.PREDICTED
        return cls(
            horizon=parameters.hold_horizon.total_seconds(),
            beta=None if believes else float(model.beta),
            max_book_age=parameters.max_book_age.total_seconds(),
            max_rate_age=parameters.max_funding_age.total_seconds(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannedPair:
    """One ranked pair; fractions of one leg's notional. `break_even_hours` None is never."""

    symbol: str
    long_venue: str
    short_venue: str
    spread_8h: float
    net_return: float
    net_apr: float
    break_even_hours: float | None


class ScanFacts:
    """Aligned arrays [venue, symbol], written by whoever learns a fact. Times are epoch seconds.

    `carry_8h` is the settled average before beta; an unknown interval is NaN; `cost` is a leg's
    round trip, `LegCost.opening + .closing`. `exit_gap` [long, short, symbol] is the price gap
    expected at exit, 0 unless known.
    """

    def __init__(self, venues: Sequence[str], symbols: Sequence[str]) -> None:
        self.venues, self.symbols = tuple(venues), tuple(symbols)
        shape = (len(venues), len(symbols))
        self.rows: Floats = np.full((len(COLUMNS), *shape), np.nan)
        # A fact that never came is infinitely old, so that one comparison finds it.
        self.rows[:3] = -np.inf
        self.book_at, self.rate_at, self.next_funding, self.interval = self.rows[:4]
        self.carry_8h, self.predicted_8h, self.bid, self.ask, self.cost = self.rows[4:]
        self.exit_gap: Floats = np.zeros((shape[0], *shape))
        itself = np.arange(shape[0])
        self.exit_gap[itself, itself] = np.nan


class Scanner:
    """Scans one set of facts. Results are views that the next scan overwrites."""

    def __init__(self, facts: ScanFacts, settings: ScanSettings) -> None:
        self._facts = facts
        venues, symbols = len(facts.venues), len(facts.symbols)
        self._per_year = HOURS_PER_YEAR * 3600 / settings.horizon
        self._blocks = [
            slice(start, min(start + BLOCK, symbols)) for start in range(0, symbols, BLOCK)
        ]
        sizes = {block.stop - block.start for block in self._blocks}
        self._passes = {size: _Pass(venues, (size,), settings) for size in sizes}
        self._one = _Pass(venues, (), settings)
        self._schedules: dict[int | slice, _Schedule] = {}
        self._results: Floats = np.full((3, venues, venues, symbols), np.nan)
        self.spread_8h, self.net_return, self.break_even_hours = self._results
        """[long, short, symbol]; NaN is not tradable, hours beyond NEVER_HOURS are never."""

    @property
    def net_apr(self) -> Floats:
        return self.net_return * self._per_year

    def scan_full(self, now: float) -> None:
        """Refresh every pair of every symbol; `now` is epoch seconds."""
        for number, block in enumerate(self._blocks):
            rows = self._facts.rows[:, :, block]
            gap = self._facts.exit_gap[:, :, block]
            # Symbols are numbered from 0, blocks from -1 down.
            schedule = self._schedule(-1 - number, rows)
            self._results[..., block] = self._passes[block.stop - block.start].run(
                rows, gap, schedule, now
            )

    def scan_symbol(self, index: int, now: float) -> ScannedPair | None:
        """Refresh the pairs of one symbol and return the best of them; None if none is sound."""
        rows = self._facts.rows[:, :, index].copy()
        results = self._one.run(
            rows, self._facts.exit_gap[:, :, index], self._schedule(index, rows), now
        )
        self._results[..., index] = results
        best = int(np.fmax(results[1], -np.inf).argmax())
        long, short = divmod(best, len(self._facts.venues))
        return None if np.isnan(results[1, long, short]) else self._pair(long, short, index)

    def best(self, *, least_net: float, least_spread: float, limit: int) -> list[ScannedPair]:
        """Return the pairs that clear both bars, highest net return first."""
        net = self.net_return
        indices = np.flatnonzero(net >= least_net)
        indices = indices[self.spread_8h.ravel()[indices] >= least_spread]
        ranked = indices[np.argsort(-net.ravel()[indices], kind="stable")[:limit]]
        return [self._pair(*(int(i) for i in np.unravel_index(k, net.shape))) for k in ranked]

    def _schedule(self, key: int, rows: Floats) -> _Schedule:
        seen = rows[2:4].tobytes()
        known = self._schedules.get(key)
        if known is None or known.seen != seen:
            known = self._schedules[key] = _Schedule(seen, rows[2], rows[3])
        return known

    def _pair(self, long: int, short: int, symbol: int) -> ScannedPair:
        facts = self._facts
        spread, net, hours = (float(value) for value in self._results[:, long, short, symbol])
        return ScannedPair(
            symbol=facts.symbols[symbol],
            long_venue=facts.venues[long],
            short_venue=facts.venues[short],
            spread_8h=spread,
            net_return=net,
            net_apr=net * self._per_year,
            break_even_hours=None if hours > NEVER_HOURS else hours,
        )


class _Schedule:
    """What depends on settlement times only, which change a few times a day. Hours.

    `both_settled` is when both legs have settled once; `again_*` how often a leg has settled again
    by then; `period` the longer interval.
    """

    __slots__ = (
        "again_long",
        "again_short",
        "both_settled",
        "is_uniform",
        "lengths",
        "period",
        "seen",
    )

    def __init__(self, seen: bytes, next_funding: Floats, interval: Floats) -> None:
        self.seen = seen
        known = np.where(np.isinf(next_funding), np.nan, next_funding)
        both = np.maximum(known[None], known[:, None])
        self.lengths = np.stack([interval / 3600, interval / (3600 * HOURS_PER_8H)])
        self.period = np.maximum(self.lengths[0][None], self.lengths[0][:, None])
        self.both_settled = both / 3600
        self.again_long = np.floor((both - known[:, None]) / interval[:, None])
        self.again_short = np.floor((both - known[None]) / interval[None])
        # Most symbols settle at the same moments everywhere; NaN compares as not zero.
        self.is_uniform = not (np.any(self.again_long > 0) or np.any(self.again_short > 0))


class _Pass:
    """The buffers and the arithmetic of one scan over arrays [venue, *tail].

    A leg's contributions have five rows: expected rate per hour, predicted rate per 8 h, return
    over the horizon, return when both have settled once, cost; costs signed by role. Subtracting
    the long role from the short one gives the pair's: drift, spread, net return, return at both
    (which becomes the break-even) and minus what is owed.
    """

    def __init__(self, venues: int, tail: tuple[int, ...], settings: ScanSettings) -> None:
        one, two = (venues, *tail), (venues, venues, *tail)
        column = (1,) * len(one)
        self._settings = settings
        self._now, self._zero, self._unity = np.zeros(()), np.zeros(()), np.ones(())
        self._half, self._least_drift = np.array(0.5), np.array(LEAST_DRIFT)
        self._horizon = np.array(settings.horizon)
        self._oldest: Floats = np.empty(3)
        self._oldest_column = self._oldest.reshape(3, *column)
        beta = 1.0 if settings.beta is None else settings.beta
        self._weights = np.array([beta / HOURS_PER_8H, 1.0]).reshape(2, *column)
        self._signs = np.array([1.0, -1.0]).reshape(2, *column)
        # Both rates are the predicted one where that is believed.
        self._rate_rows = slice(5, 6) if settings.beta is None else slice(4, 6)
        self._fresh: Floats = np.empty((4, *one))
        self._wait = self._fresh[2]
        self._worst, self._mid, self._count, self._lower = np.empty((4, *one))
        self._untrusted = np.empty(one, dtype=bool)
        # Rows: over the horizon, one later settlement, the predicted one.
        self._payments: Floats = np.empty((3, *one))
        self._shares: Floats = np.ones((1, 2, *one))
        self._surprise: Floats = np.empty((2, 1, *one))
        self._legs: Floats = np.empty((2, 5, *one))
        self._pairs: Floats = np.full((5, *two), np.nan)
        self._credit, self._scratch = np.full((2, *two), np.nan)
        self._owes = np.empty(two, dtype=bool)
        # Views made once: for one symbol, making them costs as much as the arithmetic.
        self._longs, self._shorts = self._legs[0][:, :, None], self._legs[1][:, None]
        self._mid_long, self._mid_short = self._mid[:, None], self._mid[None]
        later = self._payments[1]
        self._later_long, self._later_short = later[:, None], later[None]
        self._results = self._pairs[1:4]

    def run(self, rows: Floats, exit_gap: Floats, schedule: _Schedule, now: float) -> Floats:
        """Return spread, net return and break-even hours, [row, long, short, *tail]."""
        settings = self._settings
        self._oldest[0] = now - settings.max_book_age
        self._oldest[1] = now - settings.max_rate_age
        self._oldest[2] = now
        self._now[()] = now / 3600
        self._price(rows)
        self._expect(rows, schedule)
        self._pair(exit_gap)
        self._break_even(schedule)
        return self._results

    def _price(self, rows: Floats) -> None:
        """Fill mids, NaN where a fact is stale, a book crossed or a settlement already past."""
        np.subtract(rows[:3], self._oldest_column, self._fresh[:3])
        np.subtract(rows[7], rows[6], self._fresh[3])
        np.minimum.reduce(self._fresh, axis=0, out=self._worst)
        np.less_equal(self._worst, self._zero, self._untrusted)
        np.add(rows[6], rows[7], self._mid)
        np.copyto(self._mid, np.nan, where=self._untrusted)

    def _expect(self, rows: Floats, schedule: _Schedule) -> None:
        """Fill what each instrument brings as a long and as a short leg."""
        legs, count, payments, lower = self._legs, self._count, self._payments, self._lower
        np.multiply(rows[self._rate_rows], self._weights, legs[:, :2])
        np.multiply(legs[0, :2], schedule.lengths, payments[1:])
        # Settlements in (now, now + horizon].
        np.subtract(self._horizon, self._wait, count)
        np.divide(count, rows[3], count)
        np.floor(count, count)
        np.add(count, self._unity, count)
        np.maximum(count, self._zero, out=count)
        np.minimum(count, self._unity, out=self._shares[0, 0])
        np.multiply(count, payments[1], payments[0])
        # The coming settlement uses its predicted rate only where that lowers the result.
        np.subtract(payments[2], payments[1], lower)
        np.maximum(lower, self._zero, out=self._surprise[0, 0])
        np.minimum(lower, self._zero, out=self._surprise[1, 0])
        np.multiply(rows[8], self._signs, legs[:, 4])
        np.multiply(self._surprise, self._shares, legs[:, 2:4])
        np.add(legs[:, 2:4], payments[:2], legs[:, 2:4])
        np.add(legs[:, 2:4], legs[:, 4:], legs[:, 2:4])

    def _pair(self, exit_gap: Floats) -> None:
        """Subtract long from short; a gain from the closing price gap counts half, a loss whole."""
        credit, scratch = self._credit, self._scratch
        np.subtract(self._shorts, self._longs, self._pairs)
        np.divide(self._mid_short, self._mid_long, credit)
        np.subtract(credit, self._unity, credit)
        np.subtract(credit, exit_gap, credit)
        np.multiply(credit, self._half, scratch)
        np.minimum(credit, scratch, out=credit)
        np.add(self._pairs[2:], credit, self._pairs[2:])

    def _break_even(self, schedule: _Schedule) -> None:
        """Turn the return at both into the hours until the return is not negative."""
        drift, hours, owed, scratch = self._pairs[0], self._pairs[3], self._pairs[4], self._scratch
        if not schedule.is_uniform:
            np.multiply(schedule.again_short, self._later_short, scratch)
            np.add(hours, scratch, hours)
            np.multiply(schedule.again_long, self._later_long, scratch)
            np.subtract(hours, scratch, hours)
        np.multiply(drift, schedule.period, drift)
        # Without drift the quotient is far beyond NEVER_HOURS, or positive and cut to nothing.
        np.maximum(drift, self._least_drift, out=drift)
        np.divide(hours, drift, hours)
        np.floor(hours, hours)
        np.minimum(hours, self._zero, out=hours)
        np.multiply(hours, schedule.period, hours)
        np.subtract(schedule.both_settled, hours, hours)
        np.subtract(hours, self._now, hours)
        np.less(owed, self._zero, self._owes)
        np.multiply(hours, self._owes, hours)
