"""Forecasts of funding: what it will be per 8 h, and how likely its sign is another one then.

A forecast is a port: whatever answers `FundingForecast` may take part, learned ones too. Rates are
of one instrument or of a position's spread, > 0 where it is received.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Protocol

from exchanges.domain import PremiumTerms
from trading.core.funding import (
    CarryEstimator,
    FundingLeg,
    SettledRate,
    funding_spread_8h,
    rate_8h,
    rate_per_interval,
)
from trading.core.history import running_averages

ONE = Decimal(1)
LEAST_ERRORS = 30
"""Fewer settlements of the past say nothing about how wrong a forecast may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedRate:
    """What is forecast for the next settlement. `sign_change` is a probability, 0 … 1.

    The sign is compared with that of `last_8h`, which was settled last.
    """

    rate_8h: Decimal
    sign_change: Decimal
    last_8h: Decimal


class FundingForecast(Protocol):
    """A way to forecast funding from what was settled."""

    def expect(self, settled: Sequence[SettledRate]) -> ExpectedRate | None:
        """Return what comes after `settled` (oldest first), None where they say too little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShrunkAverage:
    """A fitted part of the weighted average of what was settled."""

    half_life: timedelta

    def expect(self, settled: Sequence[SettledRate]) -> ExpectedRate | None:
        """Return beta x average, beta by least squares through the origin, 0 … 1."""
        averages = running_averages(settled, self.half_life)
        followed = [(x, y.rate_8h) for x, y in zip(averages, settled[1:], strict=False)]
        squares = sum((x * x for x, _ in followed), Decimal(0))
        if squares == 0:
            return None
        beta = sum((x * y for x, y in followed), Decimal(0)) / squares
        beta = min(max(beta, Decimal(0)), ONE)
        errors = [y - beta * x for x, y in followed]
        return expected_with_errors(beta * averages[-1], errors, settled[-1].rate_8h)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedRate:
    """What venues predict, or what their own formula makes of the present premium."""

    rate_8h: Decimal

    def expect(self, settled: Sequence[SettledRate]) -> ExpectedRate | None:
        """Return the stated rate, which errs as much as rates change."""
        if not settled:
            return None
        return expected_with_errors(self.rate_8h, changes(settled), settled[-1].rate_8h)


@dataclass(frozen=True, slots=True, kw_only=True)
class PremiumFormula:
    """What a venue's terms make of a premium. Fractions; `cap` and `floor` per interval."""

    terms: PremiumTerms
    cap: Decimal | None = None
    floor: Decimal | None = None

    def rate(self, premium: Decimal, interval_seconds: int) -> Decimal:
        """Return P + clamp(I - P, ±clamp) per interval, within cap and floor."""
        terms, interest = self.terms, self.terms.interest_8h
        if not terms.is_per_8h:
            interest = rate_per_interval(interest, interval_seconds)
        rate = premium + min(max(interest - premium, -terms.clamp), terms.clamp)
        if terms.is_per_8h:
            rate = rate_per_interval(rate, interval_seconds)
        if self.cap is not None:
            rate = min(rate, self.cap)
        return rate if self.floor is None else max(rate, self.floor)


def premium_index(mark_price: Decimal, index_price: Decimal) -> Decimal:
    """Return how far the contract is above its index, as a fraction."""
    return (mark_price - index_price) / index_price


def forecast_by(
    estimator: CarryEstimator, legs: Iterable[FundingLeg], *, half_life: timedelta
) -> FundingForecast | None:
    """Return the forecast that goes with how carry is expected, of the spread of `legs`.

    None where a premium is not known.
    """
    match estimator:
        case CarryEstimator.EWMA:
            return ShrunkAverage(half_life=half_life)
        case CarryEstimator.PREDICTED:
            return StatedRate(rate_8h=funding_spread_8h(legs))
        case CarryEstimator.PREMIUM_INDEX:
            total = Decimal(0)
            for leg in legs:
                if leg.premium_rate is None:
                    return None
                total += leg.weight * rate_8h(leg.premium_rate, leg.interval_seconds)
            return StatedRate(rate_8h=total)


def changes(settled: Sequence[SettledRate]) -> list[Decimal]:
    return [new.rate_8h - old.rate_8h for old, new in pairwise(settled)]


def expected_with_errors(
    rate: Decimal, errors: Sequence[Decimal], last: Decimal
) -> ExpectedRate | None:
    """Return a forecast with the share of past errors that would have changed the sign of `last`.

    A rate of 0 has no sign and changes none.
    """
    if len(errors) < LEAST_ERRORS:
        return None
    changed = sum(1 for error in errors if (rate + error) * last < 0)
    return ExpectedRate(rate_8h=rate, sign_change=Decimal(changed) / len(errors), last_8h=last)
