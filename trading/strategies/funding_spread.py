"""Long the perpetual with the lower funding, short the one with the higher.

Its row is in `docs/DOMAIN.md` section 6.

The only two-leg assumption of the engine is in this file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from exchanges.domain import InstrumentKind, Side
from trading.core.basis import gap_credit, price_gap
from trading.core.costs import LegCost, RoundTrip, break_even, net_apr, net_return
from trading.core.funding import (
    expected_carry,
    funding_spread_8h,
    leg_carry,
    persistence_count,
    threshold,
)
from trading.core.parameters import Parameters
from trading.core.refusal import Refusal
from trading.strategies.base import (
    Candidate,
    CandidateLeg,
    EntryTrigger,
    ExitSignal,
    HeldPosition,
    InstrumentFacts,
    LegShape,
    OpenReason,
    PairHistory,
)
from trading.strategies.entry_gates import (
    refuse_data,
    refuse_leverage,
    refuse_moment,
    refuse_persistence,
    refuse_return,
    refuse_spread,
    refuse_symbol,
)
from trading.strategies.exits import money_exit, regime_exit, target_exit, tolerance_exit

PERPETUAL = frozenset({InstrumentKind.PERPETUAL})


@dataclass(frozen=True, slots=True)
class FundingSpread:
    """Stateless; opened on funding, so basis exits never apply to it."""

    key: str = "funding_spread"
    shape: tuple[LegShape, ...] = (
        LegShape(side=Side.BUY, kinds=PERPETUAL),
        LegShape(side=Side.SELL, kinds=PERPETUAL),
    )

    def evaluate(
        self,
        legs: Sequence[InstrumentFacts],
        history: PairHistory,
        *,
        size_usd: Decimal,
        parameters: Parameters,
        now: datetime,
    ) -> Candidate | Refusal:
        """Count one pair through, or refuse it because its data cannot be trusted."""
        long, short = legs
        refusal = refuse_data(long, short, parameters, now)
        if refusal is not None:
            return refusal
        funded = (long.funding_leg(Side.BUY), short.funding_leg(Side.SELL))
        model, horizon = parameters.carry_model, parameters.hold_horizon
        costs = RoundTrip(legs=(_leg_cost(long), _leg_cost(short)))
        entry_gap = price_gap(long.mid, short.mid)
        credit = gap_credit(entry_gap, history.expected_exit_gap)
        least = threshold(size_usd, parameters.min_spread_base, parameters.min_spread_per_10k)
        carries = [carry for leg in funded if (carry := leg_carry(leg, model)) is not None]
        funding = expected_carry(funded, now=now, horizon=horizon, model=model)
        net, even = None, None
        if funding is not None:
            net = net_return(
                expected_funding=funding, gap_credit=credit, costs=costs, horizon=horizon
            )
            even = break_even(carries, gap_credit=credit, costs=costs, now=now)
        return Candidate(
            strategy=self.key,
            base=long.instrument.base,
            legs=(
                CandidateLeg(side=Side.BUY, facts=long),
                CandidateLeg(side=Side.SELL, facts=short),
            ),
            size_usd=size_usd,
            spread_8h=funding_spread_8h(funded),
            threshold=least,
            entry_gap=entry_gap,
            costs=costs,
            persistence=persistence_count(history.spreads, least),
            expected_funding=funding,
            net_return=net,
            net_apr=None if net is None else net_apr(net, horizon),
            break_even=even,
            open_reason=OpenReason.FUNDING,
        )

    def entry_gate(
        self,
        candidate: Candidate,
        *,
        parameters: Parameters,
        now: datetime,
        trigger: EntryTrigger,
    ) -> Refusal | None:
        long, short = (leg.facts for leg in candidate.legs)
        return (
            refuse_symbol(candidate, parameters)
            or refuse_data(long, short, parameters, now)
            or refuse_spread(candidate)
            or refuse_leverage(candidate, parameters)
            or refuse_return(candidate, parameters)
            or refuse_persistence(candidate, parameters)
            or refuse_moment(candidate, parameters, now, trigger)
        )

    def exit_signal(
        self, held: HeldPosition, *, parameters: Parameters, now: datetime
    ) -> ExitSignal | None:
        return (
            money_exit(held, parameters)
            or target_exit(held, parameters)
            or regime_exit(held, parameters, now)
            or tolerance_exit(held, parameters, now)
        )


def _leg_cost(facts: InstrumentFacts) -> LegCost:
    """Return a leg's costs, taker both ways: a limit at mid rounds to the touch."""
    return LegCost(
        open_fee=facts.taker_fee,
        close_fee=facts.taker_fee,
        entry_slippage=facts.slippage,
        exit_slippage=facts.slippage,
    )
