"""What a venue's own formula makes of the premium of the moment."""

from __future__ import annotations

from decimal import Decimal

from exchanges import selectors
from exchanges.domain import FundingRate
from trading.core.forecast import PremiumFormula, premium_index


def premium_rate(rate: FundingRate | None) -> Decimal | None:
    """Return what the venue's formula makes of the present premium; None without an index."""
    if rate is None or not rate.interval_seconds or not rate.mark_price or not rate.index_price:
        return None
    terms = selectors.premium_terms(rate.venue)
    if terms is None:
        return None
    premium = premium_index(rate.mark_price, rate.index_price)
    return PremiumFormula(terms=terms).rate(premium, rate.interval_seconds)
