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

# So many pairs at a time leave the buffers in the second-level cache.
PAIRS_AT_ONCE = 25_000
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
        spots = facts.of_kind(InstrumentKind.SPOT)
        self._perpetuals = facts.of_kind(InstrumentKind.PERPETUAL)
        self._futures = facts.of_kind(InstrumentKind.FUTURE)
        undated = slice(spots.start, self._perpetuals.stop)
        self._regions = [
            (rows, short)
            for long, short in ((undated, self._perpetuals), (self._perpetuals, spots))
            for rows in _rows(long, (short.stop - short.start) * bases)
        ]
        self._buffers: dict[tuple[int, ...], Floats] = {}
        self._credit, self._expected = np.empty((2, 2, slots))

    def scan_full(self, now: float) -> None:
        """Refresh every pair of every base; `now` is epoch seconds."""
        self.values.value(WHOLE, now)
        self._pair(WHOLE)

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

    def _pair(self, bases: slice) -> None:
        for long, short in self._regions:
            net = self.net[long, short, bases]
            if net.size:
                credit, scratch = self._buffer(net.shape)
                self._gaps(long, short, bases, credit)
                np.subtract(credit, self.facts.exit_ratio[long, short, bases], credit)
                self._credited(credit, scratch)
                np.add(credit, self.worth[1, long, None, bases], credit)
                np.add(credit, self.worth[0, None, short, bases], net)
        if self.facts.is_dated:
            self._pair_expiries(bases)
            self._pair_dated(bases)

    # Where a base has no second expiry, the span between them is no number, and says nothing.
    @np.errstate(invalid="ignore")
    def _pair_expiries(self, bases: slice) -> None:
        """Pair contracts that both end: the gap should be worth the time between their ends."""
        futures, net = self._futures, self.net[self._futures, self._futures, bases]
        credit, scratch = self._buffer(net.shape)
        self._gaps(futures, futures, bases, credit)
        left = self.values.left[futures, bases] / SECONDS_PER_8H
        span = left[None] - left[:, None]
        credit -= 1
        credit -= self.facts.fair_8h[bases] * span
        self._credited(credit, scratch)
        np.add(credit, self.worth[LONG, futures, None, bases], credit)
        np.add(credit, self.worth[SHORT, None, futures, bases], net)
        # Of what is not known and of contracts that end together nothing can be said.
        np.copyto(net, NEVER, where=~(net > NEVER) | (span == 0))

    @np.errstate(invalid="ignore")
    def _pair_dated(self, bases: slice) -> None:
        """Pair perpetuals, on either side, with contracts that end.

        The gap ages, and the part for which it is held is earned whole. What is left should then
        be worth the time that is left. Both legs are left before the one that ends.
        """
        flat, dated, values = self._perpetuals, self._futures, self.values
        hold, left = values.hold[dated, bases], values.left[dated, bases]
        held = values.within(flat, bases, AS_LONG, hold[AS_SHORT])
        credit, scratch = self._buffer(self.net[flat, dated, bases].shape)
        self._gaps(flat, dated, bases, credit)
        credit -= 1
        aged = credit * (hold / left)
        fair = held.rate_8h * ((left - hold) / SECONDS_PER_8H)
        fair += aged
        credit -= fair
        self._credited(credit, scratch)
        credit += aged
        credit += held.long
        credit += self.worth[SHORT, dated, bases]
        self._store(credit, self.net[flat, dated, bases])
        # The other way round the same is lost, but of the price of the dated leg.
        np.multiply(self.price[0, flat, None, bases], self.price[1, None, dated, bases], credit)
        credit -= 1
        credit += fair
        self._credited(credit, scratch)
        credit -= aged
        credit += held.short
        credit += self.worth[LONG, dated, bases]
        self._store(credit, self.net[dated, flat, bases].swapaxes(0, 1))

    @staticmethod
    def _store(credit: Floats, net: Floats) -> None:
        """Take over what was counted; of what is not known nothing can be said."""
        np.copyto(net, NEVER)
        np.copyto(net, credit, where=credit > NEVER)

    def _gaps(self, long: slice, short: slice, bases: slice, ratio: Floats) -> None:
        """Fill the price of the short leg per long leg."""
        np.multiply(self.price[1, long, None, bases], self.price[0, None, short, bases], ratio)

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


def _rows(longs: slice, shorts: int) -> list[slice]:
    """Return the long slots in parts, each with at most `PAIRS_AT_ONCE` pairs if it can."""
    step = max(PAIRS_AT_ONCE // max(shorts, 1), 1)
    starts = range(longs.start, longs.stop, step)
    return [slice(start, min(start + step, longs.stop)) for start in starts]
