"""What settled history says of each pair of venues of a base, for the screen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median

from arbsite.accounts.models import User
from exchanges.domain import InstrumentKind, Side
from exchanges.models import Instrument
from exchanges.selectors import instrument_key
from trading.core.basis import PricedLeg
from trading.core.history import (
    Frequency,
    Stability,
    half_life,
    probability_of_break_even,
    probability_of_warning,
    stability,
)
from trading.core.parameters import Parameters
from trading.models import FittedBeta
from trading.services.settled_past import PairPast, settled_pairs, settled_past
from trading.services.standing import Standing, standing_of
from trading.services.usual_gaps import WEEK, gap_half_life_hours
from trading.strategies.hindsight import ToleranceOutcome, tolerance_outcomes


@dataclass(frozen=True, slots=True, kw_only=True)
class PairStatistics:
    """One pair, long at `long`. Figures are None where too little was settled.

    `cost` is four taker fees of the user's own, slippage left out; the shares are over windows of
    the user's hold time, the warnings at the user's leverage. `gap_half_life_hours` is of the price
    gap, by the hours of a week. `betas` are those fitted to the pair
    at the user's half-life, the shortest hold first; they were fitted `betas_age` ago.
    """

    long: Instrument
    short: Instrument
    observations: int
    since: datetime
    until: datetime
    cost: Decimal
    leverage: Decimal
    stability: Stability | None
    half_life: timedelta | None
    gap_half_life_hours: Decimal | None
    break_even: Frequency | None
    warning: Frequency | None
    tolerances: tuple[ToleranceOutcome, ...]
    betas: tuple[FittedBeta, ...]
    betas_age: timedelta | None

    @property
    def mean_spread(self) -> Decimal | None:
        return None if self.stability is None else self.stability.mean

    @property
    def persistence(self) -> Decimal | None:
        return None if self.stability is None else self.stability.persistence

    @property
    def score(self) -> Decimal | None:
        return None if self.stability is None else self.stability.score

    @property
    def half_life_hours(self) -> Decimal | None:
        if self.half_life is None:
            return None
        return Decimal(self.half_life // timedelta(seconds=1)) / 3600


def pair_statistics(user: User, base: str, now: datetime) -> list[PairStatistics]:
    """Return the pairs of a base that settled at least twice, the highest mean spread first."""
    standing = standing_of(user, now)
    pairs = [pair for pair in settled_pairs(settled_past(base, now)) if len(pair.spreads) > 1]
    found = [_statistics(pair, standing, now) for pair in pairs]
    return sorted(found, key=lambda each: each.mean_spread or Decimal(0), reverse=True)


def _statistics(pair: PairPast, standing: Standing, now: datetime) -> PairStatistics:
    parameters = standing.parameters
    betas = _betas(pair, parameters)
    instruments = (pair.low.instrument, pair.high.instrument)
    kind = InstrumentKind.PERPETUAL
    fees = sum((standing.taker_fee(instrument_key(one), kind) for one in instruments), Decimal(0))
    prices = max(pair.low.prices, pair.high.prices, key=len)
    leverage = parameters.leverage
    return PairStatistics(
        long=instruments[0],
        short=instruments[1],
        observations=len(pair.spreads),
        since=pair.spreads[0].settled_at,
        until=pair.spreads[-1].settled_at,
        cost=2 * fees,
        leverage=leverage,
        stability=stability(pair.spreads),
        half_life=_half_life(pair),
        gap_half_life_hours=_gap_half_life_hours(instruments, now),
        break_even=probability_of_break_even(pair.spreads, 2 * fees, parameters.hold_horizon),
        warning=probability_of_warning(prices, leverage, parameters.hold_horizon),
        tolerances=_tolerances(pair, fees, parameters),
        betas=betas,
        betas_age=max((now - beta.fitted_at for beta in betas), default=None),
    )


def _tolerances(
    pair: PairPast, fees: Decimal, parameters: Parameters
) -> tuple[ToleranceOutcome, ...]:
    return tuple(
        tolerance_outcomes(pair.spreads, opening_cost=fees, exit_cost=fees, parameters=parameters)
    )


def _betas(pair: PairPast, parameters: Parameters) -> tuple[FittedBeta, ...]:
    both = (pair.low.instrument, pair.high.instrument)
    rows = FittedBeta.objects.filter(
        perpetual__in=both, other__in=both, half_life=parameters.carry_half_life
    )
    return tuple(rows.order_by("days"))


def _half_life(pair: PairPast) -> timedelta | None:
    """Return in what time half of a deviation of the spread is gone."""
    steps = half_life([spread.rate_8h for spread in pair.spreads])
    if steps is None:
        return None
    spacing = median(spread.interval_seconds for spread in pair.spreads)
    return timedelta(seconds=int(steps * int(spacing)))


def _gap_half_life_hours(
    long_short: tuple[Instrument, Instrument], now: datetime
) -> Decimal | None:
    legs = [
        PricedLeg(side=side, kind=InstrumentKind(one.kind), price=Decimal(0))
        for side, one in zip((Side.BUY, Side.SELL), long_short, strict=True)
    ]
    mids = [
        {row.hour_at: row.mid for row in one.mids.filter(hour_at__gte=now - WEEK)}
        for one in long_short
    ]
    return gap_half_life_hours(legs, mids)
