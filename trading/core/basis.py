"""Price gaps between legs; `docs/DOMAIN.md` sections 2 and 3, one sign for both directions.

What a dated leg is worth above or below the others goes to zero by its expiry. That part of a gap
ages: it is earned (or lost) in proportion to the time, whatever the market thinks of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from exchanges.domain import InstrumentKind, Side

ZERO, ONE, HALF = Decimal(0), Decimal(1), Decimal("0.5")
EIGHT_HOURS = timedelta(hours=8)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedLeg:
    """One leg at a price. `ratio` is its part of the base; `expires_at` None without an end."""

    side: Side
    kind: InstrumentKind
    price: Decimal
    ratio: Decimal = ONE
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GapPrices:
    """What one base unit of each side costs, legs weighted by their ratio."""

    long: Decimal
    short: Decimal

    @classmethod
    def of(cls, legs: Iterable[PricedLeg]) -> GapPrices:
        sides = {Side.BUY: ZERO, Side.SELL: ZERO}
        for leg in legs:
            sides[leg.side] += leg.ratio * leg.price
        return cls(long=sides[Side.BUY], short=sides[Side.SELL])

    @property
    def gap(self) -> Decimal:
        return price_gap(self.long, self.short)

    @property
    def gap_of_short(self) -> Decimal:
        """Return the gap as a part of the short side's price: minus the basis if spot."""
        return (self.short - self.long) / self.short


def price_gap(long_price: Decimal, short_price: Decimal) -> Decimal:
    """Return (short leg - long leg) / long leg; positive when we sell dearer than we buy."""
    return (short_price - long_price) / long_price


def gap_credit(entry_gap: Decimal, expected_exit_gap: Decimal) -> Decimal:
    """Return what the closing of the gap may be counted for: a gain half, a loss whole.

    Full convergence and continuing funding would count the same thing twice.
    """
    difference = entry_gap - expected_exit_gap
    return difference * HALF if difference > 0 else difference


def dated_gap(legs: Sequence[PricedLeg]) -> Decimal:
    """Return the part of the gap that is gone when the dated legs expire.

    Against spot, else the perpetual; 0 without an undated leg, for then nothing ages: what lies
    between two expiries stays there until the nearer one.
    """
    reference = _reference(legs)
    if reference is None:
        return ZERO
    return sum((_own_gap(leg, reference) for leg in legs if leg.expires_at is not None), ZERO)


def undated_gap(legs: Sequence[PricedLeg]) -> Decimal:
    """Return the part of the gap that has no end: what is left of it without `dated_gap`."""
    reference = _reference(legs)
    if reference is None:
        return ZERO
    return GapPrices.of(
        leg if leg.expires_at is None else replace(leg, price=reference) for leg in legs
    ).gap


def ageing_8h(legs: Sequence[PricedLeg], now: datetime) -> Decimal:
    """Return what the dated part of the gap brings the position per 8 h, in a straight line.

    What has expired ages no more.
    """
    reference = _reference(legs)
    if reference is None:
        return ZERO
    return sum(
        (
            _own_gap(leg, reference) / eight_hours(leg.expires_at - now)
            for leg in legs
            if leg.expires_at is not None and leg.expires_at > now
        ),
        ZERO,
    )


def dated_span_8h(legs: Iterable[PricedLeg], at: datetime) -> Decimal:
    """Return over how many 8 h the gap is carried at `at`: the time left of short less of long."""
    return sum(
        (
            -leg.side.sign * leg.ratio * eight_hours(max(leg.expires_at - at, timedelta(0)))
            for leg in legs
            if leg.expires_at is not None
        ),
        ZERO,
    )


def eight_hours(span: timedelta) -> Decimal:
    """Return a span in units of 8 h."""
    return Decimal(span // _MICROSECOND) / (EIGHT_HOURS // _MICROSECOND)


def _reference(legs: Iterable[PricedLeg]) -> Decimal | None:
    undated = {leg.kind: leg.price for leg in legs if leg.expires_at is None}
    return undated.get(InstrumentKind.SPOT, undated.get(InstrumentKind.PERPETUAL))


def _own_gap(leg: PricedLeg, reference: Decimal) -> Decimal:
    return -leg.side.sign * leg.ratio * (leg.price - reference) / reference
