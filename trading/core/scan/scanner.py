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
from trading.core.scan.facts import NEVER, Floats, ScanFacts
from trading.core.scan.rules import PAIR_RULES
from trading.core.scan.settings import SECONDS_PER_8H, ScanSettings
from trading.core.scan.valuation import LONG, SHORT, WHOLE, Along, Valuation

# A block's buffers fit into the second-level cache; one pass over everything would not.
BLOCK = 250
HALF = np.array(0.5)
# The axes of [long, short, base] along which the long and the short legs stand.
AS_LONG: Along = (WHOLE, None, WHOLE)
AS_SHORT: Along = (None, WHOLE, WHOLE)
NO_COMPANIES: Mapping[str, str] = MappingProxyType({})


class Scanner:
    """Scans one set of facts; `net` [long, short, base] is -inf where nothing can be traded.

    `companies` names who runs a venue, where that is not the venue itself: within one company
    nothing is transferred.
    """

    def __init__(
        self,
        facts: ScanFacts,
        settings: ScanSettings,
        companies: Mapping[str, str] = NO_COMPANIES,
    ) -> None:
        self.facts, self.settings = facts, settings
        self.values = Valuation(facts, settings)
        self.price, self.worth = self.values.price, self.values.worth
        slots, bases = len(facts.slots), len(facts.bases)
        self.net: Floats = np.full((slots, slots, bases), NEVER)
        kinds = [slot.kind for slot in facts.slots]
        self.covers = np.array(
            [[[rule.covers(one, two) for rule in PAIR_RULES] for two in kinds] for one in kinds]
        )
        """[long, short, rule]: which rules look at a pair of slots."""
        owners = np.array([companies.get(slot.venue, slot.venue) for slot in facts.slots])
        self.transfer = np.where(owners[:, None] != owners, settings.transfer_usd, 0.0)
        self._blocks = [slice(at, min(at + BLOCK, bases)) for at in range(0, bases, BLOCK)]
        spots = facts.of_kind(InstrumentKind.SPOT)
        self._perpetuals = facts.of_kind(InstrumentKind.PERPETUAL)
        self._futures = facts.of_kind(InstrumentKind.FUTURE)
        self._regions = [
            (slice(spots.start, self._perpetuals.stop), self._perpetuals),
            (self._perpetuals, spots),
        ]
        self._buffers: dict[tuple[int, ...], Floats] = {}
        self._credit, self._expected = np.empty((2, 2, slots))

    def scan_full(self, now: float) -> None:
        """Refresh every pair of every base; `now` is epoch seconds."""
        self.values.value(WHOLE, now)
        for block in self._blocks:
            self._pair(block)

    def update(self, slot: int, base: int, now: float) -> float:
        """Refresh one instrument; return the highest net return of the pairs it is part of."""
        if self.facts.is_dated:
            column = slice(base, base + 1)
            self.values.value(column, now)
            self._pair(column)
            net = self.net[:, :, base]
            return float(max(net[slot].max(), net[:, slot].max()))
        if self.values.until[:, base].min() <= now:
            for other in range(len(self.facts.slots)):
                self.values.value_one(other, base, now)
                self._pair_one(other, base)
        self.values.value_one(slot, base, now)
        return self._pair_one(slot, base)

    def _pair(self, block: slice) -> None:
        for long, short in self._regions:
            net = self.net[long, short, block]
            if net.size:
                credit, scratch = self._buffer(net.shape)
                self._gaps(long, short, block, credit)
                np.subtract(credit, self.facts.exit_ratio[long, short, block], credit)
                self._credited(credit, scratch)
                np.add(credit, self.worth[1, long, None, block], credit)
                np.add(credit, self.worth[0, None, short, block], net)
        if self.facts.is_dated:
            self._pair_expiries(block)
            self._pair_dated(LONG, block)
            self._pair_dated(SHORT, block)

    # Where a base has no second expiry, the span between them is no number, and says nothing.
    @np.errstate(invalid="ignore")
    def _pair_expiries(self, block: slice) -> None:
        """Pair contracts that both end: the gap should be worth the time between their ends."""
        futures, net = self._futures, self.net[self._futures, self._futures, block]
        credit, scratch = self._buffer(net.shape)
        self._gaps(futures, futures, block, credit)
        left = self.values.left[futures, block] / SECONDS_PER_8H
        span = left[None] - left[:, None]
        credit -= 1
        credit -= self.facts.fair_8h[block] * span
        self._credited(credit, scratch)
        np.add(credit, self.worth[1, futures, None, block], credit)
        np.add(credit, self.worth[0, None, futures, block], net)
        # Of what is not known and of contracts that end together nothing can be said.
        net[~(net > NEVER) | (span == 0)] = NEVER

    @np.errstate(invalid="ignore")
    def _pair_dated(self, role: int, block: slice) -> None:
        """Pair perpetuals, in the given role, with contracts that end.

        The gap ages, and the part for which it is held is earned whole. What is left should then
        be worth the time that is left. Both legs are left before the one that ends.
        """
        values, perpetuals, futures = self.values, self._perpetuals, self._futures
        hold, left = values.hold[futures, block], values.left[futures, block]
        if role == LONG:
            long, short, flat, dated = perpetuals, futures, AS_LONG, AS_SHORT
        else:
            long, short, flat, dated = futures, perpetuals, AS_SHORT, AS_LONG
        net = self.net[long, short, block]
        credit, scratch = self._buffer(net.shape)
        self._gaps(long, short, block, credit)
        held = hold[dated]
        aged = (credit - 1 if role == LONG else 1 - 1 / credit) * (hold / left)[dated]
        span = (left - hold)[dated] / SECONDS_PER_8H
        fair = values.expected_8h(perpetuals, block, flat, held)
        credit -= 1
        credit -= aged
        credit -= fair * (span if role == LONG else -span)
        self._credited(credit, scratch)
        credit += aged
        credit += values.worth_within(role, perpetuals, block, flat, held)
        np.add(credit, self.worth[1 - role, futures, block][dated], net)
        net[~(net > NEVER)] = NEVER

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
        np.multiply(self.price[:, :, base], self.values.own_price, credit)
        np.subtract(credit, expected, credit)
        np.multiply(credit, HALF, expected)
        np.minimum(credit, expected, out=credit)
        np.add(credit, self.worth[:, :, base], credit)
        np.add(credit, self.values.own_worth, credit)
        net[slot], net[:, slot] = credit
        return float(credit.max())
