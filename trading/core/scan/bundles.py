"""Positions of three and more legs: every combination of one base's instruments at once.

Few bases list all the kinds that such a position needs, so each is counted by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from exchanges.domain import InstrumentKind, Side
from trading.core.scan.facts import NEVER, Floats, Slot
from trading.core.scan.scanner import Scanner


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


def best_bundle(scanner: Scanner, base: int, shape: Sequence[BundleLeg]) -> Bundle | None:
    """Return the combination with the highest net return; None where none can be trusted."""
    return best_bundles(scanner, shape, slice(base, base + 1))[0]


def best_bundles(
    scanner: Scanner, shape: Sequence[BundleLeg], bases: slice = slice(None)
) -> list[Bundle | None]:
    """Return the best combination of each base."""
    slots, width = scanner.facts.slots, len(range(*bases.indices(len(scanner.facts.bases))))
    places = [[i for i, slot in enumerate(slots) if slot.kind in leg.kinds] for leg in shape]
    if not all(places):
        return [None] * width
    legs = [
        _Leg(scanner, leg, at, _along(len(shape), axis), bases)
        for axis, (leg, at) in enumerate(zip(shape, places, strict=True))
    ]
    net = _gap_credit(legs)
    for leg in legs:
        net += leg.worth
    # Base by base, so that the maximum is looked for in one run of memory.
    flat = np.ascontiguousarray(net.reshape(-1, width).T)
    best = flat.argmax(axis=1).tolist()
    return [
        _named(slots, places, net.shape[:-1], at, float(flat[base, at]))
        for base, at in enumerate(best)
    ]


class _Leg:
    """One leg's instruments along their own axis, bases along the last."""

    def __init__(
        self,
        scanner: Scanner,
        leg: BundleLeg,
        places: Sequence[int],
        axis: tuple[slice | None, ...],
        bases: slice,
    ) -> None:
        self.is_long, self.part = leg.side is Side.BUY, float(leg.ratio)
        self.is_dated = InstrumentKind.FUTURE in leg.kinds
        self.price = self.part * scanner.price[0, places, bases][axis]
        self.worth = self.part * scanner.worth[int(self.is_long), places, bases][axis]
        self.age = scanner.age[places, bases][axis]


def _gap_credit(legs: Sequence[_Leg]) -> Floats:
    """Return what the gap is counted for: half a gain, a whole loss, ageing in proportion.

    Dated legs age against the mean of the undated ones, as `basis.dated_gap` has it.
    """
    long = _sum([leg.price for leg in legs if leg.is_long])
    short = _sum([leg.price for leg in legs if not leg.is_long])
    flat = _sum([leg.price for leg in legs if not leg.is_dated])
    per_flat = sum(leg.part for leg in legs if not leg.is_dated) / flat
    credit = short / long - 1
    aged = np.zeros_like(credit)
    for leg in legs:
        if leg.is_dated:
            own = leg.price * per_flat - leg.part
            own *= -1 if leg.is_long else 1
            credit = credit - own
            own *= leg.age
            aged = aged + own
    np.minimum(credit, credit * 0.5, out=credit)
    credit += aged
    return credit


def _sum(prices: Sequence[Floats]) -> Floats:
    return sum(prices[1:], prices[0])


def _named(
    slots: Sequence[Slot],
    places: Sequence[Sequence[int]],
    shape: tuple[int, ...],
    best: int,
    net: float,
) -> Bundle | None:
    if net == NEVER:
        return None
    chosen = np.unravel_index(best, shape)
    names = tuple(slots[at[int(i)]] for at, i in zip(places, chosen, strict=True))
    return Bundle(slots=names, net_return=net)


def _along(axes: int, axis: int) -> tuple[slice | None, ...]:
    return (*(slice(None) if other == axis else None for other in range(axes)), slice(None))
