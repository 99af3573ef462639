"""What the funding that is expected of legs rests on, for whoever asks why it is expected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from trading.core.funding import CarryEstimator, CarryModel, FundingLeg, rate_8h

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """When a beta was fitted, and to how many settlements; None of fits that did not keep it."""

    fitted_at: datetime
    settlements: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastBasis:
    """Rates of all legs together, per 8 h and > 0 received; None where a leg's is not known.

    `beta` is the part of the settled average that is expected to last, None where another estimate
    is believed; `fit` None where it is the configured one.
    """

    estimator: CarryEstimator
    half_life: timedelta
    settled_8h: Decimal | None
    predicted_8h: Decimal
    premium_8h: Decimal | None
    beta: Decimal | None
    fit: Fit | None


def forecast_basis(
    legs: Sequence[FundingLeg], model: CarryModel, *, half_life: timedelta, fit: Fit | None
) -> ForecastBasis:
    """Return what the expected funding of these legs was counted from."""
    is_average = model.estimator is CarryEstimator.EWMA
    premiums = [
        None if leg.premium_rate is None else rate_8h(leg.premium_rate, leg.interval_seconds)
        for leg in legs
    ]
    predicted = [rate_8h(leg.predicted_rate, leg.interval_seconds) for leg in legs]
    return ForecastBasis(
        estimator=model.estimator,
        half_life=half_life,
        settled_8h=_received(legs, [leg.carry_8h for leg in legs]),
        predicted_8h=_received(legs, predicted) or ZERO,
        premium_8h=_received(legs, premiums),
        beta=model.beta if is_average else None,
        fit=fit if is_average else None,
    )


def _received(legs: Sequence[FundingLeg], rates: Sequence[Decimal | None]) -> Decimal | None:
    known = [leg.weight * rate for leg, rate in zip(legs, rates, strict=True) if rate is not None]
    return sum(known, ZERO) if len(known) == len(legs) else None
