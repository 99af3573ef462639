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
        self._results: Floats = np.full((3, venues, venues, symbols), np.nan)
        self.spread_8h, self.net_return, self.break_even_hours = self._results
        """[long, short, symbol]; NaN is not tradable, hours beyond NEVER_HOURS are never."""

    @property
    def net_apr(self) -> Floats:
        apr: Floats = self.net_return * self._per_year
        return apr

    def scan_full(self, now: float) -> None:
        """Refresh every pair of every symbol; `now` is epoch seconds."""
        facts = self._facts
        for number, block in enumerate(self._blocks):
            one_pass = self._passes[block.stop - block.start]
            # Symbols are numbered from 0, blocks from -1 down.
            self._results[..., block] = one_pass.run(
                -1 - number, facts.rows[:, :, block], facts.exit_gap[:, :, block], now
            )

    def scan_symbol(self, index: int, now: float) -> ScannedPair | None:
        """Refresh the pairs of one symbol and return the best of them; None if none is sound."""
        facts = self._facts
        results = self._one.run(index, facts.rows[:, :, index], facts.exit_gap[:, :, index], now)
        self._results[..., index] = results
        best = int(np.fmax(results[1], -np.inf).argmax())
        long, short = divmod(best, len(facts.venues))
        return None if np.isnan(results[1, long, short]) else self._pair(long, short, index)

    def best(self, *, least_net: float, least_spread: float, limit: int) -> list[ScannedPair]:
        """Return the pairs that clear both bars, highest net return first."""
        net = self.net_return
        indices = np.flatnonzero((net >= least_net) & (self.spread_8h >= least_spread))
        lost = -net.ravel()[indices]
        if len(indices) > limit:
            nearest = np.argpartition(lost, limit - 1)[:limit]
            indices, lost = indices[nearest], lost[nearest]
        ranked = indices[np.argsort(lost, kind="stable")]
        return [self._pair(*(int(i) for i in np.unravel_index(k, net.shape))) for k in ranked]

    def _pair(self, long: int, short: int, symbol: int) -> ScannedPair:
        facts = self._facts
        spread, net, hours = self._results[:, long, short, symbol].tolist()
        return ScannedPair(
            symbol=facts.symbols[symbol],
            long_venue=facts.venues[long],
            short_venue=facts.venues[short],
            spread_8h=spread,
            net_return=net,
            net_apr=net * self._per_year,
            break_even_hours=None if hours > NEVER_HOURS else hours,
        )


class _Expectation:
    """What depends on settlement times and on the expected rate, which change a few times a day.

    `later` is the expected rate of one settlement; `both_settled` the hour at which both legs have
    settled once; `again` what a pair has received by then beyond its first settlements; `period`
    the hours of the longer interval and `gain` what the pair receives in them.
    """

    __slots__ = ("again", "both_settled", "gain", "later", "length_8h", "period")

    def __init__(self, next_funding: Floats, interval: Floats, rate_8h: Floats) -> None:
        known = np.where(np.isinf(next_funding), np.nan, next_funding)
        both = np.maximum(known[None], known[:, None])
        hours = interval / 3600
        self.length_8h = hours / HOURS_PER_8H
        self.later = rate_8h * self.length_8h
        self.both_settled = both / 3600
        self.again = np.floor((both - known[None]) / interval[None]) * self.later[None]
        self.again -= np.floor((both - known[:, None]) / interval[:, None]) * self.later[:, None]
        self.period = np.maximum(hours[None], hours[:, None])
        drift = (rate_8h[None] - rate_8h[:, None]) * self.period / HOURS_PER_8H
        # Without drift a debt is paid far beyond NEVER_HOURS, and none at once.
        self.gain = np.maximum(drift, LEAST_DRIFT)


class _Pass:
    """The buffers and the arithmetic of one scan over arrays [venue, *tail].

    A leg has four rows, costs signed by role: predicted rate per 8 h, return over the horizon,
    return when both legs have settled once, cost. Subtracting the long role from the short one
    gives the pair's: spread, net return, return at both (it becomes the break-even) and minus what
    is owed. Views and scalars are made once: for one symbol they cost as much as the arithmetic.
    """

    def __init__(self, venues: int, tail: tuple[int, ...], settings: ScanSettings) -> None:
        one, two = (venues, *tail), (venues, venues, *tail)
        self._settings = settings
        self._known: dict[int, tuple[bytes, _Expectation]] = {}
        self._now, self._zero, self._unity = np.zeros(()), np.zeros(()), np.ones(())
        self._half, self._horizon = np.array(0.5), np.array(settings.horizon)
        self._oldest: Floats = np.empty(3)
        self._oldest_column = self._oldest.reshape(3, *(1,) * len(one))
        self._rows: Floats = np.empty((len(COLUMNS), *one))
        self._seen, self._next, self._interval = self._rows[:3], self._rows[2], self._rows[3]
        # Both of a leg's rates are the predicted one where that is believed.
        self._expected = self._rows[5] if settings.beta is None else self._rows[4]
        self._beta = 1.0 if settings.beta is None else settings.beta
        self._schedule = self._rows[2:6] if settings.beta is None else self._rows[2:5]
        self._predicted, self._bid, self._ask, self._cost = self._rows[5:]
        self._fresh: Floats = np.empty((4, *one))
        self._slack, self._spread_of_book, self._wait = (
            self._fresh[:3],
            self._fresh[3],
            self._fresh[2],
        )
        self._worst, self._mid, self._count, self._any, self._surprise, self._paid = np.empty(
            (6, *one)
        )
        self._untrusted = np.empty(one, dtype=bool)
        self._legs: Floats = np.empty((2, 4, *one))
        self._roles = tuple(tuple(role) for role in self._legs)
        self._longs, self._shorts = self._legs[0][:, :, None], self._legs[1][:, None]
        self._mid_long, self._mid_short = self._mid[:, None], self._mid[None]
        self._pairs: Floats = np.full((4, *two), np.nan)
        _, self._net, self._hours, self._owed = self._pairs
        self._results = self._pairs[:3]
        self._credit, self._scratch = np.full((2, *two), np.nan)
        self._owes = np.empty(two, dtype=bool)

    def run(self, key: int, rows: Floats, exit_gap: Floats, now: float) -> Floats:
        """Return spread, net return and break-even hours, [row, long, short, *tail].

        `key` tells one set of symbols from another.
        """
        settings = self._settings
        self._rows[...] = rows
        self._oldest[0] = now - settings.max_book_age
        self._oldest[1] = now - settings.max_rate_age
        self._oldest[2] = now
        self._now[()] = now / 3600
        expectation = self._expectation(key)
        self._price()
        self._value(expectation)
        self._pair(exit_gap)
        self._break_even(expectation)
        return self._results

    def _expectation(self, key: int) -> _Expectation:
        seen = self._schedule.tobytes()
        known = self._known.get(key)
        if known is None or known[0] != seen:
            expected = self._expected * self._beta
            known = seen, _Expectation(self._next, self._interval, expected)
            self._known[key] = known
        return known[1]

    def _price(self) -> None:
        """Fill mids, NaN where a fact is stale, a book crossed or a settlement already past."""
        np.subtract(self._seen, self._oldest_column, self._slack)
        np.subtract(self._ask, self._bid, self._spread_of_book)
        np.minimum.reduce(self._fresh, axis=0, out=self._worst)
        np.less_equal(self._worst, self._zero, self._untrusted)
        np.add(self._bid, self._ask, self._mid)
        np.copyto(self._mid, np.nan, where=self._untrusted)

    def _value(self, expectation: _Expectation) -> None:
        """Fill what each instrument brings as a long and as a short leg."""
        count, paid, surprise, cost = self._count, self._paid, self._surprise, self._cost
        later = expectation.later
        # Settlements in (now, now + horizon].
        np.subtract(self._horizon, self._wait, count)
        np.divide(count, self._interval, count)
        np.floor(count, count)
        np.add(count, self._unity, count)
        np.maximum(count, self._zero, out=count)
        np.minimum(count, self._unity, out=self._any)
        np.multiply(count, later, count)
        np.multiply(self._predicted, expectation.length_8h, paid)
        np.subtract(paid, later, paid)
        # The coming settlement uses its predicted rate only where that lowers the result.
        (long_rate, long_net, long_both, long_cost) = self._roles[0]
        np.copyto(long_rate, self._predicted)
        np.copyto(long_cost, cost)
        np.maximum(paid, self._zero, out=surprise)
        np.add(surprise, later, long_both)
        np.add(long_both, cost, long_both)
        np.multiply(surprise, self._any, long_net)
        np.add(long_net, count, long_net)
        np.add(long_net, cost, long_net)
        (short_rate, short_net, short_both, short_cost) = self._roles[1]
        np.copyto(short_rate, self._predicted)
        np.negative(cost, short_cost)
        np.minimum(paid, self._zero, out=surprise)
        np.add(surprise, later, short_both)
        np.subtract(short_both, cost, short_both)
        np.multiply(surprise, self._any, short_net)
        np.add(short_net, count, short_net)
        np.subtract(short_net, cost, short_net)

    def _pair(self, exit_gap: Floats) -> None:
        """Subtract long from short; a gain from the closing price gap counts half, a loss whole."""
        credit, scratch = self._credit, self._scratch
        np.subtract(self._shorts, self._longs, self._pairs)
        np.divide(self._mid_short, self._mid_long, credit)
        np.subtract(credit, self._unity, credit)
        np.subtract(credit, exit_gap, credit)
        np.multiply(credit, self._half, scratch)
        np.minimum(credit, scratch, out=credit)
        np.add(self._net, credit, self._net)
        np.add(self._hours, credit, self._hours)
        np.add(self._owed, credit, self._owed)

    def _break_even(self, expectation: _Expectation) -> None:
        """Turn the return at both into the hours until the return is not negative."""
        hours = self._hours
        np.add(hours, expectation.again, hours)
        np.divide(hours, expectation.gain, hours)
        np.floor(hours, hours)
        np.minimum(hours, self._zero, out=hours)
        np.multiply(hours, expectation.period, hours)
        np.subtract(expectation.both_settled, hours, hours)
        np.subtract(hours, self._now, hours)
        np.less(self._owed, self._zero, self._owes)
        np.multiply(hours, self._owes, hours)
