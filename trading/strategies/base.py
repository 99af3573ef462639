"""What a strategy is: pure rules that find candidates, gate entries and signal exits.

A candidate owns two or more legs; nothing here assumes two. Rules see facts and `now`, never a
venue or a database. Risk exits (liquidation distance, kill, expiry) are not a strategy's business.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from exchanges.domain import InstrumentKind, Side
from trading.core.basis import GapPrices, PricedLeg
from trading.core.costs import BreakEven, LegCost, RoundTrip
from trading.core.forecast import ExpectedRate
from trading.core.funding import FittedBetas, FundingLeg, SettledRate
from trading.core.parameters import Parameters, Ranking
from trading.core.refusal import Refusal
from trading.strategies.facts import NO_HISTORY, InstrumentFacts, PairHistory

__all__ = [
    "NO_HISTORY",
    "Candidate",
    "CandidateLeg",
    "EntryTrigger",
    "ExitReason",
    "ExitSignal",
    "HeldPosition",
    "InstrumentFacts",
    "LegShape",
    "OpenReason",
    "PairHistory",
    "Strategy",
    "funded_legs",
]

ZERO, ONE = Decimal(0), Decimal(1)
SPOT = frozenset({InstrumentKind.SPOT})
PERPETUAL = frozenset({InstrumentKind.PERPETUAL})
DATED = frozenset({InstrumentKind.FUTURE})


@dataclass(frozen=True, slots=True, kw_only=True)
class LegShape:
    """What a leg of a strategy may be. `ratio` is its part of the position's base quantity."""

    side: Side
    kinds: frozenset[InstrumentKind]
    ratio: Decimal = ONE


class OpenReason(StrEnum):
    """Why a position was opened, which decides how it closes."""

    BASIS = "basis"
    FUNDING = "funding"


class EntryTrigger(StrEnum):
    """Who asks for an entry: the scheduler waits longest, a person ignores the window."""

    SCHEDULE = "schedule"
    PROMPT = "prompt"
    MANUAL = "manual"


class ExitReason(StrEnum):
    STOP_LOSS = "stop_loss"
    TAKE_PROFIT = "take_profit"
    TARGET_SPREAD = "target_spread"
    NEGATIVE_SPREAD = "negative_spread"
    COST_OF_STAYING = "cost_of_staying"
    FUNDING_REGIME = "funding_regime"
    FUNDING_FLIP = "funding_flip"
    GAP_CLOSED = "gap_closed"
    GAP_CAPTURED = "gap_captured"


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateLeg:
    side: Side
    facts: InstrumentFacts
    ratio: Decimal = ONE

    @property
    def funding_leg(self) -> FundingLeg | None:
        """Return what settles of this leg; None of spot and of dated futures."""
        if self.facts.instrument.kind is not InstrumentKind.PERPETUAL:
            return None
        return self.facts.funding_leg(self.side, self.ratio)

    @property
    def priced(self) -> PricedLeg:
        """Return the leg at its mid price."""
        return PricedLeg(
            side=self.side,
            kind=self.facts.instrument.kind,
            price=self.facts.mid,
            ratio=self.ratio,
            expires_at=self.facts.instrument.expires_at,
        )

    @property
    def cost(self) -> LegCost:
        """Return the leg's costs as a taker both ways: a limit at mid rounds to the touch."""
        facts = self.facts
        return LegCost(
            open_fee=facts.taker_fee,
            close_fee=facts.taker_fee,
            entry_slippage=facts.slippage,
            exit_slippage=facts.closing_slippage,
            ratio=self.ratio,
        )


def funded_legs(legs: Iterable[CandidateLeg]) -> tuple[FundingLeg, ...]:
    """Return what settles of the legs."""
    return tuple(leg for each in legs if (leg := each.funding_leg) is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One opportunity, counted through; fractions of the notional `size_usd` of a whole leg.

    Expected figures are over `horizon`, the hold time as far as no leg expires within it, and None
    where funding cannot be estimated. `spread_8h` is what the legs bring at present: funding and
    what ages of the gap, less loans. `opening_gap` is compared with `gap_threshold`, None where no
    gap opens it; `gap_credit` is what of the gap is counted. Carry is per 8 h.
    """

    strategy: str
    base: str
    legs: tuple[CandidateLeg, ...]
    size_usd: Decimal
    spread_8h: Decimal
    threshold: Decimal
    entry_gap: Decimal
    costs: RoundTrip
    persistence: int
    expected_funding: Decimal | None
    net_return: Decimal | None
    net_apr: Decimal | None
    break_even: BreakEven | None
    open_reason: OpenReason
    horizon: timedelta
    gap_credit: Decimal
    opening_gap: Decimal
    gap_threshold: Decimal | None = None
    implied_carry_8h: Decimal | None = None
    fair_carry_8h: Decimal | None = None
    warning_probability: Decimal | None = None

    @property
    def funded_legs(self) -> tuple[FundingLeg, ...]:
        return funded_legs(self.legs)

    @property
    def net_profit_usd(self) -> Decimal | None:
        return None if self.net_return is None else self.net_return * self.size_usd

    def rank(self, ranking: Ranking) -> Decimal:
        """Return what candidates are ordered by, highest first; without an estimate last."""
        last = Decimal("-Infinity")
        match ranking:
            case Ranking.NET_PROFIT:
                return last if self.net_profit_usd is None else self.net_profit_usd
            case Ranking.NET_BPS:
                return last if self.net_return is None else self.net_return
            case Ranking.SPREAD:
                return self.spread_8h


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldPosition:
    """An open position as its exit rules see it; a rule without its facts stays silent.

    `legs` are those that settle. `exit_cost` is the closing part of its round trip at present;
    `spread_8h` the mean spread of the last 8 hours with the coming settlement, `spread_24h` the
    mean of the settled last day, None where unknown; `settled` are the position's settled spreads,
    oldest first; `net_pnl_usd` after all fees; `capital_usd` the collateral behind it; `expires_at`
    the end of the leg that ends first. Spreads are of funding alone.
    `entry_prices` are the average fills, `exit_prices` what each side could be closed at now.
    `ageing_8h` is what its dated legs bring by themselves, `borrow_per_hour` what a loan costs.
    `fair_gap` is the gap at which a calendar spread is worth nothing any more. `forecast` is of its
    spread, `opposite` the same legs the other way round, counted through. `betas` as in
    `PairHistory`.
    """

    open_reason: OpenReason
    opened_at: datetime
    legs: tuple[FundingLeg, ...]
    exit_cost: Decimal
    spread_8h: Decimal | None
    spread_24h: Decimal | None
    net_pnl_usd: Decimal
    capital_usd: Decimal
    settled: tuple[SettledRate, ...] = ()
    expires_at: datetime | None = None
    entry_prices: GapPrices | None = None
    exit_prices: GapPrices | None = None
    ageing_8h: Decimal = ZERO
    borrow_per_hour: Decimal = ZERO
    fair_gap: Decimal | None = None
    forecast: ExpectedRate | None = None
    opposite: Candidate | None = None
    betas: FittedBetas = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitSignal:
    """Why a position should be closed, for the journal and for the trader.

    `switches`: the other side is to be entered afterwards, `HeldPosition.opposite`.
    """

    reason: ExitReason
    sentence: str
    switches: bool = False


class Strategy(Protocol):
    """One row of `docs/DOMAIN.md` section 6."""

    @property
    def key(self) -> str: ...

    @property
    def shape(self) -> tuple[LegShape, ...]:
        """Return what its candidates are made of, in leg order."""

    def evaluate(
        self,
        legs: Sequence[InstrumentFacts],
        history: PairHistory,
        *,
        size_usd: Decimal,
        parameters: Parameters,
        now: datetime,
    ) -> Candidate | Refusal:
        """Count instruments through, in the order of `shape`, or refuse data nobody can trust."""

    def entry_gate(
        self,
        candidate: Candidate,
        *,
        parameters: Parameters,
        now: datetime,
        trigger: EntryTrigger,
    ) -> Refusal | None:
        """Return why the candidate is not entered now; None lets it pass."""

    def exit_signal(
        self, held: HeldPosition, *, parameters: Parameters, now: datetime
    ) -> ExitSignal | None:
        """Return why the position should close now; None keeps it."""
