"""What one scan assumes of holding a pair; users who assume the same share one scan."""

from __future__ import annotations

import math
from dataclasses import dataclass

from trading.core.funding import HOURS_PER_YEAR, CarryEstimator
from trading.core.parameters import Parameters

SECONDS_PER_HOUR = 3_600.0
SECONDS_PER_8H = 8 * SECONDS_PER_HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanSettings:
    """Seconds and USD; `beta` None believes the predicted rate, else it is kept of `carry_8h`.

    With `is_premium` that column holds what the present premium makes of the rate.

    `transfer_usd` is what one position between two companies costs in transfers. A dated contract
    that has to be left, `expiry_lead` before its end, within the horizon is not scanned.
    """

    horizon: float
    beta: float | None
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
            is_premium=model.estimator is CarryEstimator.PREMIUM_INDEX,
            half_life=parameters.carry_half_life.total_seconds(),
            max_book_age=parameters.max_book_age.total_seconds(),
            max_rate_age=parameters.max_funding_age.total_seconds(),
            max_slippage=float(parameters.max_slippage),
            expiry_lead=parameters.expiry_lead.total_seconds(),
            transfer_usd=float(parameters.transfer_cost_usd / parameters.planned_round_trips),
        )

    @property
    def hours_begun(self) -> int:
        """Return the hours for which borrowing is charged."""
        return math.ceil(self.horizon / SECONDS_PER_HOUR)

    @property
    def per_year(self) -> float:
        return HOURS_PER_YEAR * SECONDS_PER_HOUR / self.horizon
