"""Count legs through for one user at one size, with what their order books take.

The scan, the ticket and the entry use this and nothing else, so their figures cannot differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from operator import attrgetter, itemgetter

from exchanges.domain import Instrument, InstrumentKind, Side
from exchanges.matching import notional_limit
from exchanges.selectors import fees_in_money
from trading.core.capacity import CapacityPoint, LegBook, capacity_curve
from trading.core.execution_risk import ExecutionRisk, LegRisk, execution_risk
from trading.core.funding import HOURS_PER_YEAR
from trading.core.money import plain
from trading.core.parameters import Parameters
from trading.core.refusal import Refusal
from trading.core.sentence import percent, usd
from trading.core.sizing import Capital, LegCapacity, tier_room
from trading.services.depth_facts import levels_of, side_capacity, with_depth
from trading.services.seen import Seen
from trading.services.standing import Standing
from trading.services.universe import PairedLeg, Universe
from trading.strategies.base import Candidate, InstrumentFacts, PairHistory, Strategy

ZERO, ONE = Decimal(0), Decimal(1)
NO_CAPITAL = Capital(account="", free=ZERO)


@dataclass(frozen=True, slots=True, kw_only=True)
class TierRoom:
    """What a venue's risk tiers leave of a contract at a leverage; `base` in its base units."""

    venue: str
    symbol: str
    leverage: Decimal
    limit_usd: Decimal
    held_usd: Decimal
    base: Decimal
    whole_leg_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Appraisal:
    """Legs at one size. `capacities` are what each leg's book takes, in base of the position.

    Of a leg that is sold on loan it is no more than what is lent. What open interest and risk tiers
    allow besides is no part of them: it makes no book deeper or thinner.
    """

    legs: tuple[PairedLeg, ...]
    facts: tuple[InstrumentFacts, ...]
    books: tuple[LegBook, ...]
    size_usd: Decimal
    counted: Candidate | Refusal
    capacities: tuple[Decimal, ...]
    tier_rooms: tuple[TierRoom | None, ...]
    """What each venue's risk tiers leave, None where they are not known."""
    fees_assumed: tuple[str, ...]
    """Venues that did not tell the account's own fee."""

    @property
    def candidate(self) -> Candidate | None:
        return self.counted if isinstance(self.counted, Candidate) else None

    @property
    def capacity_usd(self) -> Decimal | None:
        """Return what all legs can take: books within the slippage limit, and the venues' bounds.

        These are of open interest and of risk tiers. None where a book is missing.
        """
        books = self._books_usd
        if books is None:
            return None
        return min([books, *(room for _, room in self._venue_bounds)])

    @property
    def venue_bound(self) -> str:
        """Say what a venue allows least of, where that is less than the books take."""
        least = min(self._venue_bounds, key=itemgetter(1), default=None)
        if least is None or self._books_usd is None or least[1] >= self._books_usd:
            return ""
        return f"{least[0]} is {usd(least[1])}"

    @property
    def tier_bound(self) -> TierRoom | None:
        """Return the risk tiers that leave the least for a whole leg; None where none is known."""
        known = [room for room in self.tier_rooms if room is not None]
        return min(known, key=attrgetter("whole_leg_usd"), default=None)

    @property
    def tiers_untold(self) -> tuple[str, ...]:
        """Return the venues that told no risk tiers: there the listing's one bounds no size."""
        return tuple(
            facts.instrument.venue
            for facts in self.facts
            if facts.instrument.kind is not InstrumentKind.SPOT and facts.ladder is None
        )

    @property
    def loans_assumed(self) -> tuple[str, ...]:
        """Say at what rate each coin is borrowed that the account's owner assumed."""
        return tuple(
            assumed_loan(facts.instrument, facts.borrow_rate_per_hour)
            for leg, facts in zip(self.legs, self.facts, strict=True)
            if leg.side is Side.SELL
            and facts.is_loan_assumed
            and facts.borrow_rate_per_hour is not None
        )

    @property
    def interest_untold(self) -> tuple[str, ...]:
        """Return the venues that told no open interest lately: there it bounds nothing."""
        return tuple(
            facts.instrument.venue
            for facts in self.facts
            if facts.instrument.kind is InstrumentKind.PERPETUAL and facts.open_interest is None
        )

    @property
    def _books_usd(self) -> Decimal | None:
        if any(facts.book is None for facts in self.facts):
            return None
        taken = zip(self.capacities, self.facts, strict=True)
        return min(capacity * facts.mid for capacity, facts in taken)

    @property
    def _venue_bounds(self) -> list[tuple[str, Decimal]]:
        """Return in words what venues bound by, and the notional of a whole leg that it allows."""
        interest = [
            (
                f"1 % of open interest at {facts.instrument.venue}",
                facts.interest_room * facts.mid / leg.ratio,
            )
            for leg, facts in zip(self.legs, self.facts, strict=True)
            if facts.interest_room is not None and facts.book is not None
        ]
        tiers = [
            (f"what {room.venue} lets be held at {plain(room.leverage)}x", room.whole_leg_usd)
            for room in self.tier_rooms
            if room is not None
        ]
        return interest + tiers


def appraise(
    strategy: Strategy,
    legs: Sequence[PairedLeg],
    *,
    size_usd: Decimal,
    seen: Seen,
    universe: Universe,
    standing: Standing,
    now: datetime,
) -> Appraisal:
    """Count legs in the order of the strategy's shape through at the facts of the moment."""
    parameters = standing.parameters
    facts, books, capacities = [], [], []
    for leg in legs:
        paired, depth = leg.paired, seen.depth(leg.paired, now)
        at_touch = universe.facts(
            paired,
            seen.board,
            taker_fee=standing.taker_fee(paired.key, paired.instrument.kind),
            maker_fee=standing.maker_fee(paired.key),
            half_life=parameters.carry_half_life,
            now=now,
            assumed_loan=standing.assumed_loan(paired.instrument),
        )
        facts.append(with_depth(at_touch, depth, leg.side, leg.ratio * size_usd))
        book_capacity = side_capacity(at_touch, depth, leg.side, parameters.max_slippage)
        if leg.side is Side.SELL and at_touch.borrowable is not None:
            book_capacity = min(book_capacity, at_touch.borrowable)
        capacities.append(book_capacity / leg.ratio)
        if at_touch.book is not None:
            sides = (leg.side, leg.side.opposite)
            entry, leaving = (levels_of(depth, side) if depth else () for side in sides)
            books.append(
                LegBook(
                    entry=entry,
                    exit=leaving,
                    mid=at_touch.mid,
                    touch_slippage=at_touch.slippage,
                    ratio=leg.ratio,
                )
            )
    history = _history(legs, seen, universe, parameters)
    counted = strategy.evaluate(facts, history, size_usd=size_usd, parameters=parameters, now=now)
    return Appraisal(
        legs=tuple(legs),
        facts=tuple(facts),
        books=tuple(books),
        size_usd=size_usd,
        counted=counted,
        capacities=tuple(capacities),
        tier_rooms=tuple(
            _tier_room(leg, one, legs, standing) for leg, one in zip(legs, facts, strict=True)
        ),
        fees_assumed=tuple(
            leg.paired.instrument.venue for leg in legs if standing.assumes_fee(leg.paired.key)
        ),
    )


def _tier_room(
    leg: PairedLeg, facts: InstrumentFacts, legs: Sequence[PairedLeg], standing: Standing
) -> TierRoom | None:
    if facts.ladder is None or facts.book is None:
        return None
    instrument, price = facts.instrument, facts.mid
    leverage = leverage_of(instrument, legs, standing.parameters)
    tiers, held = facts.ladder.at(price), standing.held.get(leg.paired.key, ZERO)
    room = tier_room(tiers, leverage=leverage, price=price, held=held)
    return TierRoom(
        venue=instrument.venue,
        symbol=instrument.symbol,
        leverage=leverage,
        limit_usd=notional_limit(leverage, tiers),
        held_usd=held * price,
        base=room,
        whole_leg_usd=room * price / leg.ratio,
    )


def _history(
    legs: Sequence[PairedLeg], seen: Seen, universe: Universe, parameters: Parameters
) -> PairHistory:
    """Return what the past says, margin warnings at the leverage of the riskiest leg included."""
    leverage = max(leverage_of(leg.paired.instrument, legs, parameters) for leg in legs)
    chance = universe.warning_probability(legs, leverage, parameters.hold_horizon)
    return replace(universe.history(legs, seen.board), warning_probability=chance)


def curve_of(appraisal: Appraisal, most_usd: Decimal) -> tuple[CapacityPoint, ...]:
    """Return what growing sizes earn; nothing where an estimate or an order book is missing."""
    candidate = appraisal.candidate
    if candidate is None or candidate.net_return is None:
        return ()
    if not all(book.entry and book.exit for book in appraisal.books):
        return ()
    transfer_usd = candidate.costs.transfer * candidate.size_usd
    before = candidate.net_return + candidate.costs.slippage + candidate.costs.transfer
    points = capacity_curve(appraisal.books, net_before_slippage=before, most_usd=most_usd)
    return tuple(_less(point, transfer_usd) for point in points)


def risk_of(appraisal: Appraisal, parameters: Parameters, now: datetime) -> ExecutionRisk | None:
    """Return how strained the entry would be; None where a book is not known."""
    if appraisal.capacity_usd is None:
        return None
    legs = [
        LegRisk(
            venue=facts.instrument.venue,
            slippage=facts.slippage,
            capacity_usd=capacity * facts.mid,
            latency=facts.latency,
            book_age=now - facts.book.observed_at,
        )
        for facts, capacity in zip(appraisal.facts, appraisal.capacities, strict=True)
        if facts.book is not None
    ]
    return execution_risk(
        legs,
        size_usd=appraisal.size_usd,
        max_slippage=parameters.max_slippage,
        max_latency=parameters.max_venue_latency,
        max_book_age=parameters.max_book_age,
    )


def leg_capacities(appraisal: Appraisal, standing: Standing) -> list[LegCapacity]:
    """Return what sizing needs to know of each leg; prices are known."""
    return [
        LegCapacity(
            instrument=facts.instrument,
            price=facts.mid,
            leverage=leverage_of(facts.instrument, appraisal.legs, standing.parameters),
            capital=standing.capital.get(facts.instrument.venue, NO_CAPITAL),
            book_capacity=capacity * leg.ratio,
            base_fee=base_fee(facts, leg.side),
            ratio=leg.ratio,
            interest_room=facts.interest_room,
            tier_room=None if tiers is None else tiers.base,
        )
        for leg, facts, capacity, tiers in zip(
            appraisal.legs,
            appraisal.facts,
            appraisal.capacities,
            appraisal.tier_rooms,
            strict=True,
        )
    ]


def leverage_of(
    instrument: Instrument, legs: Sequence[PairedLeg], parameters: Parameters
) -> Decimal:
    """Return a leg's leverage, within the cap and what the instrument allows; spot has none."""
    if instrument.kind is InstrumentKind.SPOT:
        return ONE
    chosen = parameters.leverage_at(
        venue=instrument.venue,
        pair=f"{instrument.base}/{instrument.quote}",
        against_spot=any(leg.paired.instrument.kind is InstrumentKind.SPOT for leg in legs),
    )
    return max(min(chosen, instrument.max_leverage), ONE)


def base_fee(facts: InstrumentFacts, side: Side) -> Decimal:
    """Return the fee that a spot purchase pays in what it buys."""
    is_purchase = facts.instrument.kind is InstrumentKind.SPOT and side is Side.BUY
    in_coins = is_purchase and not fees_in_money(facts.instrument.venue)
    return max(facts.taker_fee, ZERO) if in_coins else ZERO


def assumed_loan(instrument: Instrument, hourly_rate: Decimal) -> str:
    """Say at what rate a coin is borrowed that no venue tells."""
    yearly = percent(hourly_rate * HOURS_PER_YEAR, 2)
    return f"{instrument.base} at {instrument.venue}, rate assumed by you: {yearly} a year"


def _less(point: CapacityPoint, transfer_usd: Decimal) -> CapacityPoint:
    profit = point.profit_usd - transfer_usd
    return replace(point, profit_usd=profit, net_return=profit / point.size_usd)
