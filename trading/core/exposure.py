"""What a position is exposed to, from what its own orders filled.

Quantities are signed base units: > 0 long, < 0 short. An observation here is of our own book; the
venue confirms it before HEDGED or FLAT is recorded.

A leg's `ratio` is its part of the position's base quantity. Its *size* is what it holds per ratio,
so that legs that hedge each other have the same size: 1 of spot against half a perpetual and half
a future are three legs of size 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

ZERO, ONE = Decimal(0), Decimal(1)


class Exposure(StrEnum):
    FLAT = "flat"
    HEDGED = "hedged"
    IMBALANCED = "imbalanced"


@dataclass(frozen=True, slots=True, kw_only=True)
class LegExposure:
    """One leg's signed base quantity; `lot` is the least of it that an order could take away."""

    net_base: Decimal
    lot: Decimal
    ratio: Decimal = ONE

    @property
    def size(self) -> Decimal:
        """Return what the leg holds per ratio, >= 0."""
        return abs(self.net_base) / self.ratio


def tolerance(legs: Sequence[LegExposure]) -> Decimal:
    """Return the net base that still counts as hedged: the lot of the coarser side.

    Where several legs share a side each of them may miss a lot of its own.
    """
    long = sum((leg.lot for leg in legs if leg.net_base > 0), ZERO)
    short = sum((leg.lot for leg in legs if leg.net_base < 0), ZERO)
    return max(long, short, *(leg.lot for leg in legs)) if legs else ZERO


def net_base(legs: Sequence[LegExposure]) -> Decimal:
    """Return the sum of the legs' signed base quantities."""
    return sum((leg.net_base for leg in legs), ZERO)


def smallest_size(legs: Sequence[LegExposure]) -> Decimal:
    """Return the size that every leg has: what of the position is hedged."""
    return min((leg.size for leg in legs), default=ZERO)


def drift(legs: Sequence[LegExposure]) -> Decimal:
    """Return how much smaller the smallest leg is than the largest, as a part of the largest."""
    largest = max((leg.size for leg in legs), default=ZERO)
    return (largest - smallest_size(legs)) / largest if largest else ZERO


def exposure(legs: Sequence[LegExposure]) -> Exposure:
    """Return FLAT, HEDGED or IMBALANCED.

    Dust below what a leg could be reduced by counts as nothing: no order could remove it.
    """
    if all(abs(leg.net_base) < leg.lot for leg in legs):
        return Exposure.FLAT
    if abs(net_base(legs)) <= tolerance(legs):
        return Exposure.HEDGED
    return Exposure.IMBALANCED
