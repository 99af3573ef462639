"""Legs of every kind with round numbers, and ways to ask a strategy about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from exchanges.domain import BookTop, InstrumentKind, Side
from tests.market import NOW, D, make_book, make_facts, make_instrument
from trading.core.basis import GapPrices
from trading.core.forecast import ExpectedRate
from trading.core.funding import FundingLeg
from trading.core.parameters import Parameters
from trading.core.policies import KNOWN_STRATEGIES
from trading.core.refusal import Refusal
from trading.strategies.base import (
    NO_HISTORY,
    Candidate,
    EntryTrigger,
    ExitReason,
    ExitSignal,
    HeldPosition,
    InstrumentFacts,
    OpenReason,
    PairHistory,
    Strategy,
)
from trading.strategies.registry import STRATEGIES

SIZE = D(10_000)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NO_COST = D(0)


def configured(**values: object) -> Parameters:
    """Return parameters with every strategy switched on."""
    return Parameters.from_values({"strategies": ", ".join(KNOWN_STRATEGIES), **values})


def make_spot(
    venue: str = "binance", *, mid: str = "50000", fee: str = "0.001", borrow: str | None = None
) -> InstrumentFacts:
    return InstrumentFacts(
        instrument=make_instrument(venue, kind=InstrumentKind.SPOT),
        funding=None,
        book=book_at(mid, venue),
        taker_fee=D(fee),
        slippage=NO_COST,
        borrow_rate_per_hour=None if borrow is None else D(borrow),
    )


def make_perp(
    venue: str = "binanceusdm",
    *,
    mid: str = "50000",
    rate: str = "0.0001",
    carry_8h: str | None = "0.0001",
    fee: str = "0.0005",
) -> InstrumentFacts:
    facts = make_facts(venue, rate=rate, carry_8h=carry_8h, taker_fee=fee)
    return replace(facts, book=book_at(mid, venue))


def make_future(
    venue: str = "binanceusdm",
    *,
    mid: str = "50000",
    left: timedelta = 40 * DAY,
    fee: str = "0.0005",
) -> InstrumentFacts:
    return InstrumentFacts(
        instrument=make_instrument(venue, kind=InstrumentKind.FUTURE, expires_at=NOW + left),
        funding=None,
        book=book_at(mid, venue),
        taker_fee=D(fee),
        slippage=NO_COST,
    )


def book_at(mid: str, venue: str = "binance") -> BookTop:
    return make_book(venue, bid=str(D(mid) - 1), ask=str(D(mid) + 1))


def evaluated(
    key: str,
    legs: Sequence[InstrumentFacts],
    parameters: Parameters | None = None,
    *,
    history: PairHistory = NO_HISTORY,
    size_usd: Decimal = SIZE,
) -> Candidate | Refusal:
    return strategy(key).evaluate(
        legs, history, size_usd=size_usd, parameters=parameters or configured(), now=NOW
    )


def counted(
    key: str,
    legs: Sequence[InstrumentFacts],
    parameters: Parameters | None = None,
    *,
    history: PairHistory = NO_HISTORY,
    size_usd: Decimal = SIZE,
) -> Candidate:
    found = evaluated(key, legs, parameters, history=history, size_usd=size_usd)
    assert isinstance(found, Candidate), found
    return found


def gate(candidate: Candidate, parameters: Parameters | None = None) -> Refusal | None:
    return strategy(candidate.strategy).entry_gate(
        candidate,
        parameters=parameters or configured(),
        now=NOW,
        trigger=EntryTrigger.SCHEDULE,
    )


def refused(found: Candidate | Refusal, parameters: Parameters | None = None) -> str:
    """Return the code and the sentence of a refusal, at evaluation or at the gate."""
    refusal = found if isinstance(found, Refusal) else gate(found, parameters)
    assert refusal is not None
    return f"{refusal.code}: {refusal.sentence}"


def strategy(key: str) -> Strategy:
    return STRATEGIES[key]


def make_held(
    *,
    reason: OpenReason = OpenReason.BASIS,
    entered: tuple[str, str] | None = None,
    now_at: tuple[str, str] | None = None,
    side: Side = Side.SELL,
    rate: str = "0.0001",
    carry: str | None = "0.0001",
    spread_8h: str | None = "0.0001",
    pnl: str = "0",
    fair_gap: str | None = None,
    forecast: tuple[str, str, str] | None = None,
    opposite: Candidate | None = None,
    ageing_8h: str = "0",
    borrow: str = "0",
    expires_at: datetime | None = None,
) -> HeldPosition:
    """Return a position of 10,000 USD; prices are of the long and of the short side."""
    return HeldPosition(
        open_reason=reason,
        opened_at=NOW - HOUR,
        legs=(
            FundingLeg(
                side=side,
                predicted_rate=D(rate),
                interval_seconds=28_800,
                next_funding_at=NOW + HOUR,
                carry_8h=None if carry is None else D(carry),
            ),
        ),
        exit_cost=D("0.0010"),
        spread_8h=None if spread_8h is None else D(spread_8h),
        spread_24h=None if spread_8h is None else D(spread_8h),
        net_pnl_usd=D(pnl),
        capital_usd=D(10_000),
        expires_at=expires_at,
        entry_prices=None if entered is None else prices(*entered),
        exit_prices=None if now_at is None else prices(*now_at),
        ageing_8h=D(ageing_8h),
        borrow_per_hour=D(borrow),
        fair_gap=None if fair_gap is None else D(fair_gap),
        forecast=None
        if forecast is None
        else ExpectedRate(
            rate_8h=D(forecast[0]), sign_change=D(forecast[1]), last_8h=D(forecast[2])
        ),
        opposite=opposite,
    )


def prices(long: str, short: str) -> GapPrices:
    return GapPrices(long=D(long), short=D(short))


def signal(key: str, held: HeldPosition, parameters: Parameters | None = None) -> ExitSignal | None:
    return strategy(key).exit_signal(held, parameters=parameters or configured(), now=NOW)


def reason(key: str, held: HeldPosition, parameters: Parameters | None = None) -> ExitReason | None:
    found = signal(key, held, parameters)
    return None if found is None else found.reason
