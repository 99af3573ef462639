"""One user's scan: everybody's market, the user's own fees, limits and hold time.

The vectorised pass picks the best pair of a base, the strategy counts that one through in Decimal
and says whether it may be entered, and if not, why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import permutations

from exchanges.board import Board, Key
from exchanges.domain import Depth, Side
from trading.core.funding import rate_8h
from trading.core.parameters import EntryPolicy, Parameters
from trading.core.refusal import Refusal
from trading.core.scan import ScanFacts, ScannedPair, Scanner, ScanSettings
from trading.core.sizing import LegCapacity, planned_usd
from trading.services.depth_facts import side_capacity, with_depth
from trading.services.standing import Standing
from trading.services.universe import Paired, Universe
from trading.strategies.base import Candidate, EntryTrigger, InstrumentFacts
from trading.strategies.funding_spread import FundingSpread

STRATEGY = FundingSpread()
INFINITE = Decimal("Infinity")
DEPTH_LASTS = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Seen:
    """The market as one process sees it: the board, and the order books shared lately."""

    board: Board
    depths: Mapping[Key, Depth] = field(default_factory=dict)

    def depth(self, paired: Paired, now: datetime) -> Depth | None:
        """Return the order book if it was read a moment ago."""
        depth = self.depths.get(paired.key)
        return depth if depth is not None and now - depth.observed_at <= DEPTH_LASTS else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The best pair of one base for one user. Without a candidate its data cannot be trusted.

    `capacity_usd` is what both books take within the slippage limit, of unread books their touch;
    `refusal` None lets it be entered.
    """

    base: str
    long: Paired
    short: Paired
    size_usd: Decimal
    capacity_usd: Decimal | None
    candidate: Candidate | None
    refusal: Refusal | None


class UserScan:
    """The arrays and the standing of one user; asked on one thread."""

    def __init__(self, universe: Universe, standing: Standing) -> None:
        self.standing = standing
        self._universe = universe
        self._pairs = universe.by_base
        self._index = {base: number for number, base in enumerate(universe.by_base)}
        self._facts = ScanFacts(universe.venues, list(universe.by_base))
        self._scanner = Scanner(self._facts, ScanSettings.of(standing.parameters))

    def fits(self, standing: Standing) -> bool:
        """Tell whether the arrays still belong to these instruments and parameters."""
        same = self._universe.by_base is self._pairs
        return same and standing.parameters == self.standing.parameters

    def may_pay(self, base: str, board: Board, now: datetime) -> bool:
        """Tell, within microseconds, whether a base is worth being counted through."""
        if base not in self._index or self.standing.refuse_pair(base, now) is not None:
            return False
        pair = self._best(base, board, now)
        p = self.standing.parameters
        if pair is None or pair.spread_8h < p.min_spread_base:
            return False
        return p.entry_policy is EntryPolicy.SPREAD_ONLY or pair.net_return >= p.min_net_return

    def judge(self, base: str, seen: Seen, now: datetime, trigger: EntryTrigger) -> Finding | None:
        """Count the best pair of a base through; None if the base is not listed twice."""
        if base not in self._index:
            return None
        paired, pair = self._pairs[base], self._best(base, seen.board, now)
        if pair is None:
            long, short = self._least_unsound(base, seen.board, now)
        else:
            long, short = paired[pair.long_venue], paired[pair.short_venue]
        room = self._room(base, long, short)
        size = self._parameters.max_position_per_pair_usd
        if isinstance(room, Decimal) and base not in self.standing.live:
            size = room
        bought, sold = (
            with_depth(self._facts_of(one, seen.board, now), seen.depth(one, now), side, size)
            for one, side in ((long, Side.BUY), (short, Side.SELL))
        )
        counted = STRATEGY.evaluate(
            (bought, sold),
            self._universe.history(long, short),
            size_usd=size,
            parameters=self._parameters,
            now=now,
        )
        return Finding(
            base=base,
            long=long,
            short=short,
            size_usd=size,
            capacity_usd=self._capacity(
                bought, sold, seen.depth(long, now), seen.depth(short, now)
            ),
            candidate=counted if isinstance(counted, Candidate) else None,
            refusal=self._refuse(base, counted, room, (long, short), now, trigger),
        )

    @property
    def _parameters(self) -> Parameters:
        return self.standing.parameters

    def _best(self, base: str, board: Board, now: datetime) -> ScannedPair | None:
        number = self._index[base]
        for venue, paired in self._pairs[base].items():
            place = (self._facts.venues.index(venue), number)
            self._write(place, self._facts_of(paired, board, now))
        return self._scanner.scan_symbol(number, now.timestamp())

    def _write(self, place: tuple[int, int], known: InstrumentFacts) -> None:
        """Write one instrument into the arrays; numpy turns the Decimals into its floats."""
        arrays, nan = self._facts, Decimal("NaN")
        rate, book = known.funding, known.book
        arrays.carry_8h[place] = nan if known.carry_8h is None else known.carry_8h
        arrays.interval[place] = arrays.predicted_8h[place] = nan
        arrays.book_at[place] = arrays.rate_at[place] = arrays.next_funding[place] = -INFINITE
        if book is not None:
            arrays.book_at[place] = book.observed_at.timestamp()
            arrays.bid[place], arrays.ask[place] = book.bid, book.ask
            arrays.cost[place] = 2 * (known.taker_fee + known.slippage)
        if rate is not None and rate.interval_seconds and rate.next_funding_at is not None:
            arrays.rate_at[place] = rate.observed_at.timestamp()
            arrays.next_funding[place] = rate.next_funding_at.timestamp()
            arrays.interval[place] = rate.interval_seconds
            arrays.predicted_8h[place] = rate_8h(rate.funding_rate, rate.interval_seconds)

    def _facts_of(self, paired: Paired, board: Board, now: datetime) -> InstrumentFacts:
        return self._universe.facts(
            paired,
            board,
            taker_fee=self.standing.taker_fee(paired.key),
            half_life=self._parameters.carry_half_life,
            now=now,
        )

    def _least_unsound(self, base: str, board: Board, now: datetime) -> tuple[Paired, Paired]:
        """Return a pair to name where none is sound: the one with the freshest facts."""

        def heard_of(paired: Paired) -> int:
            facts = self._facts_of(paired, board, now)
            return (facts.book is not None) + (facts.funding is not None)

        pairs = permutations(self._pairs[base].values(), 2)
        return max(pairs, key=lambda pair: sum(heard_of(paired) for paired in pair))

    def _room(self, base: str, long: Paired, short: Paired) -> Decimal | Refusal:
        """Return the size in USD that limits and capital allow, before the books are asked."""
        venues = (long.instrument.venue, short.instrument.venue)
        bounds = self.standing.limits_left(base, venues)
        capital = self.standing.capital
        if all(venue in capital for venue in venues):
            legs = [self._leg(paired) for paired in (long, short)]
            bounds["the free capital"] = planned_usd(legs, self.standing.equity, self._parameters)
        bound_by, size = min(bounds.items(), key=lambda bound: bound[1])
        if size > 0:
            return size
        return Refusal(code="no_room", sentence=f"Nothing is left of {bound_by}.")

    def _leg(self, paired: Paired) -> LegCapacity:
        instrument, p = paired.instrument, self._parameters
        return LegCapacity(
            instrument=instrument,
            price=Decimal(1),
            leverage=min(p.leverage, p.leverage_cap, instrument.max_leverage),
            capital=self.standing.capital[instrument.venue],
            book_capacity=Decimal(0),
        )

    def _capacity(
        self,
        bought: InstrumentFacts,
        sold: InstrumentFacts,
        long_depth: Depth | None,
        short_depth: Depth | None,
    ) -> Decimal | None:
        if bought.book is None or sold.book is None:
            return None
        most = self._parameters.max_slippage
        return min(
            side_capacity(bought, long_depth, Side.BUY, most) * bought.book.mid,
            side_capacity(sold, short_depth, Side.SELL, most) * sold.book.mid,
        )

    def _refuse(
        self,
        base: str,
        counted: Candidate | Refusal,
        room: Decimal | Refusal,
        pair: tuple[Paired, Paired],
        now: datetime,
        trigger: EntryTrigger,
    ) -> Refusal | None:
        """Return the first reason against an entry: of the market first, then of the user."""
        if isinstance(counted, Refusal):
            return counted
        return (
            self.standing.refuse_pair(base, now)
            or STRATEGY.entry_gate(counted, parameters=self._parameters, now=now, trigger=trigger)
            or self.standing.refuse_venues(paired.instrument.venue for paired in pair)
            or (room if isinstance(room, Refusal) else None)
            or self.standing.refuse_entries()
        )
