"""What a scan knows: one column of numbers per fact, aligned arrays [slot, base].

A slot is a kind of instrument at a venue, such as the perpetual at Bybit or the second expiry at
OKX; a base that is not listed there leaves it empty. Times are epoch seconds, money is USD.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from exchanges.domain import InstrumentKind

Floats = NDArray[np.float64]

KINDS = (InstrumentKind.SPOT, InstrumentKind.PERPETUAL, InstrumentKind.FUTURE)
COLUMNS = (
    "book_at",
    "rate_at",
    "next_funding",
    "interval",
    "cost",
    "carry_8h",
    "predicted_8h",
    "bid",
    "ask",
    "borrow",
    "expires",
    "impact",
    "room",
)
NEVER, ALWAYS = -np.inf, np.inf
# A fact that never came is infinitely old, so that one comparison finds it.
UNKNOWN = np.array([NEVER] * 3 + [np.nan] * 7 + [ALWAYS, 0.0, ALWAYS])
_S, _P, _F = KINDS
# What strategies hold against each other, long first.
PAIRED_KINDS = {(_S, _P), (_P, _P), (_P, _S), (_P, _F), (_F, _P), (_F, _F)}


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """A place for one instrument of each base. `expiry` counts the dated futures of a venue."""

    venue: str
    kind: InstrumentKind
    expiry: int = 0


class ScanFacts:
    """Facts of every instrument, written by whoever learns them.

    `cost` is a leg's round trip at the touch, `impact` what each USD of size adds to it, `room`
    the USD it can take. `carry_8h` is the settled average before beta; an unknown interval is NaN.
    `borrow` is a fraction per hour, 0 for contracts, NaN where nothing can be borrowed.
    What pays no funding has `rate_at` and `next_funding` ALWAYS, what never expires `expires`.
    `exit_ratio` [long, short, base] is the price of the short leg per long leg expected at exit,
    infinite where two slots make no pair. `fair_8h` [base] is what carrying it is worth per 8 h by
    the median of its expiries.
    """

    def __init__(self, slots: Iterable[Slot], bases: Sequence[str]) -> None:
        self.slots = tuple(sorted(slots, key=lambda slot: (KINDS.index(slot.kind), slot)))
        self.bases = tuple(bases)
        self.is_dated = any(slot.kind is InstrumentKind.FUTURE for slot in self.slots)
        shape = (len(self.slots), len(self.bases))
        self.rows: Floats = np.empty((len(COLUMNS), *shape))
        self.rows[:] = UNKNOWN[:, None, None]
        self.book_at, self.rate_at, self.next_funding, self.interval, self.cost = self.rows[:5]
        self.carry_8h, self.predicted_8h, self.bid, self.ask, self.borrow = self.rows[5:10]
        self.expires, self.impact, self.room = self.rows[10:]
        self.fair_8h: Floats = np.full(len(self.bases), np.nan)
        self.exit_ratio: Floats = np.ones((shape[0], *shape))
        itself = np.arange(shape[0])
        self.exit_ratio[itself, itself] = ALWAYS
        for long, short in product(KINDS, KINDS):
            if (long, short) not in PAIRED_KINDS:
                self.exit_ratio[self.of_kind(long), self.of_kind(short)] = ALWAYS

    def expect(self, base: int, slots: Sequence[int], ratios: Floats) -> None:
        """Take over the exit ratios [long, short] of some slots; what makes no pair stays so."""
        place = np.ix_(slots, slots, [base])
        pairs = np.isfinite(self.exit_ratio[place])
        self.exit_ratio[place] = np.where(pairs, ratios[:, :, None], ALWAYS)

    def of_kind(self, kind: InstrumentKind) -> slice:
        """Return the slots of a kind: they stand together."""
        before = sum(KINDS.index(slot.kind) < KINDS.index(kind) for slot in self.slots)
        return slice(before, before + sum(slot.kind is kind for slot in self.slots))

    def of_kinds(self, kinds: Collection[InstrumentKind]) -> slice:
        """Return the slots of neighbouring kinds. Raise ValueError where another stands between."""
        places = [place for place, slot in enumerate(self.slots) if slot.kind in kinds]
        if not places:
            return slice(0, 0)
        if places[-1] - places[0] >= len(places):
            raise ValueError(f"{sorted(kinds)} do not stand together")
        return slice(places[0], places[-1] + 1)
