"""An open position as the exit rules of its strategy see it, from facts of the moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from exchanges.assumed_loans import assumed_loans, assumed_rate
from exchanges.board import Board
from exchanges.domain import InstrumentKind, Side
from trading.core.basis import GapPrices, ageing_8h
from trading.core.elapsed import elapsed
from trading.core.forecast import ExpectedRate, forecast_by
from trading.core.funding import (
    FundingLeg,
    SettledRate,
    funding_spread_8h,
    settled_carry_8h,
    trailing_mean,
)
from trading.core.parameters import Parameters
from trading.core.refusal import Refusal
from trading.core.sentence import seconds
from trading.models import Leg, Position
from trading.services import market
from trading.services.depth_facts import with_depth
from trading.services.evaluate import shared_universe
from trading.services.gap_prices import entry_prices, exit_prices
from trading.services.holdings import is_short_spot, leg_net_base
from trading.services.position_money import PositionMoney, money_of
from trading.services.seen import Seen
from trading.services.universe import Paired, PairedLeg
from trading.strategies.base import (
    Candidate,
    CandidateLeg,
    HeldPosition,
    InstrumentFacts,
    OpenReason,
    funded_legs,
)
from trading.strategies.calendar_spread import fair_gap
from trading.strategies.funding_flip import OPPOSITES
from trading.strategies.registry import STRATEGIES

EIGHT_HOURS, DAY = timedelta(hours=8), timedelta(hours=24)
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LegNow:
    """One leg with the facts of the moment."""

    instrument_id: UUID
    leg: CandidateLeg
    settled: tuple[SettledRate, ...]
    charged_per_hour: Decimal = ZERO
    """What its venue charged last for what it owes, as a fraction of that; 0 before any charge."""

    @property
    def exit_cost(self) -> Decimal:
        return self.leg.cost.closing

    @property
    def paired_leg(self) -> PairedLeg:
        instrument = self.leg.facts.instrument
        return PairedLeg(
            paired=Paired(id=self.instrument_id, instrument=instrument),
            side=self.leg.side,
            ratio=self.leg.ratio,
        )

    @property
    def is_perpetual(self) -> bool:
        return self.leg.facts.instrument.kind is InstrumentKind.PERPETUAL

    @property
    def borrow_per_hour(self) -> Decimal:
        """Return what is paid for having sold what is not held, per hour; 0 for all else."""
        facts = self.leg.facts
        if facts.instrument.kind is not InstrumentKind.SPOT or self.leg.side is Side.BUY:
            return ZERO
        told = facts.borrow_rate_per_hour
        return self.leg.ratio * (self.charged_per_hour if told is None else told)


def held_position(
    position: Position, legs: Sequence[Leg], seen: Seen, now: datetime
) -> HeldPosition | None:
    """Return the position as exit rules see it; None while a fact is missing or stale."""
    board = seen.board
    parameters = Parameters.from_stored(position.parameters)
    # Long first, as gaps are counted.
    ordered = sorted(legs, key=lambda leg: -leg.sign)
    size = position.size_usd
    known = [
        fact
        for leg in ordered
        if (fact := _leg_now(leg, seen, parameters, now, size_usd=size)) is not None
    ]
    most = parameters.max_book_age
    leaving = exit_prices(ordered, board, now=now, max_age=most)
    money = money_of(position, ordered, board, now=now, max_age=most)
    if len(known) < len(ordered) or leaving is None or money is None:
        return None
    return _held(position, ordered, known, leaving, money, board, parameters, now)


def stale_facts(legs: Sequence[Leg], board: Board, parameters: Parameters, now: datetime) -> str:
    """Return what keeps the exit rules from being judged, in words; empty where nothing does."""
    found = []
    for leg in legs:
        venue = leg.instrument.exchange.name
        most = parameters.max_book_age
        if market.fresh_book(board, leg.instrument, now=now, max_age=most) is None:
            found.append(f"no book of {venue} is younger than {seconds(most)}")
        elif _leg_now(leg, Seen(board), parameters, now) is None:
            most = parameters.max_funding_age
            found.append(f"no tradable funding rate of {venue} is younger than {seconds(most)}")
    return " and ".join(found)


def _held(
    position: Position,
    rows: Sequence[Leg],
    known: Sequence[LegNow],
    leaving: GapPrices,
    money: PositionMoney,
    board: Board,
    parameters: Parameters,
    now: datetime,
) -> HeldPosition:
    legs = tuple(fact.leg for fact in known)
    funded = funded_legs(legs)
    spreads = settled_carry_8h(
        [
            (-fact.leg.side.sign * fact.leg.ratio, fact.settled)
            for fact in known
            if fact.is_perpetual
        ]
    )
    history = shared_universe(now).history([fact.paired_leg for fact in known], board)
    coming = [
        SettledRate(
            settled_at=now,
            rate_8h=funding_spread_8h(funded),
            interval_seconds=max(leg.interval_seconds for leg in funded),
        )
        for _ in funded[:1]
    ]
    return HeldPosition(
        open_reason=OpenReason(position.open_reason),
        opened_at=position.entry_timestamp or position.created_at,
        legs=funded,
        exit_cost=sum((fact.exit_cost for fact in known), ZERO),
        spread_8h=trailing_mean([*spreads, *coming], now=now, window=EIGHT_HOURS),
        spread_24h=trailing_mean(spreads, now=now, window=DAY),
        settled=spreads,
        net_pnl_usd=money.net_pnl_usd,
        capital_usd=money.capital_usd,
        expires_at=_first_expiry(rows),
        entry_prices=entry_prices(rows),
        exit_prices=leaving,
        ageing_8h=ageing_8h([leg.priced for leg in legs], now),
        borrow_per_hour=sum((fact.borrow_per_hour for fact in known), ZERO),
        fair_gap=fair_gap(legs, history, parameters, now),
        forecast=_forecast(spreads, funded, parameters),
        opposite=_opposite(position, known, board, parameters, now),
        betas=history.betas,
    )


def _first_expiry(rows: Sequence[Leg]) -> datetime | None:
    ends = (row.instrument.expires_at for row in rows)
    return min((at for at in ends if at is not None), default=None)


def _leg_now(
    leg: Leg, seen: Seen, parameters: Parameters, now: datetime, *, size_usd: Decimal = ZERO
) -> LegNow | None:
    """Return the leg's facts at executable prices; None if one is stale: it closes nothing."""
    board = seen.board
    book = market.fresh_book(board, leg.instrument, now=now, max_age=parameters.max_book_age)
    if book is None:
        return None
    universe = shared_universe(now)
    paired = Paired(id=leg.instrument_id, instrument=leg.instrument.snapshot())
    loans = assumed_loans([leg.account]) if is_short_spot(leg) else {}
    facts = universe.facts(
        paired,
        board,
        taker_fee=leg.taker_fee,
        half_life=parameters.carry_half_life,
        now=now,
        assumed_loan=assumed_rate(loans, paired.instrument),
    )
    side = Side.BUY if leg.sign > 0 else Side.SELL
    facts = with_depth(facts, seen.depth(paired, now), side, leg.ratio * size_usd)
    found = LegNow(
        instrument_id=leg.instrument_id,
        leg=CandidateLeg(side=side, facts=facts, ratio=leg.ratio),
        settled=universe.settled(paired),
        charged_per_hour=_charged_per_hour(leg),
    )
    return None if found.is_perpetual and not _is_funding_known(facts, parameters, now) else found


def _charged_per_hour(leg: Leg) -> Decimal:
    """Return the last hourly charge by what is owed: where nobody tells a rate it must do."""
    owed = abs(leg_net_base(leg)) if is_short_spot(leg) else ZERO
    last = leg.interest.order_by("-charged_at").first() if owed else None
    return ZERO if last is None else last.amount / owed


def _is_funding_known(facts: InstrumentFacts, parameters: Parameters, now: datetime) -> bool:
    rate = facts.funding
    if rate is None or not rate.is_tradable:
        return False
    return elapsed(rate.observed_at, now) <= parameters.max_funding_age


def _forecast(
    spreads: Sequence[SettledRate], legs: Sequence[FundingLeg], parameters: Parameters
) -> ExpectedRate | None:
    """Return what the spread is expected to settle at next; asked only where that turns it."""
    if not parameters.funding_flip:
        return None
    forecast = forecast_by(parameters.carry_estimator, legs, half_life=parameters.carry_half_life)
    return None if forecast is None else forecast.expect(spreads)


def _opposite(
    position: Position,
    known: Sequence[LegNow],
    board: Board,
    parameters: Parameters,
    now: datetime,
) -> Candidate | None:
    """Count the same legs through the other way round; None where nobody wants to turn."""
    strategy = STRATEGIES.get(OPPOSITES.get(position.strategy, ""))
    if strategy is None or not parameters.funding_flip:
        return None
    placed = [
        (fact, place)
        for place in strategy.shape
        for fact in known
        if fact.leg.side is place.side.opposite and fact.leg.facts.instrument.kind in place.kinds
    ]
    turned = [
        replace(fact.paired_leg, side=place.side, ratio=place.ratio) for fact, place in placed
    ]
    counted = strategy.evaluate(
        [fact.leg.facts for fact, _ in placed],
        shared_universe(now).history(turned, board),
        size_usd=position.size_usd,
        parameters=parameters,
        now=now,
    )
    return None if isinstance(counted, Refusal) else counted
