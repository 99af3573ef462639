"""What is known of instruments and of their past when a strategy is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from exchanges.domain import BookTop, FundingRate, Instrument, SettlementKind, Side
from exchanges.risk_tiers import TierLadder
from trading.core.funding import FittedBetas, FundingLeg, SettledRate
from trading.core.sizing import interest_room

ZERO, ONE = Decimal(0), Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentFacts:
    """All that is known of one instrument. `slippage` is of the opening order at the size in
    question, `exit_slippage` of the closing one, which takes the other side of the book; None where
    only the touch is known, which is as far on both sides.

    `funding` and `book` are None where nothing is known, `carry_8h` and `daily_volatility` without
    settled history, `latency` where nothing was asked yet. `premium_rate` is what the venue's
    formula makes of the present premium (`forecast.PremiumFormula`), per interval.
    `borrow_rate_per_hour` is a fraction of what is borrowed, the larger of the current and the
    day's highest, None where a spot market's base cannot be borrowed; `borrowable` the most of it
    that is lent, in base units, None where untold; with `is_loan_assumed` the rate is the one that
    the account's owner assumes, since the venue tells none. `company` runs the venue: within one no
    transfer is paid; None is a company of its own. `maker_fee` is the account's own, None where the
    venue did not tell it. `open_interest` is what is held at the venue in base units, None where it
    told none lately. `ladder` are its risk tiers, None where the venue told none.
    """

    instrument: Instrument
    funding: FundingRate | None
    book: BookTop | None
    taker_fee: Decimal
    slippage: Decimal
    carry_8h: Decimal | None = None
    latency: timedelta | None = None
    daily_volatility: Decimal | None = None
    premium_rate: Decimal | None = None
    borrow_rate_per_hour: Decimal | None = None
    borrowable: Decimal | None = None
    is_loan_assumed: bool = False
    company: str | None = None
    maker_fee: Decimal | None = None
    open_interest: Decimal | None = None
    exit_slippage: Decimal | None = None
    ladder: TierLadder | None = None

    @property
    def closing_slippage(self) -> Decimal:
        return self.slippage if self.exit_slippage is None else self.exit_slippage

    @property
    def interest_room(self) -> Decimal | None:
        """Return the base quantity that the venue's open interest allows, None where untold."""
        return None if self.open_interest is None else interest_room(self.open_interest)

    @property
    def resting_saves(self) -> Decimal:
        """Return what an order that rests pays less than one that takes; a rebate counts as 0."""
        if self.maker_fee is None:
            return ZERO
        return max(max(self.taker_fee, ZERO) - max(self.maker_fee, ZERO), ZERO)

    def funding_leg(self, side: Side, ratio: Decimal = ONE) -> FundingLeg:
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
            premium_rate=self.premium_rate,
            ratio=ratio,
            accrues=self.instrument.settlement is SettlementKind.ACCRUED,
        )

    @property
    def mid(self) -> Decimal:
        """Return the mid price. Raise ValueError without a book."""
        if self.book is None:
            raise ValueError(f"{self.instrument.symbol} has no book")
        return self.book.mid


@dataclass(frozen=True, slots=True, kw_only=True)
class PairHistory:
    """What the past and the rest of the market say of a set of legs.

    `expected_exit_gap`: the 7-day median gap of the undated legs, weighted as the position is.
    `spreads`: what the legs received per 8 h, oldest first. `fair_carry_8h`: the median carry of
    the base's other expiries, None without any. `warning_probability`: of a margin warning within
    the hold time at the leverage in use, None where too little was recorded. `betas` are fitted to
    the pair's own settlements, empty where there are too few of them.
    """

    expected_exit_gap: Decimal = ZERO
    spreads: Sequence[SettledRate] = ()
    fair_carry_8h: Decimal | None = None
    warning_probability: Decimal | None = None
    betas: FittedBetas = field(default_factory=dict)


NO_HISTORY = PairHistory()
