"""Positions of three and more legs: every combination of one base's instruments at once.

Few bases list all the kinds that such a position needs, so each is counted by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce

import numpy as np

from exchanges.domain import InstrumentKind, Side
from trading.core.scan.candidates import LEAST_IMPACT, LEAST_NET, Candidates, Places, highest
from trading.core.scan.facts import ALWAYS, Floats, ScanFacts
from trading.core.scan.rules import RULES, SPOT
from trading.core.scan.scanner import Scanner
from trading.core.scan.settings import SECONDS_PER_8H
from trading.core.scan.valuation import LONG, SHORT, WHOLE, Along


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleLeg:
    side: Side
    kinds: frozenset[InstrumentKind]
    ratio: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What a strategy with more than two legs holds, and its number among `RULES`."""

    shape: tuple[BundleLeg, ...]
    rule: int

    @classmethod
    def of(cls, strategy: str, shape: Iterable[BundleLeg]) -> Bundle:
        """Return the bundle of a strategy. Raise ValueError where no rule looks at it."""
        return cls(shape=tuple(shape), rule=[rule.strategy for rule in RULES].index(strategy))

    def fits(self, facts: ScanFacts) -> bool:
        """Tell whether there are slots for every leg."""
        return all(any(slot.kind in leg.kinds for slot in facts.slots) for leg in self.shape)

    @property
    def parts(self) -> tuple[float, ...]:
        return tuple(float(leg.ratio) for leg in self.shape)


def bundle_candidates(
    scanner: Scanner,
    bundle: Bundle,
    *,
    least_net: float | Decimal,
    limit: int,
    most_usd: float | Decimal,
    base: int | None = None,
) -> Candidates:
    """Return the combinations as `candidates` does pairs: highest expected profit first."""
    bases = WHOLE if base is None else slice(base, base + 1)
    net, legs = _nets(scanner, bundle.shape, bases)
    rows = np.flatnonzero(net >= max(float(least_net), LEAST_NET))
    *places, at = np.unravel_index(rows, net.shape)
    slots = tuple(leg.places.start + place for leg, place in zip(legs, places, strict=True))
    found = _columns(scanner, bundle, slots, at + (base or 0), net.take(rows))
    sizes = found.sizes(float(most_usd))
    return found.only(highest(found.profits(sizes), limit))


def _nets(
    scanner: Scanner, shape: Sequence[BundleLeg], bases: slice
) -> tuple[Floats, Sequence[_Leg]]:
    """Return the net return of every combination, [*legs, base], and its legs."""
    legs = [_Leg(scanner, leg, _along(len(shape), axis), bases) for axis, leg in enumerate(shape)]
    if not all(leg.price.size for leg in legs):
        return np.empty((0,) * (len(legs) + 1)), legs
    hold = reduce(np.minimum, [leg.hold for leg in legs])
    credit, aged = _gap_credit(scanner.facts, legs, hold)
    # The smallest first: only the last of them is added to every combination.
    rest = sorted([*aged, *(leg.worth_within(hold) for leg in legs)], key=np.size)
    credit += reduce(np.add, rest)
    return credit, legs


def _columns(
    scanner: Scanner, bundle: Bundle, slots: tuple[Places, ...], base: Places, net: Floats
) -> Candidates:
    facts, parts = scanner.facts, bundle.parts
    legs = list(zip(slots, parts, strict=True))
    signs = [leg.side.sign for leg in bundle.shape]
    prices = [part * scanner.price[0, places, base] for places, part in legs]
    long, short = (
        reduce(np.add, [price for price, own in zip(prices, signs, strict=True) if own == sign])
        for sign in (1, -1)
    )
    impact = reduce(np.add, [part * part * facts.impact[places, base] for places, part in legs])
    transfers = [scanner.transfer[slots[0], places] for places in slots[1:]]
    return Candidates(
        rule=np.full(len(net), bundle.rule),
        legs=slots,
        parts=parts,
        base=base,
        net=net,
        spread_8h=_present_carry(scanner, bundle, slots, base),
        gap=short / long - 1,
        impact=np.maximum(impact, LEAST_IMPACT),
        room=reduce(np.minimum, [facts.room[places, base] / part for places, part in legs]),
        transfer=reduce(np.maximum, transfers),
    )


def _present_carry(
    scanner: Scanner, bundle: Bundle, slots: tuple[Places, ...], base: Places
) -> Floats:
    """Return what combinations bring per 8 h at present, as `Placed.present_carry_8h` has it."""
    facts, carry = scanner.facts, np.zeros(len(base))
    undated = [
        (InstrumentKind.SPOT in leg.kinds, places)
        for leg, places in zip(bundle.shape, slots, strict=True)
        if InstrumentKind.FUTURE not in leg.kinds
    ]
    # The last spot, else the last perpetual, as `_reference` has it.
    reference = max(undated, key=lambda each: each[0])[1] if undated else None
    for leg, places in zip(bundle.shape, slots, strict=True):
        sign, part = leg.side.sign, float(leg.ratio)
        carry -= sign * part * facts.predicted_8h[places, base]
        if leg.side is Side.SELL:
            carry -= 8 * part * facts.borrow[places, base]
        if InstrumentKind.FUTURE in leg.kinds and reference is not None:
            ratio = scanner.price[0, places, base] * scanner.price[1, reference, base]
            left = scanner.values.left[places, base] / SECONDS_PER_8H
            carry -= sign * part * (ratio - 1) / left
    return carry


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


def _along(axes: int, axis: int) -> Along:
    return (*(WHOLE if other == axis else None for other in range(axes)), WHOLE)
