"""All ordered pairs of instruments of every base in one vectorised pass.

The one package of the engine where floats are allowed: the scan ranks, `costs` and `funding`
decide in Decimal. A pair's return splits into what each leg brings as the long and as the short
one, plus what the price gap brings: most work is done once per instrument, and the pair costs six
operations. What changes is one instrument at a time, so `update` renews its row and its column.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from exchanges.domain import InstrumentKind
from trading.core.scan.facts import ALWAYS, NEVER, Floats, ScanFacts
from trading.core.scan.rules import PAIR_RULES
from trading.core.scan.settings import SECONDS_PER_8H, ScanSettings

# A block's buffers fit into the second-level cache; one pass over everything would not.
BLOCK = 250
HALF = np.array(0.5)
WHOLE = slice(None)
NO_COMPANIES: Mapping[str, str] = MappingProxyType({})


class Scanner:
    """Scans one set of facts; `net` [long, short, base] is -inf where nothing can be traded.

    `price` and `worth` [role, slot, base] are each instrument's mid and its return over the
    horizon, first as a short and then as a long leg; of a long leg the inverse of the mid. `age`
    is the part of its time to expiry for which a dated contract is held, else 0. `companies` names
    who runs a venue, where that is not the venue itself: within one company nothing is transferred.
    """

    def __init__(
        self,
        facts: ScanFacts,
        settings: ScanSettings,
        companies: Mapping[str, str] = NO_COMPANIES,
    ) -> None:
        self.facts, self.settings = facts, settings
        slots, bases = len(facts.slots), len(facts.bases)
        self.net: Floats = np.full((slots, slots, bases), NEVER)
        self.price: Floats = np.ones((2, slots, bases))
        self.worth: Floats = np.full((2, slots, bases), NEVER)
        self.age: Floats = np.zeros((slots, bases))
        self._later: Floats = np.zeros((slots, bases))
        kinds = [slot.kind for slot in facts.slots]
        self.covers = np.array(
            [[[rule.covers(one, two) for rule in PAIR_RULES] for two in kinds] for one in kinds]
        )
        """[long, short, rule]: which rules look at a pair of slots."""
        owners = np.array([companies.get(slot.venue, slot.venue) for slot in facts.slots])
        self.transfer = np.where(owners[:, None] != owners, settings.transfer_usd, 0.0)
        self._work: Floats = np.empty((8, slots, bases))
        # When what is known of an instrument ends to be true by the clock alone.
        self._until: Floats = np.full((slots, bases), ALWAYS)
        self._blocks = [slice(at, min(at + BLOCK, bases)) for at in range(0, bases, BLOCK)]
        self._is_dated = facts.is_dated
        spots = facts.of_kind(InstrumentKind.SPOT)
        self._perpetuals = facts.of_kind(InstrumentKind.PERPETUAL)
        self._futures = facts.of_kind(InstrumentKind.FUTURE)
        self._undated = slice(spots.start, self._perpetuals.stop)
        self._regions = [
            (self._undated, self._perpetuals),
            (self._perpetuals, spots),
        ]
        self._buffers: dict[tuple[int, ...], Floats] = {}
        self._own_price, self._own_worth = np.empty((2, 2, 1))
        self._credit, self._expected = np.empty((2, 2, slots))

    def scan_full(self, now: float) -> None:
        """Refresh every pair of every base; `now` is epoch seconds."""
        self._value(WHOLE, now)
        for block in self._blocks:
            self._pair(block, now)

    def update(self, slot: int, base: int, now: float) -> float:
        """Refresh one instrument; return the highest net return of the pairs it is part of."""
        if self._is_dated:
            column = slice(base, base + 1)
            self._value(column, now)
            self._pair(column, now)
            net = self.net[:, :, base]
            return float(max(net[slot].max(), net[:, slot].max()))
        if self._until[:, base].min() <= now:
            for other in range(len(self.facts.slots)):
                self._value_one(other, base, now)
                self._pair_one(other, base)
        self._value_one(slot, base, now)
        return self._pair_one(slot, base)

    def _value(self, bases: slice, now: float) -> None:
        """Value every instrument; what cannot be trusted is worth -inf in both roles."""
        settings, rows = self.settings, self.facts.rows[:, :, bases]
        book_at, rate_at, next_funding, interval, cost, carry, predicted = rows[:7]
        bid, ask, borrow, expires = rows[7:11]
        length, coming, later, count, more, steady, until, mid = self._work[:, :, bases]
        np.divide(interval, SECONDS_PER_8H, out=length)
        np.multiply(predicted, length, out=coming)
        if settings.beta is None:
            later[:] = coming
        else:
            np.multiply(carry, settings.beta, out=later)
            later *= length
        # Settlements in (now, now + horizon].
        np.subtract(now + settings.horizon, next_funding, out=count)
        count /= interval
        np.floor(count, out=count)
        count += 1
        np.maximum(count, 0, out=count)
        # The coming one uses its predicted rate only where that lowers the result.
        np.subtract(coming, later, out=more)
        more *= np.minimum(count, 1, out=coming)
        np.multiply(count, later, out=steady)
        np.add(book_at, settings.max_book_age, out=until)
        np.minimum(until, np.add(rate_at, settings.max_rate_age, out=coming), out=until)
        np.minimum(until, next_funding, out=until)
        if self._is_dated:
            np.minimum(until, expires - settings.expiry_lead - settings.horizon, out=until)
            self.age[:, bases] = settings.horizon / (expires - now)
            self._later[:, bases] = later / length
        lost = (until <= now) | ~(ask > bid)
        np.add(bid, ask, out=mid)
        mid *= 0.5
        np.copyto(mid, 1.0, where=lost)
        self.price[0, :, bases] = mid
        np.divide(1.0, mid, out=self.price[1, :, bases])
        short, long = self.worth[:, :, bases]
        np.multiply(borrow, settings.hours_begun, out=short)
        short += cost
        np.subtract(steady, short, out=short)
        short += np.minimum(more, 0, out=coming)
        np.maximum(more, 0, out=long)
        long += steady
        long += cost
        np.negative(long, out=long)
        for worth in (short, long):
            # What is NaN, of a fact that nobody knows, is not above anything.
            np.copyto(worth, NEVER, where=lost | ~(worth > NEVER))
        # The count of settlements grows.
        count *= interval
        count += next_funding
        count -= settings.horizon
        np.fmin(until, count, out=self._until[:, bases])
        np.copyto(self._until[:, bases], ALWAYS, where=lost)

    def _pair(self, block: slice, now: float) -> None:
        for long, short in self._regions:
            net = self.net[long, short, block]
            if net.size:
                credit, scratch = self._buffer(net.shape)
                self._gaps(long, short, block, credit)
                np.subtract(credit, self.facts.exit_ratio[long, short, block], credit)
                self._credited(credit, scratch)
                np.add(credit, self.worth[1, long, None, block], credit)
                np.add(credit, self.worth[0, None, short, block], net)
        if self._is_dated:
            perpetuals, futures = self._perpetuals, self._futures
            for long, short in (perpetuals, futures), (futures, perpetuals), (futures, futures):
                self._pair_dated(long, short, block, now)

    # Where a base has no second expiry, the span between them is no number, and says nothing.
    @np.errstate(invalid="ignore")
    def _pair_dated(self, long: slice, short: slice, block: slice, now: float) -> None:
        """Pair contracts of which one or both end: what the calendar spread may count.

        Against a perpetual the gap ages, and the part for which it is held is earned whole. What is
        left should then be worth the time that is left.
        """
        facts, net = self.facts, self.net[long, short, block]
        credit, scratch = self._buffer(net.shape)
        self._gaps(long, short, block, credit)
        left = (facts.expires[:, block] - now - self.settings.horizon) / SECONDS_PER_8H
        fair: Floats
        aged: Floats | float
        if long == short:
            fair, span, aged = facts.fair_8h[block], left[None, short] - left[long, None], 0.0
        elif short == self._futures:
            fair, span = self._later[long, None, block], left[None, short]
            aged = (credit - 1) * self.age[None, short, block]
        else:
            fair, span = self._later[None, short, block], -left[long, None]
            aged = (1 - 1 / credit) * self.age[long, None, block]
        credit -= 1
        credit -= aged
        credit -= fair * span
        self._credited(credit, scratch)
        credit += aged
        np.add(credit, self.worth[1, long, None, block], credit)
        np.add(credit, self.worth[0, None, short, block], net)
        # Of what is not known and of contracts that end together nothing can be said.
        net[~(net > NEVER) | (span == 0)] = NEVER

    def _gaps(self, long: slice, short: slice, block: slice, ratio: Floats) -> None:
        """Fill the price of the short leg per long leg."""
        np.multiply(self.price[1, long, None, block], self.price[0, None, short, block], ratio)

    @staticmethod
    def _credited(credit: Floats, scratch: Floats) -> None:
        """Count a gain from the closing price gap half, a loss whole."""
        np.multiply(credit, HALF, scratch)
        np.minimum(credit, scratch, out=credit)

    def _buffer(self, shape: tuple[int, ...]) -> Floats:
        if shape not in self._buffers:
            self._buffers[shape] = np.empty((2, *shape))
        return self._buffers[shape]

    def _pair_one(self, slot: int, base: int) -> float:
        """Fill the row and the column of the instrument that was valued last."""
        expected, credit = self._expected, self._credit
        exit_ratio, net = self.facts.exit_ratio, self.net[:, :, base]
        expected[0], expected[1] = exit_ratio[slot, :, base], exit_ratio[:, slot, base]
        np.multiply(self.price[:, :, base], self._own_price, credit)
        np.subtract(credit, expected, credit)
        np.multiply(credit, HALF, expected)
        np.minimum(credit, expected, out=credit)
        np.add(credit, self.worth[:, :, base], credit)
        np.add(credit, self._own_worth, credit)
        net[slot], net[:, slot] = credit
        return float(credit.max())

    def _value_one(self, slot: int, base: int, now: float) -> None:
        """Value one undated instrument as `_value` does: arrays of one element cost more."""
        settings = self.settings
        facts = self.facts.rows[:10, slot, base].tolist()
        book_at, rate_at, next_funding, interval, cost, carry, predicted, bid, ask, borrow = facts
        mid, long, short, until = 1.0, NEVER, NEVER, ALWAYS
        known = min(book_at + settings.max_book_age, rate_at + settings.max_rate_age, next_funding)
        if known > now and ask > bid:
            mid, until = (bid + ask) * 0.5, known
            length = interval / SECONDS_PER_8H
            coming = predicted * length
            later = coming if settings.beta is None else carry * settings.beta * length
            count, more = 0.0, 0.0
            if now + settings.horizon >= next_funding:
                count = (now + settings.horizon - next_funding) // interval + 1
                more = coming - later
                until = min(until, next_funding + count * interval - settings.horizon)
            # NaN, of a fact that nobody knows, ends in NaN and fails the comparison below.
            steady = count * later
            short = min(more, 0.0) + steady - (cost + borrow * settings.hours_begun)
            long = -(max(more, 0.0) + steady + cost)
        self._until[slot, base] = until
        self.price[0, slot, base] = self._own_price[1, 0] = mid
        self.price[1, slot, base] = self._own_price[0, 0] = 1 / mid
        self.worth[0, slot, base] = self._own_worth[1, 0] = short if short > NEVER else NEVER
        self.worth[1, slot, base] = self._own_worth[0, 0] = long if long > NEVER else NEVER
