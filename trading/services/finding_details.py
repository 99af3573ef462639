"""What a row keeps of a finding besides its columns: costs in parts, capacity, scores."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from trading.core.capacity import best_point
from trading.core.costs import HOUR, net_apr
from trading.core.forecast_basis import ForecastBasis
from trading.services.user_scan import Finding
from trading.strategies.base import Candidate

PLACES = Decimal("1e-8")


def details_of(finding: Finding, now: datetime) -> dict[str, Any]:
    """Return figures as plain texts by name, None where unknown; nothing without a candidate."""
    candidate = finding.candidate
    if candidate is None:
        return {}
    past, risk = finding.past, finding.risk_at(now)
    best = best_point(finding.curve)
    figures = {
        **_parts(candidate),
        "best_size_usd": None if best is None else best.size_usd,
        "best_profit_usd": None if best is None else best.profit_usd,
        "warning_probability": candidate.warning_probability,
        "risk": None if risk is None else risk.score,
    }
    if past is not None:
        figures |= {
            "half_life_hours": past.half_life_hours,
            "gap_half_life_hours": past.gap_half_life_hours,
            "stability": past.stability,
            "persistence": past.persistence,
            "break_even_probability": past.break_even,
        }
    return {
        **_texts(figures),
        "risk_measure": "" if risk is None else risk.measure,
        "open_reason": candidate.open_reason.value,
        "forecast": _forecast(finding.forecast),
        "fees_assumed": list(finding.appraisal.fees_assumed),
        "loans_assumed": list(finding.appraisal.loans_assumed),
        "interest_untold": list(finding.appraisal.interest_untold),
        "tiers_untold": list(finding.appraisal.tiers_untold),
        "curve": [
            [str(value.quantize(PLACES)) for value in (p.size_usd, p.net_return, p.profit_usd)]
            for p in finding.curve
        ],
    }


def _parts(candidate: Candidate) -> dict[str, Decimal | None]:
    """Return what makes up the net return, fractions of one leg's notional over the hold time."""
    costs = candidate.costs
    borrow = costs.over(candidate.horizon) - costs.fixed
    gross = None
    if candidate.expected_funding is not None:
        gross = candidate.expected_funding + candidate.gap_credit
    return {
        "gap": candidate.opening_gap,
        "expected_funding": candidate.expected_funding,
        "gap_credit": candidate.gap_credit,
        "fees": costs.fees,
        "slippage": costs.slippage,
        "borrow": borrow,
        "transfer": costs.transfer,
        "carry_cost": costs.fixed + borrow,
        "gross_apr": None if gross is None else net_apr(gross, candidate.horizon),
        "profit_usd": candidate.net_profit_usd,
        "implied_carry_8h": candidate.implied_carry_8h,
        "fair_carry_8h": candidate.fair_carry_8h,
    }


def _forecast(basis: ForecastBasis | None) -> dict[str, Any] | None:
    """Return what the expected funding rests on, as JSON; rates are per 8 h."""
    if basis is None:
        return None
    figures = {
        "settled_8h": basis.settled_8h,
        "predicted_8h": basis.predicted_8h,
        "premium_8h": basis.premium_8h,
        "beta": basis.beta,
        "half_life_hours": Decimal(basis.half_life // HOUR),
    }
    return {
        **_texts(figures),
        "estimator": basis.estimator.value,
        "fitted_at": None if basis.fit is None else basis.fit.fitted_at.isoformat(),
        "settlements": None if basis.fit is None else basis.fit.settlements,
    }


def _texts(figures: Mapping[str, Decimal | None]) -> dict[str, str | None]:
    return {
        name: None if value is None else str(value.quantize(PLACES))
        for name, value in figures.items()
    }
