"""One vectorised pass for all users who assume the same of holding a position.

It reckons with the lowest fee that any of them pays; what a user pays beyond, the user's limits and
thresholds are matched against what it finds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from exchanges import selectors
from exchanges.assumed_loans import AssumedLoans, assumed_rate
from exchanges.board import Board, Key, Row
from exchanges.domain import Depth, InstrumentKind, Side
from trading.core.costs import book_capacity
from trading.core.funding import rate_8h
from trading.core.scan.bundles import Bundle, BundleLeg, bundle_candidates
from trading.core.scan.candidates import Candidates, candidates
from trading.core.scan.facts import ALWAYS, NEVER, UNKNOWN, ScanFacts, Slot
from trading.core.scan.matching import Wish, Wishes, best_row, gather, who_wants
from trading.core.scan.scanner import Scanner
from trading.core.scan.settings import ScanSettings
from trading.services.depth_facts import levels_of, walked
from trading.services.standing import Standing
from trading.services.universe import Paired, Universe
from trading.strategies.base import InstrumentFacts, Strategy
from trading.strategies.registry import STRATEGIES

NAN, INFINITE = Decimal("NaN"), Decimal("Infinity")
MOST_FOUND = 256
BUNDLES = {
    key: Bundle.of(
        key, (BundleLeg(side=leg.side, kinds=leg.kinds, ratio=leg.ratio) for leg in strategy.shape)
    )
    for key, strategy in STRATEGIES.items()
    if len(strategy.shape) > 2
}
Stamp = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a base stands: its scanner and its column there."""

    scanner: Scanner
    base: int


class SharedScan:
    """The arrays of one set of assumptions; asked on one thread."""

    def __init__(
        self,
        universe: Universe,
        settings: ScanSettings,
        fees: Mapping[Key, Decimal],
        loans: Mapping[str, AssumedLoans],
    ) -> None:
        self.settings, self.fees, self._loans = settings, fees, loans
        self._universe, self._by_base = universe, universe.by_base
        self._half_life = timedelta(seconds=settings.half_life)
        self._written: dict[Key, Stamp] = {}
        self._places: dict[str, _Place] = {}
        self.scanners: list[Scanner] = []
        is_dated = {
            base: any(slot.kind is InstrumentKind.FUTURE for slot in slots)
            for base, slots in self._by_base.items()
        }
        for dated in (False, True):
            self._add([base for base, has in is_dated.items() if has is dated])
        self._expect_usual_gaps()

    def fits(self, universe: Universe, fees: Mapping[Key, Decimal]) -> bool:
        """Tell whether the arrays belong to these instruments and fees."""
        return universe is self._universe and fees == self.fees

    def renew(self, base: str, board: Board, depths: Mapping[Key, Depth], now: datetime) -> float:
        """Take over what changed of a base; return the highest return of a pair that changed."""
        place, best = self._places.get(base), NEVER
        if place is None:
            return best
        for slot, paired in self._by_base[base].items():
            row, depth = board.row(*paired.key), depths.get(paired.key)
            stamp = self._stamp(paired, row, depth, now)
            if self._written.get(paired.key) == stamp:
                continue
            self._written[paired.key] = stamp
            at = place.scanner.facts.slots.index(slot)
            known = self._facts_of(paired, board, now)
            self._write(place, at, known, depth, self._kept(paired))
            if slot.kind is InstrumentKind.FUTURE:
                fair = self._universe.fair_carry_8h(paired, board)
                place.scanner.facts.fair_8h[place.base] = NAN if fair is None else fair
            best = max(best, place.scanner.update(at, place.base, now.timestamp()))
        return best

    def refresh(self, now: datetime) -> None:
        """Let the clock count for what nothing was heard of, and a new hour for usual gaps."""
        if self._universe.usual_ratios is not self._ratios:
            self._expect_usual_gaps()
        for scanner in self.scanners:
            scanner.scan_full(now.timestamp())

    def gathered(self, wishes: Sequence[Wish]) -> list[Wishes]:
        """Return wishes as columns, once for the arrays of each scanner."""
        return [gather(scanner.facts, wishes) for scanner in self.scanners]

    def who_wants(self, base: str, gathered: Sequence[Wishes]) -> list[int]:
        """Return which of the gathered wishes something of a base fulfils, by their number."""
        place = self._places.get(base)
        if place is None:
            return []
        wishes = gathered[self.scanners.index(place.scanner)]
        bundles = [one for one in BUNDLES.values() if one.fits(place.scanner.facts)]
        return who_wants(place.scanner, place.base, wishes, limit=MOST_FOUND, bundles=bundles)

    def pair_for(self, strategy: Strategy, base: str, wish: Wish) -> tuple[Slot, ...] | None:
        """Return the slots that rank highest for a strategy: of those that suit the wish, else of
        those for which there is room, else of all; None where no combination can be trusted.
        """
        place = self._places[base]
        slots = place.scanner.facts.slots
        found = self._found(strategy, place, wish.base_room.get(base, INFINITE))
        if not len(found):
            return None
        row = best_row(found, gather(place.scanner.facts, [wish]), wish.ranking)
        chosen = tuple(slots[leg[row]] for leg in found.legs)
        is_turned = len(chosen) == 2 and strategy.shape[0].side is Side.SELL
        return chosen[::-1] if is_turned else chosen

    @staticmethod
    def _found(strategy: Strategy, place: _Place, most_usd: Decimal) -> Candidates:
        """Return all that a strategy could hold of a base."""
        scanner, every = place.scanner, len(place.scanner.facts.slots) ** len(strategy.shape)
        bundle = BUNDLES.get(strategy.key)
        if bundle is not None:
            return bundle_candidates(
                scanner,
                bundle,
                least_net=-INFINITE,
                limit=every,
                most_usd=most_usd,
                base=place.base,
            )
        return candidates(
            scanner, least_net=-INFINITE, limit=every, most_usd=most_usd, base=place.base
        ).of_strategy(strategy.key)

    def _expect_usual_gaps(self) -> None:
        self._ratios = self._universe.usual_ratios
        for base, (slots, ratios) in self._ratios.items():
            place = self._places.get(base)
            if place is not None:
                facts = place.scanner.facts
                facts.expect(place.base, [facts.slots.index(slot) for slot in slots], ratios)

    def _add(self, bases: Sequence[str]) -> None:
        """Build arrays for bases that list the same kinds."""
        if not bases:
            return
        slots = {slot for base in bases for slot in self._by_base[base]}
        companies = {slot.venue: selectors.company(slot.venue) for slot in slots}
        scanner = Scanner(ScanFacts(slots, bases), self.settings, companies)
        self.scanners.append(scanner)
        for number, base in enumerate(bases):
            self._places[base] = _Place(scanner, number)

    def _stamp(self, paired: Paired, row: Row | None, depth: Depth | None, now: datetime) -> Stamp:
        known = (row.book, row.funding) if row is not None else (None, None)
        carry = self._universe.carry(paired, self._half_life, now)
        kept = self._kept(paired)
        held = self._universe.open_interest(paired)
        return (*known, depth.observed_at if depth is not None else None, carry, kept, held)

    def _facts_of(self, paired: Paired, board: Board, now: datetime) -> InstrumentFacts:
        return self._universe.facts(
            paired,
            board,
            taker_fee=self.fees[paired.key],
            half_life=self._half_life,
            now=now,
            assumed_loan=assumed_rate(self._loans, paired.instrument),
        )

    def _kept(self, paired: Paired) -> Decimal:
        """Return what part of the configured beta an instrument's pairs usually keep; 1 unfitted.

        The pass multiplies by one beta for all: this makes it the instrument's own.
        """
        horizon, beta = timedelta(seconds=self.settings.horizon), self.settings.beta
        if not beta or self.settings.is_premium:
            return Decimal(1)
        usual = self._universe.usual_beta(paired, self._half_life, horizon)
        return Decimal(1) if usual is None else usual / Decimal(str(beta))

    def _write(
        self,
        place: _Place,
        at: int,
        known: InstrumentFacts,
        depth: Depth | None,
        kept: Decimal,
    ) -> None:
        """Write one instrument into the arrays; numpy turns the Decimals into its floats."""
        facts, spot = place.scanner.facts, (at, place.base)
        facts.rows[:, at, place.base] = UNKNOWN
        rate, book = known.funding, known.book
        if book is not None:
            facts.book_at[spot] = book.observed_at.timestamp()
            facts.bid[spot], facts.ask[spot] = book.bid, book.ask
            facts.cost[spot] = 2 * (known.taker_fee + known.slippage)
            facts.room[spot], facts.impact[spot] = self._depth(known, depth)
        facts.borrow[spot] = 0
        if known.instrument.kind is not InstrumentKind.PERPETUAL:
            facts.rate_at[spot] = facts.next_funding[spot] = ALWAYS
            facts.interval[spot], facts.carry_8h[spot], facts.predicted_8h[spot] = 3_600, 0, 0
        elif rate is not None and rate.interval_seconds and rate.next_funding_at is not None:
            facts.rate_at[spot] = rate.observed_at.timestamp()
            facts.next_funding[spot] = rate.next_funding_at.timestamp()
            facts.interval[spot] = rate.interval_seconds
            facts.predicted_8h[spot] = rate_8h(rate.funding_rate, rate.interval_seconds)
            facts.carry_8h[spot] = kept * self._carry(known, rate.interval_seconds)
        if known.instrument.kind is InstrumentKind.SPOT:
            borrow = known.borrow_rate_per_hour
            facts.borrow[spot] = NAN if borrow is None else borrow
        if known.instrument.expires_at is not None:
            facts.expires[spot] = known.instrument.expires_at.timestamp()

    def _carry(self, known: InstrumentFacts, interval_seconds: int) -> Decimal:
        """Return what later settlements are expected at per 8 h, before beta."""
        if not self.settings.is_premium:
            return NAN if known.carry_8h is None else known.carry_8h
        premium = known.premium_rate
        return NAN if premium is None else rate_8h(premium, interval_seconds)

    def _depth(self, known: InstrumentFacts, depth: Depth | None) -> tuple[Decimal, Decimal]:
        """Return the USD that the thinner side takes, and what each of them adds to a round trip.

        A round trip takes either side once, whichever the leg opens with.
        Of an unread book nothing is known but its touch. Neither takes more than the venue's open
        interest allows.
        """
        assert known.book is not None  # noqa: S101  (checked by the caller)
        mid = known.book.mid
        allowed = INFINITE if known.interest_room is None else known.interest_room * mid
        if depth is None:
            touch = min(known.book.bid_quantity, known.book.ask_quantity) * mid
            return min(touch, allowed), Decimal(0)
        most = Decimal(str(self.settings.max_slippage))
        sides = [levels_of(depth, side) for side in Side]
        room = min(allowed, *(book_capacity(levels, mid, most) * mid for levels in sides))
        if room <= 0:
            return Decimal(0), Decimal(0)
        beyond = [max(walked(levels, room, mid) - known.slippage, Decimal(0)) for levels in sides]
        return room, sum(beyond, Decimal(0)) / room


def lowest_fees(universe: Universe, standings: Sequence[Standing]) -> dict[Key, Decimal]:
    """Return the lowest fee that any of the users pays for each instrument."""
    return {
        paired.key: min(one.least_fee(paired.key, slot.kind) for one in standings)
        for slots in universe.by_base.values()
        for slot, paired in slots.items()
    }
