"""What tolerances and the bare threshold would have done with a pair, in hindsight.

The exit rules are those of production; the pair's settled spread stands for its two legs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from exchanges.domain import Side
from trading.core.funding import FundingLeg, SettledRate, rate_per_interval, trailing_mean
from trading.core.history import running_averages
from trading.core.parameters import Parameters, Tolerance
from trading.strategies.base import HeldPosition, OpenReason
from trading.strategies.exits import tolerance_exit

ZERO = Decimal(0)
EIGHT_HOURS, DAY = timedelta(hours=8), timedelta(hours=24)
CHOICES = [mode for mode in Tolerance if mode is not Tolerance.BY_STRATEGY]
"""Those that say themselves what they do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToleranceOutcome:
    """Fractions of one leg's notional. `tolerance` None: held to the end, whatever came."""

    tolerance: Tolerance | None
    round_trips: int
    funding: Decimal
    cost: Decimal

    @property
    def charge(self) -> Decimal:
        """Return the cost as what it did to the result, <= 0."""
        return -self.cost

    @property
    def net(self) -> Decimal:
        return self.funding - self.cost


def tolerance_outcomes(
    spreads: Sequence[SettledRate],
    *,
    opening_cost: Decimal,
    exit_cost: Decimal,
    parameters: Parameters,
) -> list[ToleranceOutcome]:
    """Return every tolerance and the bare hold over settled spreads, oldest first.

    The pair is entered at the first settlement, and again after an exit once the average spread is
    above zero. An exit comes after a settlement that was still paid.
    """
    if len(spreads) < 2:
        return []
    averages = running_averages(spreads, parameters.carry_half_life)
    modes: list[Tolerance | None] = [*CHOICES, None]
    return [
        _outcome(
            spreads,
            averages,
            mode,
            opening_cost=opening_cost,
            exit_cost=exit_cost,
            parameters=parameters,
        )
        for mode in modes
    ]


def bare_threshold_outcome(
    spreads: Sequence[SettledRate],
    *,
    opening_cost: Decimal,
    exit_cost: Decimal,
    parameters: Parameters,
) -> ToleranceOutcome:
    """Return what entering after each settlement at or above the least spread brought.

    Nothing is asked of costs; what is entered is left by the tolerance in use.
    """
    return _outcome(
        spreads,
        running_averages(spreads, parameters.carry_half_life),
        parameters.negative_spread_tolerance,
        opening_cost=opening_cost,
        exit_cost=exit_cost,
        parameters=parameters,
        least_spread=parameters.min_spread_base,
    )


def _outcome(
    spreads: Sequence[SettledRate],
    averages: Sequence[Decimal],
    tolerance: Tolerance | None,
    *,
    opening_cost: Decimal,
    exit_cost: Decimal,
    parameters: Parameters,
    least_spread: Decimal | None = None,
) -> ToleranceOutcome:
    """Return one row; with `least_spread` it alone opens, from the second settlement on."""
    rules = parameters
    if tolerance is not None:
        rules = replace(parameters, negative_spread_tolerance=tolerance)
    opened_at: datetime | None = spreads[0].settled_at if least_spread is None else None
    funding, round_trips = ZERO, int(opened_at is not None)
    for index, spread in enumerate(spreads[1:], start=1):
        if opened_at is None:
            if least_spread is None:
                opens = averages[index] > 0 and spread.rate_8h > 0
            else:
                opens = spread.rate_8h >= least_spread
            if opens:
                opened_at, round_trips = spread.settled_at, round_trips + 1
            continue
        funding += rate_per_interval(spread.rate_8h, spread.interval_seconds)
        if tolerance is not None:
            day = DAY // timedelta(seconds=spread.interval_seconds)
            recent = spreads[max(index - day, 0) : index + 1]
            held = _held(recent, averages[index], opened_at, exit_cost)
            if tolerance_exit(held, rules, spread.settled_at) is not None:
                opened_at = None
    return ToleranceOutcome(
        tolerance=tolerance,
        round_trips=round_trips,
        funding=funding,
        cost=round_trips * (opening_cost + exit_cost),
    )


def _held(
    recent: Sequence[SettledRate], average: Decimal, opened_at: datetime, exit_cost: Decimal
) -> HeldPosition:
    """Return the pair as its exit rule sees it right after the last of the settlements."""
    last = recent[-1]
    leg = FundingLeg(
        side=Side.SELL,
        predicted_rate=rate_per_interval(last.rate_8h, last.interval_seconds),
        interval_seconds=last.interval_seconds,
        next_funding_at=last.settled_at + timedelta(seconds=last.interval_seconds),
        carry_8h=average,
    )
    return HeldPosition(
        open_reason=OpenReason.FUNDING,
        opened_at=opened_at,
        legs=(leg,),
        exit_cost=exit_cost,
        spread_8h=trailing_mean(recent, now=last.settled_at, window=EIGHT_HOURS),
        spread_24h=trailing_mean(recent, now=last.settled_at, window=DAY),
        net_pnl_usd=ZERO,
        capital_usd=ZERO,
    )
