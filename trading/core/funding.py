"""Funding arithmetic: rates, settlements, payments and the one expected-carry function.

Rates are fractions; a positive rate means longs pay shorts; a payment > 0 means that we received.
Formulas: `docs/DOMAIN.md` section 2. The interval is a fact beside the rate, never a default.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from types import MappingProxyType

from exchanges.domain import SettledFunding, Side

SECONDS_PER_HOUR = 3600
HOURS_PER_YEAR = 24 * 365
PER_10K = Decimal(10_000)
ONE, HALF = Decimal(1), Decimal("0.5")
# Venues stamp settlements some milliseconds late, not always the same.
STAMP_SLACK = timedelta(seconds=1)
_SECOND = timedelta(seconds=1)
_MICROSECOND = timedelta(microseconds=1)

FittedBetas = Mapping[timedelta, Mapping[int, Decimal]]
"""By half-life of the average and days of holding, the part of the average that was kept."""

NO_BETAS: FittedBetas = MappingProxyType({})


class CarryEstimator(StrEnum):
    """How the rates of settlements to come are expected; `docs/DOMAIN.md` section 2."""

    EWMA = "ewma"
    PREDICTED = "predicted"
    PREMIUM_INDEX = "premium_index"

    @property
    def believes_the_present(self) -> bool:
        """Tell whether it takes what is seen now for what will be, so that it must have lasted."""
        return self is not CarryEstimator.EWMA


@dataclass(frozen=True, slots=True, kw_only=True)
class CarryModel:
    """`beta`: the part of the settled average that is expected over the hold time, 0 … 1."""

    estimator: CarryEstimator
    beta: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingLeg:
    """The funding facts of one leg; `side` BUY is the long leg.

    `carry_8h` is the average settled rate per 8 h (`ewma_8h`), None without history.
    `premium_rate` is what the venue's formula makes of the present premium, per interval. `ratio`
    is the leg's part of the position: what it pays is counted by it. `accrues`: it is owed all
    along, not by who holds at a settlement.
    """

    side: Side
    predicted_rate: Decimal
    interval_seconds: int
    next_funding_at: datetime
    carry_8h: Decimal | None = None
    premium_rate: Decimal | None = None
    ratio: Decimal = ONE
    accrues: bool = False

    @property
    def weight(self) -> Decimal:
        """Return what of a rate the position receives: > 0 where the leg is short."""
        return -self.side.sign * self.ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class LegCarry:
    """What one leg is expected to receive at the coming and at each later settlement.

    Not `is_funding`: no settlement, but a gap that closes by itself (`basis.ageing_8h`), hourly.
    """

    coming: Decimal
    later: Decimal
    interval_seconds: int
    next_funding_at: datetime
    is_funding: bool = True
    accrues: bool = False

    def count(self, now: datetime, horizon: timedelta) -> int:
        """Count this leg's settlements in (now, now + horizon]."""
        return settlement_count(self.next_funding_at, self.interval_seconds, now, horizon)

    def over(self, now: datetime, horizon: timedelta) -> Decimal:
        """Return the sum over the settlements in (now, now + horizon].

        What accrues is the part of each interval that is held.
        """
        if self.accrues:
            return self._accrued(now, horizon)
        count = self.count(now, horizon)
        return self.coming + self.later * (count - 1) if count else Decimal(0)

    def _accrued(self, now: datetime, horizon: timedelta) -> Decimal:
        wait = next_settlement(self.next_funding_at, self.interval_seconds, now) - now
        first = min(wait, horizon)
        earned = self.coming * (first // _MICROSECOND) + self.later * (
            (horizon - first) // _MICROSECOND
        )
        return earned / (timedelta(seconds=self.interval_seconds) // _MICROSECOND)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledRate:
    """A rate per 8 h that was settled; of one instrument, or the spread of two."""

    settled_at: datetime
    rate_8h: Decimal
    interval_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryWindow:
    """When an entry before a settlement is allowed, and when the scheduler first tries."""

    opens_at: datetime
    tries_at: datetime
    closes_at: datetime


def hourly_rate(funding_rate: Decimal, interval_seconds: int) -> Decimal:
    return funding_rate * SECONDS_PER_HOUR / interval_seconds


def rate_8h(funding_rate: Decimal, interval_seconds: int) -> Decimal:
    """Return the rate per 8 h, the unit in which thresholds are written."""
    return hourly_rate(funding_rate, interval_seconds) * 8


def rate_per_interval(rate_per_8h: Decimal, interval_seconds: int) -> Decimal:
    return rate_per_8h * interval_seconds / (8 * SECONDS_PER_HOUR)


def annualised_rate(funding_rate: Decimal, interval_seconds: int) -> Decimal:
    """Return the simple, not compounded, yearly rate: 0.0001 per 8 h is 0.1095."""
    return hourly_rate(funding_rate, interval_seconds) * HOURS_PER_YEAR


def funding_spread_8h(legs: Iterable[FundingLeg]) -> Decimal:
    """Return what the legs receive per 8 h at their predicted rates: short rate minus long."""
    rates = (leg.weight * rate_8h(leg.predicted_rate, leg.interval_seconds) for leg in legs)
    return sum(rates, Decimal(0))


def payment(position_base: Decimal, settlement_price: Decimal, funding_rate: Decimal) -> Decimal:
    """Return what one settlement pays us, in quote; `position_base` > 0 is long."""
    return -position_base * settlement_price * funding_rate


def threshold(size_usd: Decimal, min_spread_base: Decimal, min_spread_per_10k: Decimal) -> Decimal:
    """Return the least 8 h spread for a size in USD per leg."""
    return min_spread_base + min_spread_per_10k * size_usd / PER_10K


def next_settlement(next_funding_at: datetime, interval_seconds: int, now: datetime) -> datetime:
    """Return the first settlement after `now`, counted on from a stale `next_funding_at`."""
    if next_funding_at > now:
        return next_funding_at
    interval = timedelta(seconds=interval_seconds)
    return next_funding_at + ((now - next_funding_at) // interval + 1) * interval


def settlement_count(
    next_funding_at: datetime, interval_seconds: int, now: datetime, horizon: timedelta
) -> int:
    """Count the settlements in (now, now + horizon]."""
    first = next_settlement(next_funding_at, interval_seconds, now)
    if first > now + horizon:
        return 0
    return (now + horizon - first) // timedelta(seconds=interval_seconds) + 1


def expected_rate(leg: FundingLeg, model: CarryModel) -> Decimal | None:
    """Return the rate per interval that later settlements are expected at, whoever receives it.

    None where the estimator has nothing to go by.
    """
    match model.estimator:
        case CarryEstimator.PREDICTED:
            return leg.predicted_rate
        case CarryEstimator.PREMIUM_INDEX:
            return leg.premium_rate
        case CarryEstimator.EWMA:
            if leg.carry_8h is None:
                return None
            return model.beta * rate_per_interval(leg.carry_8h, leg.interval_seconds)


def leg_carry(leg: FundingLeg, model: CarryModel) -> LegCarry | None:
    """Return what a leg is expected to receive per settlement; None without an expected rate.

    The coming settlement uses its predicted rate only where that lowers the result.
    """
    rate = expected_rate(leg, model)
    if rate is None:
        return None
    later = leg.weight * rate
    return LegCarry(
        coming=min(leg.weight * leg.predicted_rate, later),
        later=later,
        interval_seconds=leg.interval_seconds,
        next_funding_at=leg.next_funding_at,
        accrues=leg.accrues,
    )


def expected_carry(
    legs: Iterable[FundingLeg], *, now: datetime, horizon: timedelta, model: CarryModel
) -> Decimal | None:
    """Return the funding expected over `horizon` as a fraction of one leg's notional.

    Screen, scan, backtest and exits use this one estimate. None where a leg has no history.
    """
    total = Decimal(0)
    for leg in legs:
        carry = leg_carry(leg, model)
        if carry is None:
            return None
        total += carry.over(now, horizon)
    return total


def beta_at(horizon: timedelta, points: Sequence[tuple[timedelta, Decimal]]) -> Decimal:
    """Interpolate beta(H) between points in ascending order; flat outside them, never above 1."""
    if horizon <= points[0][0]:
        return min(points[0][1], Decimal(1))
    for (low, low_beta), (high, high_beta) in pairwise(points):
        if horizon <= high:
            part = Decimal((horizon - low) // _MICROSECOND) / ((high - low) // _MICROSECOND)
            return min(low_beta + (high_beta - low_beta) * part, Decimal(1))
    return min(points[-1][1], Decimal(1))


def settled_rates_8h(settled: Sequence[SettledFunding]) -> tuple[SettledRate, ...]:
    """Return settlements (oldest first) per 8 h; each interval is the spacing to the one before.

    The first row has no known interval and is left out.
    """
    rates = []
    for before, row in pairwise(settled):
        seconds = _whole_seconds(row.settled_at - before.settled_at)
        if seconds > 0:
            rates.append(
                SettledRate(
                    settled_at=row.settled_at,
                    rate_8h=rate_8h(row.funding_rate, seconds),
                    interval_seconds=seconds,
                )
            )
    return tuple(rates)


def ewma_8h(rates: Sequence[SettledRate], *, now: datetime, half_life: timedelta) -> Decimal | None:
    """Return the average rate per 8 h, weighted by length and by age; None without rates.

    `rates` are oldest first.
    """
    weighted, weights = Decimal(0), Decimal(0)
    # A Decimal power is slow and settlements are evenly spaced: each spacing decays once.
    decay: dict[timedelta, Decimal] = {}
    age_weight, newer = Decimal(1), now
    for rate in reversed(rates):
        spacing = newer - rate.settled_at
        if spacing not in decay:
            half_lives = Decimal(spacing // _MICROSECOND) / (half_life // _MICROSECOND)
            decay[spacing] = HALF**half_lives
        age_weight, newer = age_weight * decay[spacing], rate.settled_at
        weight = rate.interval_seconds * age_weight
        weighted += weight * rate.rate_8h
        weights += weight
    return weighted / weights if weights else None


def settled_spreads_8h(
    long: Sequence[SettledRate], short: Sequence[SettledRate]
) -> tuple[SettledRate, ...]:
    """Return a pair's spread at each settlement of the leg that settles less often."""
    return settled_carry_8h([(-ONE, long), (ONE, short)])


def settled_carry_8h(
    legs: Sequence[tuple[Decimal, Sequence[SettledRate]]],
) -> tuple[SettledRate, ...]:
    """Return what legs received at each settlement of the one that settles least often.

    Legs are a weight (`FundingLeg.weight`) and settled rates, oldest first. The others count with
    their mean since the settlement before; where one has none there is no row.
    """
    if not legs:
        return ()
    slowest = min(legs, key=lambda leg: len(leg[1]))
    spreads = []
    for rate in slowest[1]:
        means = [(w, rate.rate_8h if r is slowest[1] else _mean_up_to(rate, r)) for w, r in legs]
        known = [weight * mean for weight, mean in means if mean is not None]
        if len(known) == len(legs):
            spreads.append(replace(rate, rate_8h=sum(known, Decimal(0))))
    return tuple(spreads)


def _mean_up_to(settlement: SettledRate, rates: Sequence[SettledRate]) -> Decimal | None:
    """Return the mean of the rates settled in the interval that `settlement` ends."""
    since = settlement.settled_at - timedelta(seconds=settlement.interval_seconds) + STAMP_SLACK
    until = settlement.settled_at + STAMP_SLACK
    first = bisect_right(rates, since, key=_settled_at)
    within = [rate.rate_8h for rate in rates[first : bisect_right(rates, until, key=_settled_at)]]
    return sum(within, Decimal(0)) / len(within) if within else None


def _settled_at(rate: SettledRate) -> datetime:
    return rate.settled_at


def persistence_count(spreads: Sequence[SettledRate], least: Decimal) -> int:
    """Count the latest settlements in a row whose spread was at least `least`; oldest first."""
    count = 0
    for spread in reversed(spreads):
        if spread.rate_8h < least:
            break
        count += 1
    return count


def trailing_mean(
    spreads: Sequence[SettledRate], *, now: datetime, window: timedelta
) -> Decimal | None:
    """Return the mean spread per 8 h of the settlements in the last `window`; None if none."""
    rates = [spread.rate_8h for spread in spreads if now - window < spread.settled_at <= now]
    return sum(rates, Decimal(0)) / len(rates) if rates else None


def entry_window(
    next_funding_at: datetime,
    interval_seconds: int,
    *,
    opens: timedelta,
    tries: timedelta,
    closes: timedelta,
) -> EntryWindow:
    """Return the window before a settlement; 3/4, 1/2 and 1/4 of the interval bound its times."""
    interval = timedelta(seconds=interval_seconds)
    return EntryWindow(
        opens_at=next_funding_at - min(opens, interval * 3 / 4),
        tries_at=next_funding_at - min(tries, interval / 2),
        closes_at=next_funding_at - min(closes, interval / 4),
    )


def _whole_seconds(span: timedelta) -> int:
    return (span + _SECOND / 2) // _SECOND
