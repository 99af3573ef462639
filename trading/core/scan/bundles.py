"""Positions of three and more legs: every combination of one base's instruments at once.

Few bases list all the kinds that such a position needs, so each is counted by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce

import numpy as np

from exchanges.domain import InstrumentKind, Side
from trading.core.scan.facts import ALWAYS, NEVER, Floats, ScanFacts, Slot
from trading.core.scan.rules import SPOT
from trading.core.scan.scanner import Scanner
from trading.core.scan.valuation import LONG, SHORT, WHOLE, Along


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleLeg:
    side: Side
    kinds: frozenset[InstrumentKind]
    ratio: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """The best combination, in the order of its shape. `net_return` is before impact of size."""

    slots: tuple[Slot, ...]
    net_return: float


def best_bundle(
    scanner: Scanner, base: int, shape: Sequence[BundleLeg], among: Collection[Slot] | None = None
) -> Bundle | None:
    """Return the combination with the highest net return; None where none can be trusted."""
    return best_bundles(scanner, shape, slice(base, base + 1), among)[0]


def best_bundles(
    scanner: Scanner,
    shape: Sequence[BundleLeg],
    bases: slice = WHOLE,
    among: Collection[Slot] | None = None,
) -> list[Bundle | None]:
    """Return the best combination of each base, with `among` of these slots alone."""
    slots, width = scanner.facts.slots, len(range(*bases.indices(len(scanner.facts.bases))))
    legs = [_Leg(scanner, leg, _along(len(shape), axis), bases) for axis, leg in enumerate(shape)]
    if not all(leg.price.size for leg in legs):
        return [None] * width
    hold = reduce(np.minimum, [leg.hold for leg in legs])
    credit, aged = _gap_credit(scanner.facts, legs, hold)
    # The smallest first: only the last of them is added to every combination.
    rest = sorted([*aged, *(leg.worth_within(hold) for leg in legs)], key=np.size)
    net = credit
    net += reduce(np.add, rest)
    if among is not None:
        for leg in legs:
            net += leg.only(slots, among)
    # Base by base, so that the maximum is looked for in one run of memory.
    flat = np.ascontiguousarray(net.reshape(-1, width).T)
    best = flat.argmax(axis=1)
    values = flat[np.arange(width), best].tolist()
    chosen = np.transpose(np.unravel_index(best, net.shape[:-1])).tolist()
    return [_named(slots, legs, *found) for found in zip(chosen, values, strict=True)]


class _Leg:
    """One leg's instruments along their own axis, bases along the last."""

    def __init__(self, scanner: Scanner, leg: BundleLeg, along: Along, bases: slice) -> None:
        self.places = scanner.facts.of_kinds(leg.kinds)
        self._values, self._along, self._bases = scanner.values, along, bases
        self.kinds, self.is_long, self.part = leg.kinds, leg.side is Side.BUY, float(leg.ratio)
        self.is_dated = InstrumentKind.FUTURE in leg.kinds
        self.price = self.part * scanner.price[0, self.places, bases][along]
        self.left = scanner.values.left[self.places, bases][along]
        # Undated legs are held as long as the others.
        own = scanner.values.hold[self.places, bases][along]
        self.hold = own if self.is_dated else np.array(scanner.settings.horizon)

    def worth_within(self, hold: Floats) -> Floats:
        """Return what it brings, funding and loans for as long as the combination is held."""
        role, values = LONG if self.is_long else SHORT, self._values
        if self.is_dated or (self.is_long and self.kinds == SPOT):
            return self.part * values.worth[role, self.places, self._bases][self._along]
        held = values.within(self.places, self._bases, self._along, hold)
        return self.part * (held.long if self.is_long else held.short)

    def only(self, slots: Sequence[Slot], among: Collection[Slot]) -> Floats:
        """Return 0 for each of these slots and -inf for the others."""
        allowed = [0.0 if slot in among else NEVER for slot in slots[self.places]]
        return np.array(allowed)[:, None][self._along]

    def exit_ratio(self, short: _Leg, facts: ScanFacts) -> Floats:
        """Return the price of a short leg per this long one that is expected at exit."""
        ratio = facts.exit_ratio[self.places, short.places, self._bases]
        if self._along.index(WHOLE) > short._along.index(WHOLE):
            ratio = ratio.swapaxes(0, 1)
        others = zip(self._along, short._along, strict=True)
        return np.expand_dims(ratio, [at for at, axes in enumerate(others) if axes == (None, None)])


def _gap_credit(
    facts: ScanFacts, legs: Sequence[_Leg], hold: Floats
) -> tuple[Floats, list[Floats]]:
    """Return what the gap is counted for, half a gain, a whole loss, and what of it ages.

    Dated legs age against spot, else the perpetual, as `basis.dated_gap` has it.
    """
    reference = _reference(legs)
    credit = _side_price(legs, is_long=False) * (1 / _side_price(legs, is_long=True))
    aged = []
    still: Floats | float = 1.0
    for leg in legs:
        if leg.is_dated and reference is not None:
            own = leg.price * (reference.part / reference.price) - leg.part
            own *= -1 if leg.is_long else 1
            still = still + own
            aged.append(own * (hold / leg.left))
    credit -= still
    credit -= _usual_gap(facts, legs, reference)
    np.minimum(credit, credit * 0.5, out=credit)
    return credit, aged


def _side_price(legs: Sequence[_Leg], *, is_long: bool) -> Floats:
    prices = [leg.price for leg in legs if leg.is_long is is_long]
    return sum(prices[1:], prices[0])


def _reference(legs: Sequence[_Leg]) -> _Leg | None:
    undated = [leg for leg in legs if not leg.is_dated]
    spots = [leg for leg in undated if InstrumentKind.SPOT in leg.kinds]
    return next(reversed(spots or undated), None)


def _usual_gap(facts: ScanFacts, legs: Sequence[_Leg], reference: _Leg | None) -> Floats | float:
    """Return the gap expected at exit of one undated leg against another, dated ones at par."""
    undated = {leg.is_long: leg for leg in legs if not leg.is_dated}
    if len(undated) < 2 or len(legs) - sum(leg.is_dated for leg in legs) > 2:
        return 0.0
    ratio = undated[True].exit_ratio(undated[False], facts)
    is_pair = np.isfinite(ratio)
    ratio = np.where(is_pair, ratio, 1.0)
    par = 1.0 if reference is undated[True] else ratio
    sums = {
        is_long: undated[is_long].part * (1.0 if is_long else ratio)
        + par * sum(leg.part for leg in legs if leg.is_dated and leg.is_long is is_long)
        for is_long in (True, False)
    }
    return np.where(is_pair, sums[False] / sums[True] - 1, ALWAYS)


def _named(
    slots: Sequence[Slot], legs: Sequence[_Leg], chosen: Sequence[int], net: float
) -> Bundle | None:
    if net == NEVER:
        return None
    named = zip(legs, chosen, strict=True)
    return Bundle(slots=tuple(slots[leg.places.start + at] for leg, at in named), net_return=net)


def _along(axes: int, axis: int) -> Along:
    return (*(WHOLE if other == axis else None for other in range(axes)), WHOLE)
