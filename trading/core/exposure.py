"""What a position is exposed to, from what its own orders filled.

Quantities are signed base units: > 0 long, < 0 short. An observation here is of our own book; the
venue confirms it before HEDGED or FLAT is recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

ZERO = Decimal(0)


class Exposure(StrEnum):
    FLAT = "flat"
    HEDGED = "hedged"
    IMBALANCED = "imbalanced"


@dataclass(frozen=True, slots=True, kw_only=True)
class LegExposure:
    """One leg's signed base quantity and its lot in base units."""

    net_base: Decimal
    lot: Decimal


def tolerance(legs: Sequence[LegExposure]) -> Decimal:
    """Return the net base that still counts as hedged: the largest lot of the legs."""
    return max((leg.lot for leg in legs), default=ZERO)


def net_base(legs: Sequence[LegExposure]) -> Decimal:
    """Return the sum of the legs' signed base quantities."""
    return sum((leg.net_base for leg in legs), ZERO)


def drift(legs: Sequence[LegExposure]) -> Decimal:
    """Return how much smaller the smallest leg is than the largest, as a part of the largest."""
    sizes = [abs(leg.net_base) for leg in legs]
    largest = max(sizes, default=ZERO)
    return (largest - min(sizes)) / largest if largest else ZERO


def exposure(legs: Sequence[LegExposure]) -> Exposure:
    """Return FLAT, HEDGED or IMBALANCED.

    Dust below a leg's own lot counts as nothing: no order could remove it.
    """
    if all(abs(leg.net_base) < leg.lot for leg in legs):
        return Exposure.FLAT
    if abs(net_base(legs)) <= tolerance(legs):
        return Exposure.HEDGED
    return Exposure.IMBALANCED
