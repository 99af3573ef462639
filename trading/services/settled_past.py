"""What was settled on a base within the last year, by instrument and by pair, and its prices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations

from exchanges.domain import SettledFunding, Symbol
from exchanges.models import Instrument, SettledFundingRate
from exchanges.selectors import bar_start, perpetuals
from trading.core.funding import SettledRate, settled_rates_8h, settled_spreads_8h
from trading.core.history import PriceBar
from trading.services.past_prices import prices_of

LOOKED_BACK = timedelta(days=365)
MOST_SETTLEMENTS = 3_000
"""Of one instrument: more than two years of 8 h, four months of hourly ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentPast:
    """One perpetual's settlements per 8 h, oldest first, and its prices.

    Those are bars of its mids as far as they are kept, before them what settlements told.
    """

    instrument: Instrument
    rates: tuple[SettledRate, ...]
    prices: tuple[PriceBar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairPast:
    """Two venues of one base. `spreads` are what long `low` and short `high` received per 8 h.

    `high` is the one whose settled rates were higher on average.
    """

    low: InstrumentPast
    high: InstrumentPast
    spreads: tuple[SettledRate, ...]


def settled_past(base: str, now: datetime) -> list[InstrumentPast]:
    """Return the past of each perpetual of a base at venues in use, those without any left out."""
    pasts = []
    for instrument in perpetuals().filter(base=base).order_by("exchange__code", "symbol"):
        rows = SettledFundingRate.objects.filter(
            instrument=instrument, settled_at__gt=now - LOOKED_BACK
        ).order_by("-settled_at")[:MOST_SETTLEMENTS]
        settled = [
            SettledFunding(
                venue=instrument.exchange.code,
                symbol=Symbol(instrument.symbol),
                funding_rate=row.funding_rate,
                settled_at=row.settled_at,
                settlement_price=row.settlement_price,
            )
            for row in reversed(rows)
        ]
        rates = settled_rates_8h(settled)
        if rates:
            priced = [(row.settled_at, row.settlement_price) for row in settled]
            points = [PriceBar.point(at, price) for at, price in priced if price]
            pasts.append(
                InstrumentPast(
                    instrument=instrument,
                    rates=rates,
                    prices=prices_of(instrument.bars.filter(starts_at__lt=bar_start(now)), points),
                )
            )
    return pasts


def settled_pairs(pasts: list[InstrumentPast]) -> list[PairPast]:
    """Return every two venues, the side that paid more second."""
    return [_pair(first, second) for first, second in combinations(pasts, 2)]


def _pair(first: InstrumentPast, second: InstrumentPast) -> PairPast:
    spreads = settled_spreads_8h(first.rates, second.rates)
    if sum(spread.rate_8h for spread in spreads) >= 0:
        return PairPast(low=first, high=second, spreads=spreads)
    return PairPast(low=second, high=first, spreads=settled_spreads_8h(second.rates, first.rates))
