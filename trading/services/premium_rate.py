"""What a venue's own formula makes of the present premium, within its cap and floor."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from exchanges import selectors
from exchanges.domain import FundingRate, Instrument
from trading.core.forecast import PremiumFormula, premium_index


def premium_rate(rate: FundingRate | None, listed: Instrument) -> Decimal | None:
    """Return the rate per interval that the premium would settle at; None without an index.

    Cap and floor are of the interval that was listed with them, and say nothing of another.
    """
    if rate is None or not rate.interval_seconds or not rate.mark_price or not rate.index_price:
        return None
    terms = selectors.premium_terms(rate.venue)
    if terms is None:
        return None
    formula = PremiumFormula(terms=terms)
    if rate.interval_seconds == listed.funding_interval_seconds:
        formula = replace(formula, cap=listed.funding_cap, floor=listed.funding_floor)
    return formula.rate(premium_index(rate.mark_price, rate.index_price), rate.interval_seconds)
