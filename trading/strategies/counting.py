"""How every strategy counts any number of legs through: `docs/DOMAIN.md` sections 2 and 3.

A strategy adds what opens it (`Opening`) and what of the gap it may count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from exchanges.domain import InstrumentKind, Side
from trading.core.basis import (
    GapPrices,
    PricedLeg,
    ageing_8h,
    dated_gap,
    eight_hours,
    gap_credit,
)
from trading.core.costs import HOUR, LegCost, RoundTrip, break_even, net_apr, net_return
from trading.core.entry_style import EntryStyle
from trading.core.first_leg import may_go_first
from trading.core.funding import (
    FundingLeg,
    LegCarry,
    expected_carry,
    funding_spread_8h,
    leg_carry,
    persistence_count,
    threshold,
)
from trading.core.gap_thresholds import opening_gap
from trading.core.parameters import Parameters
from trading.strategies.base import ZERO, Candidate, CandidateLeg, LegShape, OpenReason, funded_legs
from trading.strategies.facts import InstrumentFacts, PairHistory

HOURS_PER_8H = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What opens a candidate; the fields are those of `Candidate`."""

    reason: OpenReason
    gap: Decimal
    gap_credit: Decimal
    gap_threshold: Decimal | None = None
    implied_carry_8h: Decimal | None = None
    fair_carry_8h: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Sound legs in the order of their shape, with what is asked of them again and again."""

    legs: tuple[CandidateLeg, ...]
    priced: tuple[PricedLeg, ...]
    funded: tuple[FundingLeg, ...]
    prices: GapPrices
    ageing_8h: Decimal
    borrow_per_hour: Decimal

    @classmethod
    def of(cls, legs: Sequence[CandidateLeg], now: datetime) -> Placed:
        """Return legs whose data was found sound. Raise ValueError where a fact is missing."""
        priced = tuple(leg.priced for leg in legs)
        return cls(
            legs=tuple(legs),
            priced=priced,
            funded=funded_legs(legs),
            prices=GapPrices.of(priced),
            ageing_8h=ageing_8h(priced, now),
            borrow_per_hour=_borrow_per_hour(legs),
        )

    @property
    def present_carry_8h(self) -> Decimal:
        """Return what the legs bring per 8 h at present: funding, ageing of the gap, less loans."""
        return funding_spread_8h(self.funded) + self.ageing_8h - HOURS_PER_8H * self.borrow_per_hour

    def hold_time(self, parameters: Parameters, now: datetime) -> timedelta:
        """Return the hold time, cut at the exit before the first leg expires."""
        ends = [leg.expires_at for leg in self.priced if leg.expires_at is not None]
        left = [end - parameters.expiry_lead - now for end in ends]
        return min([parameters.hold_horizon, *left])

    def undated_credit(self, history: PairHistory) -> Decimal:
        """Return what the gap may be counted for, without the part that ages."""
        return gap_credit(self.prices.gap - dated_gap(self.priced), history.expected_exit_gap)

    def round_trip(self, size_usd: Decimal, parameters: Parameters) -> RoundTrip:
        """Return all that the legs cost; capital is moved between companies only."""
        companies = {leg.facts.company or leg.facts.instrument.venue for leg in self.legs}
        transfer = ZERO
        if len(companies) > 1:
            transfer = parameters.transfer_cost_usd / parameters.planned_round_trips / size_usd
        return RoundTrip(
            legs=_planned_costs(self.legs, parameters),
            borrow_per_hour=self.borrow_per_hour,
            transfer=transfer,
        )


def in_shape(
    shape: Sequence[LegShape], legs: Sequence[InstrumentFacts]
) -> tuple[CandidateLeg, ...]:
    """Return instruments as the legs of a shape, in its order."""
    return tuple(
        CandidateLeg(side=place.side, facts=facts, ratio=place.ratio)
        for place, facts in zip(shape, legs, strict=True)
    )


def gap_or_funding(
    placed: Placed, gap: Decimal, history: PairHistory, parameters: Parameters
) -> Opening:
    """Return the opening of a carry: on its price gap where that is wide enough, else on funding.

    `gap` is signed so that > 0 is in our favour.
    """
    least = opening_gap(
        placed.present_carry_8h, parameters, otherwise=parameters.min_opening_arbitrage
    )
    return Opening(
        reason=OpenReason.BASIS if gap >= least else OpenReason.FUNDING,
        gap=gap,
        gap_credit=placed.undated_credit(history),
        gap_threshold=least,
    )


def count_through(
    strategy: str,
    placed: Placed,
    history: PairHistory,
    opening: Opening,
    *,
    size_usd: Decimal,
    parameters: Parameters,
    now: datetime,
) -> Candidate:
    """Return the candidate with its expected return over the hold time."""
    horizon = placed.hold_time(parameters, now)
    model = parameters.carry_model_over(horizon, history.betas)
    costs = placed.round_trip(size_usd, parameters)
    credit = opening.gap_credit + placed.ageing_8h * eight_hours(horizon)
    least = threshold(size_usd, parameters.min_spread_base, parameters.min_spread_per_10k)
    funding = expected_carry(placed.funded, now=now, horizon=horizon, model=model)
    net, even = None, None
    if funding is not None:
        net = net_return(expected_funding=funding, gap_credit=credit, costs=costs, horizon=horizon)
        carries = [c for leg in placed.funded if (c := leg_carry(leg, model)) is not None]
        if placed.ageing_8h:
            carries.append(_hourly(placed.ageing_8h, now))
        even = break_even(carries, gap_credit=opening.gap_credit, costs=costs, now=now)
    return Candidate(
        strategy=strategy,
        base=placed.legs[0].facts.instrument.base,
        legs=placed.legs,
        size_usd=size_usd,
        spread_8h=placed.present_carry_8h,
        threshold=least,
        entry_gap=placed.prices.gap,
        costs=costs,
        persistence=persistence_count(history.spreads, least),
        expected_funding=funding,
        net_return=net,
        net_apr=None if net is None else net_apr(net, horizon),
        break_even=even,
        open_reason=opening.reason,
        horizon=horizon,
        gap_credit=credit,
        opening_gap=opening.gap,
        gap_threshold=opening.gap_threshold,
        implied_carry_8h=opening.implied_carry_8h,
        fair_carry_8h=opening.fair_carry_8h,
        warning_probability=history.warning_probability,
    )


def _planned_costs(legs: Sequence[CandidateLeg], parameters: Parameters) -> tuple[LegCost, ...]:
    """Return what each leg costs; the one that rests as a maker opens at that fee.

    Its orders are post-only to the end: what does not fill is not opened. Where it is not known
    yet which leg rests, the one that saves least is taken for it. Slippage is counted all the same:
    what fills an order that rests is a market that comes against it.
    """
    costs = [leg.cost for leg in legs]
    if parameters.entry_style is EntryStyle.MAKER:
        sides = [(leg.side, leg.facts.instrument.kind) for leg in legs]
        first = min(
            may_go_first(sides, parameters.first_leg),
            key=lambda index: legs[index].ratio * legs[index].facts.resting_saves,
        )
        saved = legs[first].facts.resting_saves
        costs[first] = replace(costs[first], open_fee=costs[first].open_fee - saved)
    return tuple(costs)


def _borrow_per_hour(legs: Sequence[CandidateLeg]) -> Decimal:
    """Return what loans cost an hour: spot that is sold is borrowed."""
    borrowed = [
        leg.ratio * (leg.facts.borrow_rate_per_hour or ZERO)
        for leg in legs
        if leg.side is Side.SELL and leg.facts.instrument.kind is InstrumentKind.SPOT
    ]
    return sum(borrowed, ZERO)


def _hourly(ageing: Decimal, now: datetime) -> LegCarry:
    an_hour = ageing / HOURS_PER_8H
    return LegCarry(
        coming=an_hour,
        later=an_hour,
        interval_seconds=HOUR.seconds,
        next_funding_at=now + HOUR,
        is_funding=False,
    )
