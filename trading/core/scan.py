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
LEAST_DRIFT = 1e-200
NEVER_HOURS = BREAK_EVEN_LIMIT / timedelta(hours=1)
# A block's buffers fit into the second-level cache; one pass over everything would not.
BLOCK = 100
COLUMNS = (
    "book_at",
    "rate_at",
    "next_funding",
    "interval",
    "cost",
    "carry_8h",
    "predicted_8h",
    "bid",
    "ask",
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
        self.book_at, self.rate_at, self.next_funding, self.interval, self.cost = self.rows[:5]
        self.carry_8h, self.predicted_8h, self.bid, self.ask = self.rows[5:]
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
    """What a leg brings apart from the surprise of its coming settlement.

    Depends on settlement times, costs and the expected rate, which change a few times a day, and on
    how many settlements the horizon reaches, which changes at `until`. `net` is the return over the
    horizon, `both` the return when both legs have settled once, as [long, short]; `again` what a
    pair has received by then beyond its first settlements; `gain` what it receives in `period`, the
    longer interval in hours.
    """

    __slots__ = (
        "again",
        "any",
        "both",
        "both_settled",
        "gain",
        "later",
        "length_8h",
        "net",
        "owed",
        "period",
        "until",
    )

    def __init__(self, schedule: Floats, rate_8h: Floats, horizon: float, now: float) -> None:
        next_funding, interval, cost = schedule[:3]
        known = np.where(np.isinf(next_funding), np.nan, next_funding)
        hours = interval / 3600
        self.length_8h = hours / HOURS_PER_8H
        later = self.later = rate_8h * self.length_8h
        # Settlements in (now, now + horizon].
        count = np.maximum(np.floor((now + horizon - known) / interval) + 1, 0)
        self.until = float(np.fmin.reduce(known + count * interval, axis=None)) - horizon
        self.any = np.minimum(count, 1)
        self.net = (count * later + cost, count * later - cost)
        self.both = (later + cost, later - cost)
        self.owed = cost[:, None] + cost[None]
        both_settled = np.maximum(known[None], known[:, None])
        self.both_settled = both_settled / 3600
        self.again = np.floor((both_settled - known[None]) / interval[None]) * later[None]
        self.again -= np.floor((both_settled - known[:, None]) / interval[:, None]) * later[:, None]
        self.period = np.maximum(hours[None], hours[:, None])
        drift = (rate_8h[None] - rate_8h[:, None]) * self.period / HOURS_PER_8H
        # Without drift a debt is paid far beyond NEVER_HOURS, and none at once.
        self.gain = np.maximum(drift, LEAST_DRIFT)


class _Pass:
    """The buffers and the arithmetic of one scan over arrays [venue, *tail].

    A leg has three rows, costs signed by role: predicted rate per 8 h, return over the horizon and
    return when both legs have settled once. Subtracting the long role from the short one gives the
    pair's: spread, net return and return at both, which becomes the break-even. Views and scalars
    are made once: for one symbol they cost as much as the arithmetic.
    """

    def __init__(self, venues: int, tail: tuple[int, ...], settings: ScanSettings) -> None:
        one, two = (venues, *tail), (venues, venues, *tail)
        self._settings = settings
        self._known: dict[int, tuple[bytes, _Expectation]] = {}
        self._now, self._zero, self._unity = np.zeros(()), np.zeros(()), np.ones(())
        self._half, self._unknown = np.array(0.5), np.array(np.nan)
        self._oldest: Floats = np.empty(3)
        self._oldest_column = self._oldest.reshape(3, *(1,) * len(one))
        self._rows: Floats = np.empty((len(COLUMNS), *one))
        believes = settings.beta is None
        # Where the prediction is believed it is the expected rate too.
        self._expected = self._rows[6] if believes else self._rows[5]
        self._schedule = self._rows[2:7] if believes else self._rows[2:6]
        self._beta = 1.0 if settings.beta is None else settings.beta
        self._predicted, self._bid, self._ask = self._rows[6:]
        self._fresh: Floats = np.empty((4, *one))
        self._slack, self._spread_of_book, self._seen = (
            self._fresh[:3],
            self._fresh[3],
            self._rows[:3],
        )
        self._worst, self._mid, self._more, self._surprise = np.empty((4, *one))
        self._untrusted = np.empty(one, dtype=bool)
        legs: Floats = np.empty((2, 3, *one))
        (self._long_rate, self._long_net, self._long_both), short = legs
        self._short_rate, self._short_net, self._short_both = short
        self._longs, self._shorts = legs[0][:, :, None], legs[1][:, None]
        self._mid_long, self._mid_short = self._mid[:, None], self._mid[None]
        self._pairs: Floats = np.full((3, *two), np.nan)
        _, self._net, self._hours = self._pairs
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
        expectation = self._expectation(key, now)
        self._price()
        self._value(expectation)
        self._pair(exit_gap)
        self._break_even(expectation)
        return self._pairs

    def _expectation(self, key: int, now: float) -> _Expectation:
        seen = self._schedule.tobytes()
        known = self._known.get(key)
        if known is None or known[0] != seen or now >= known[1].until:
            rate = self._expected * self._beta
            known = seen, _Expectation(self._schedule, rate, self._settings.horizon, now)
            self._known[key] = known
        return known[1]

    def _price(self) -> None:
        """Fill mids, NaN where a fact is stale, a book crossed or a settlement already past."""
        np.subtract(self._seen, self._oldest_column, self._slack)
        np.subtract(self._ask, self._bid, self._spread_of_book)
        np.minimum.reduce(self._fresh, axis=0, out=self._worst)
        np.less_equal(self._worst, self._zero, self._untrusted)
        np.add(self._bid, self._ask, self._mid)
        np.copyto(self._mid, self._unknown, where=self._untrusted)

    def _value(self, expectation: _Expectation) -> None:
        """Fill what each instrument brings as a long and as a short leg.

        The coming settlement uses its predicted rate only where that lowers the result: as a
        surprise of more on the long leg and of less on the short one.
        """
        more, surprise = self._more, self._surprise
        np.multiply(self._predicted, expectation.length_8h, more)
        np.subtract(more, expectation.later, more)
        np.maximum(more, self._zero, out=surprise)
        np.add(surprise, expectation.both[0], self._long_both)
        np.multiply(surprise, expectation.any, surprise)
        np.add(surprise, expectation.net[0], self._long_net)
        np.minimum(more, self._zero, out=surprise)
        np.add(surprise, expectation.both[1], self._short_both)
        np.multiply(surprise, expectation.any, surprise)
        np.add(surprise, expectation.net[1], self._short_net)
        np.copyto(self._long_rate, self._predicted)
        np.copyto(self._short_rate, self._predicted)

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
        np.less(self._credit, expectation.owed, self._owes)
        np.multiply(hours, self._owes, hours)
