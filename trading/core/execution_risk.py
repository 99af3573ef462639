"""How likely an entry is to go other than planned: the measure nearest to its own limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

ZERO, ONE = Decimal(0), Decimal(1)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class LegRisk:
    """What is known of filling one leg. `capacity_usd` is what its book takes."""

    venue: str
    slippage: Decimal
    capacity_usd: Decimal
    latency: timedelta | None
    book_age: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionRisk:
    """`score` 0 … 1 is the part of its limit that the most strained measure uses up."""

    score: Decimal
    measure: str


def execution_risk(
    legs: Sequence[LegRisk],
    *,
    size_usd: Decimal,
    max_slippage: Decimal,
    max_latency: timedelta,
    max_book_age: timedelta,
) -> ExecutionRisk:
    """Score the legs by size against depth, slippage, latency and age of the book."""
    shares = [(ZERO, "nothing")]
    for leg in legs:
        depth = size_usd / leg.capacity_usd if leg.capacity_usd > 0 else ONE
        shares += [
            (depth, f"size against the book at {leg.venue}"),
            (leg.slippage / max_slippage if max_slippage else ONE, f"slippage at {leg.venue}"),
            (_share(leg.book_age, max_book_age), f"age of the book at {leg.venue}"),
        ]
        if leg.latency is not None:
            shares.append((_share(leg.latency, max_latency), f"latency of {leg.venue}"))
    score, measure = max(shares, key=lambda share: share[0])
    return ExecutionRisk(score=min(score, ONE), measure=measure)


def _share(span: timedelta, most: timedelta) -> Decimal:
    return Decimal(max(span, timedelta(0)) // _MICROSECOND) / (most // _MICROSECOND)
