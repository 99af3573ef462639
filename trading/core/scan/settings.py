"""What one scan assumes of holding a pair; users who assume the same share one scan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trading.core.funding import HOURS_PER_YEAR, CarryEstimator
from trading.core.parameters import Parameters
from trading.core.scan.facts import Floats

SECONDS_PER_HOUR = 3_600.0
SECONDS_PER_8H = 8 * SECONDS_PER_HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanSettings:
    """Seconds and USD; `beta` None believes the predicted rate, else it is kept of `carry_8h`.

    With `is_premium` that column holds what the present premium makes of the rate. `betas` are what
    is kept by hold time, for what has to be left before the horizon: `expiry_lead` before its end.
    `transfer_usd` is what one position between two companies costs in transfers.
    """

    horizon: float
    beta: float | None
    betas: tuple[tuple[float, float], ...] = ()
    is_premium: bool = False
    half_life: float
    max_book_age: float
    max_rate_age: float
    max_slippage: float
    expiry_lead: float = 86_400.0
    transfer_usd: float = 0.0

    @classmethod
    def of(cls, parameters: Parameters) -> ScanSettings:
        model = parameters.carry_model
        beta = {CarryEstimator.PREDICTED: None, CarryEstimator.PREMIUM_INDEX: 1.0}
        return cls(
            horizon=parameters.hold_horizon.total_seconds(),
            beta=beta.get(model.estimator, float(model.beta)),
            betas=tuple(
                (hold.total_seconds(), float(beta)) for hold, beta in parameters.carry_betas
            )
            if model.estimator is CarryEstimator.EWMA
            else (),
            is_premium=model.estimator is CarryEstimator.PREMIUM_INDEX,
            half_life=parameters.carry_half_life.total_seconds(),
            max_book_age=parameters.max_book_age.total_seconds(),
            max_rate_age=parameters.max_funding_age.total_seconds(),
            max_slippage=float(parameters.max_slippage),
            expiry_lead=parameters.expiry_lead.total_seconds(),
            transfer_usd=float(parameters.transfer_cost_usd / parameters.planned_round_trips),
        )

    def kept(self, hold: Floats) -> Floats | float:
        """Return what is kept of the settled average over a hold, seconds; `beta` is not None."""
        if not self.betas:
            return self.beta or 0.0
        holds, betas = zip(*self.betas, strict=True)
        kept: Floats = np.minimum(np.interp(hold, holds, betas), 1.0)
        return kept


def hours_begun(hold: Floats) -> Floats:
    """Return the hours of each hold, seconds, for which borrowing is charged."""
    return np.ceil(hold / SECONDS_PER_HOUR)


def per_year(hold: float) -> float:
    """Return how many holds, seconds, a year has."""
    return HOURS_PER_YEAR * SECONDS_PER_HOUR / hold
