"""What care of an open position decides: `docs/DOMAIN.md` sections 5 and 6.

Pure: which danger there is and which remedy comes first. `trading.services.care` collects the facts
and carries the remedy out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum
from functools import reduce

from exchanges.domain import Instrument, Side
from exchanges.matching import LeverageTier, tier_of
from trading.core.liquidation import (
    CRITICAL_DISTANCE,
    WARNING_DISTANCE,
    Danger,
    distance_danger,
    liquidation_distance,
    liquidation_price,
    margin_for_distance,
)
from trading.core.money import ceil_to_lot, common_lot, floor_to_lot
from trading.core.sentence import hours, percent

ADL_WARNING, ADL_CRITICAL = 4, 5
HALF, QUARTER = Decimal("0.5"), Decimal("0.25")
# Each is a quarter of what is held then: three make 1.95 of what was entered.
MOST_ADDITIONS = 3
CENT = Decimal("0.01")
ZERO = Decimal(0)


class Remedy(StrEnum):
    """What helps a leg that is near its liquidation, in the order in which it is tried."""

    TOP_UP = "top_up"
    REDUCE = "reduce"
    CLOSE = "close"


@dataclass(frozen=True, slots=True, kw_only=True)
class LegRisk:
    """One leg as its venue holds it. `liquidation_price` is the venue's own, None if it has none.

    `tiers` are the instrument's risk tiers by notional. `isolated_margin` is what stands behind
    this leg alone, None in a cross account.
    """

    instrument: Instrument
    side: Side
    base_quantity: Decimal
    mark_price: Decimal
    entry_price: Decimal
    leverage: Decimal
    liquidation_price: Decimal | None
    tiers: Sequence[LeverageTier]
    isolated_margin: Decimal | None = None

    @property
    def tier(self) -> LeverageTier:
        """Return the risk tier that the position's size is in."""
        return tier_of(self.notional, self.tiers)

    @property
    def notional(self) -> Decimal:
        return abs(self.base_quantity) * self.mark_price

    @property
    def distance(self) -> Decimal:
        """Return the move to liquidation; without the venue's word as an isolated leg's."""
        price = self.liquidation_price
        if price is None:
            price = liquidation_price(
                entry_price=self.entry_price,
                leverage=self.leverage,
                maintenance=self.tier.maintenance_rate,
                side=self.side,
                deduction=self.tier.maintenance_amount / abs(self.base_quantity),
            )
        beyond = (price - self.mark_price) * self.side.sign >= 0
        return ZERO if beyond else liquidation_distance(price, self.mark_price)

    @property
    def danger(self) -> Danger:
        return distance_danger(self.distance)

    @property
    def missing_margin(self) -> Decimal:
        """Return what an isolated leg needs to be as far from liquidation as WARNING begins."""
        return margin_for_distance(
            distance=self.distance,
            wanted=WARNING_DISTANCE,
            notional=self.notional,
            maintenance=self.tier.maintenance_rate,
            side=self.side,
        )

    @property
    def sentence(self) -> str:
        least = CRITICAL_DISTANCE if self.danger is Danger.CRITICAL else WARNING_DISTANCE
        return (
            f"the {'long' if self.side is Side.BUY else 'short'} leg at {self.instrument.venue} is "
            f"{percent(self.distance, 2)} from its liquidation, less than {percent(least, 0)}"
        )


def affordable_top_up(
    leg: LegRisk, *, free: Decimal, active_fraction: Decimal, cap: Decimal, added: Decimal
) -> Decimal | None:
    """Return the margin to add, None where the leg is not isolated or it would be too much.

    At most `active_fraction` of what is free, and with what was `added` before at most `cap` of the
    leg's initial margin.
    """
    needed = ceil_to_lot(leg.missing_margin, CENT)
    initial = abs(leg.base_quantity) * leg.entry_price / leg.leverage
    most = min(free * active_fraction, initial * cap - added)
    if leg.isolated_margin is None or needed <= 0 or needed > most:
        return None
    return needed


def halved(
    base_quantity: Decimal, legs: Sequence[tuple[Instrument, Decimal]], price: Decimal
) -> Decimal | None:
    """Return half of a position in lots that all legs trade, None if too small to keep or to cut.

    Legs are with their ratio; `price` is one of now, for the least notional.
    """
    lot = reduce(common_lot, [leg.lot / ratio for leg, ratio in legs])
    half = floor_to_lot(base_quantity * HALF, lot)
    least = max(
        max(leg.min_base_quantity, leg.lot, ceil_to_lot(leg.min_notional / price, leg.lot)) / ratio
        for leg, ratio in legs
    )
    return half if half >= least else None


def quarter(base_quantity: Decimal, legs: Sequence[tuple[Instrument, Decimal]]) -> Decimal:
    """Return a quarter of a position in lots that all legs trade; legs are with their ratio."""
    lot = reduce(common_lot, [leg.lot / ratio for leg, ratio in legs])
    return floor_to_lot(base_quantity * QUARTER, lot)


def remedies(*, can_top_up: bool, can_halve: bool) -> Remedy:
    """Return the first remedy that is possible: margin, a smaller position, no position."""
    if can_top_up:
        return Remedy.TOP_UP
    return Remedy.REDUCE if can_halve else Remedy.CLOSE


def gap_move(entry_gap: Decimal, exit_gap: Decimal) -> Decimal:
    """Return how far the price gap moved against the position, as a fraction; < 0 for it.

    Gaps are short over long; both at prices at which was or could be traded.
    """
    return exit_gap - entry_gap


def adverse_steps(move: Decimal, step: Decimal) -> int:
    """Return how many whole steps the gap moved against the position, >= 0."""
    return max(int((move / step).to_integral_value(ROUND_FLOOR)), 0)


def favourable_steps(move: Decimal, step: Decimal) -> int:
    """Return how many whole steps the gap moved for the position, 0 to as many as are answered."""
    return min(adverse_steps(-move, step), MOST_ADDITIONS)


def adl_danger(rank: int | None) -> Danger:
    """Grade a place in the queue of auto-deleveraging: 5 is the first to be cut."""
    if rank is None or rank < ADL_WARNING:
        return Danger.NONE
    return Danger.CRITICAL if rank >= ADL_CRITICAL else Danger.WARNING


def expiry_sentence(legs: Sequence[Instrument], now: datetime, lead: timedelta) -> str:
    """Return why legs that end soon must be closed, empty while none does."""
    for leg in legs:
        if leg.expires_at is not None and leg.expires_at - now <= lead:
            left = hours(max(leg.expires_at - now, timedelta(0)))
            return (
                f"{leg.symbol} at {leg.venue} ends on {leg.expires_at:%Y-%m-%d %H:%M} UTC, in "
                f"{left}; the exit is {hours(lead)} before"
            )
    return ""


def halt_sentence(legs: Sequence[Instrument]) -> str:
    """Return which leg cannot be traded, empty while all can.

    Nothing is closed then: the other leg alone would be a naked position.
    """
    stopped = next((leg for leg in legs if not leg.is_active), None)
    if stopped is None:
        return ""
    return (
        f"{stopped.symbol} is not traded at {stopped.venue} now: all legs are kept until it is, "
        "or until the venue settles it"
    )
