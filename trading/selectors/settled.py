"""The rate columns of the funding table from what was really settled, instead of predicted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from exchanges.domain import SettledFunding, Symbol
from exchanges.models import SettledFundingRate
from trading.core.funding import SettledRate, settled_rates_8h, trailing_mean
from trading.selectors.rates import Cell, Cells, RateSheet, heat, heat_scale
from trading.templatetags import carry_format as carry

WEEK = timedelta(days=7)
# Two settlements of the longest interval in use, 8 h, and the slack of a missed one.
LAST_TWO = timedelta(days=1)


class RateBasis(StrEnum):
    """Which rates the table shows."""

    PREDICTED = "predicted"
    SETTLED = "settled"
    MEAN = "mean"


LABELS = {
    RateBasis.PREDICTED: "Predicted",
    RateBasis.SETTLED: "Settled",
    RateBasis.MEAN: "7 d mean",
}
NOT_SETTLED = Cell(carry.UNKNOWN, "stale", "no two settlements were read")


def settled_cells(sheet: RateSheet, basis: RateBasis, now: datetime) -> Cells:
    """Return the rate cells of the last settlement, or of the mean of seven days."""
    window = WEEK if basis is RateBasis.MEAN else LAST_TWO
    history = _history(now - window)
    aprs = {
        place: _apr(settled_rates_8h(history.get((place[1], symbol), ())), basis, now)
        for place, symbol in sheet.symbols.items()
    }
    full = heat_scale([apr for apr in aprs.values() if apr is not None])
    return {
        f"r.{base}.{venue}": NOT_SETTLED if apr is None else Cell(carry.rate(apr), heat(apr, full))
        for (base, venue), apr in aprs.items()
    }


def _apr(rates: Sequence[SettledRate], basis: RateBasis, now: datetime) -> Decimal | None:
    if not rates:
        return None
    if basis is RateBasis.MEAN:
        return carry.yearly(trailing_mean(rates, now=now, window=WEEK))
    return carry.yearly(rates[-1].rate_8h)


def _history(since: datetime) -> dict[tuple[str, Symbol], list[SettledFunding]]:
    rows = SettledFundingRate.objects.filter(settled_at__gte=since).order_by("settled_at")
    history: dict[tuple[str, Symbol], list[SettledFunding]] = {}
    for venue, symbol, at, rate in rows.values_list(
        "instrument__exchange__code", "instrument__symbol", "settled_at", "funding_rate"
    ):
        settled = SettledFunding(
            venue=venue, symbol=Symbol(symbol), funding_rate=rate, settled_at=at
        )
        history.setdefault((venue, settled.symbol), []).append(settled)
    return history
