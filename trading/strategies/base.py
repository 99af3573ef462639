"""What a strategy is: pure rules that find candidates, gate entries and signal exits.

A candidate owns two or more legs; nothing here assumes two. Rules see facts and `now`, never a
venue or a database. Risk exits (liquidation distance, kill, expiry) are not a strategy's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from exchanges.domain import BookTop, FundingRate, Instrument, InstrumentKind, Side
from trading.core.costs import BreakEven, RoundTrip
from trading.core.funding import FundingLeg, SettledRate
from trading.core.parameters import Parameters, Ranking
from trading.core.refusal import Refusal

ZERO, ONE = Decimal(0), Decimal(1)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentFacts:
    """All that is known of one instrument. `slippage` is one order's at the size in question.

    `funding` and `book` are None where nothing is known, `carry_8h` and `daily_volatility` without
    settled history, `latency` where nothing was asked yet. `borrow_rate_per_hour` is a fraction of
    what is borrowed, the larger of the current and the day's highest, None where a spot market's
    base cannot be borrowed.
    """

    instrument: Instrument
    funding: FundingRate | None
    book: BookTop | None
    taker_fee: Decimal
    slippage: Decimal
    carry_8h: Decimal | None = None
    latency: timedelta | None = None
    daily_volatility: Decimal | None = None
    borrow_rate_per_hour: Decimal | None = None

    def funding_leg(self, side: Side) -> FundingLeg:
        """Return the leg this instrument would be. Raise ValueError without a known interval."""
        rate = self.funding
        if rate is None or rate.interval_seconds is None or rate.next_funding_at is None:
            raise ValueError(f"{self.instrument.symbol} has no known funding interval")
        return FundingLeg(
            side=side,
            predicted_rate=rate.funding_rate,
            interval_seconds=rate.interval_seconds,
            next_funding_at=rate.next_funding_at,
            carry_8h=self.carry_8h,
        )

    @property
    def mid(self) -> Decimal:
        """Return the mid price. Raise ValueError without a book."""
        if self.book is None:
            raise ValueError(f"{self.instrument.symbol} has no book")
        return self.book.mid


@dataclass(frozen=True, slots=True, kw_only=True)
class PairHistory:
    """What the past says of a set of legs: median gap at exit, settled 8 h spreads oldest first."""

    expected_exit_gap: Decimal = ZERO
    spreads: Sequence[SettledRate] = ()


NO_HISTORY = PairHistory()


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateLeg:
    side: Side
    facts: InstrumentFacts
    ratio: Decimal = ONE

    @property
    def funding_leg(self) -> FundingLeg:
        return self.facts.funding_leg(self.side)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One opportunity, counted through; fractions of one leg's notional `size_usd`.

    Expected figures are over the hold time and None where funding cannot be estimated.
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
    """An open position as its exit rules see it.

    `exit_cost` is the closing part of its round trip at present; `spread_8h` the mean spread of the
    last 8 hours with the coming settlement, `spread_24h` the mean of the settled last day, None
    where unknown; `settled` are the pair's settled spreads, oldest first; `net_pnl_usd` after all
    fees; `capital_usd` the collateral behind it.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitSignal:
    """Why a position should be closed, for the journal and for the trader."""

    reason: ExitReason
    sentence: str


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
