"""How far a leg is from liquidation, an account from its margin: `docs/DOMAIN.md` section 5."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from exchanges.domain import Side

WARNING_DISTANCE = Decimal("0.10")
CRITICAL_DISTANCE = Decimal("0.05")
WARNING_MARGIN_RATIO = Decimal("1.5")


class Danger(StrEnum):
    NONE = "none"
    WARNING = "warning"
    CRITICAL = "critical"


def liquidation_price(
    *,
    entry_price: Decimal,
    leverage: Decimal,
    maintenance: Decimal,
    side: Side,
    deduction: Decimal = Decimal(0),
) -> Decimal:
    """Estimate the liquidation price of an isolated linear leg; the venue's own figure wins.

    `maintenance` is the rate of the position's risk tier and `deduction` what that tier deducts,
    per base unit; BUY is a long leg. From E/L + P - E = m P - a of a long.
    """
    sign = side.sign
    return (entry_price * (1 - sign / leverage) - sign * deduction) / (1 - sign * maintenance)


def liquidation_distance(liquidation: Decimal, mark_price: Decimal) -> Decimal:
    """Return the move to liquidation as a fraction of the mark price, >= 0."""
    return abs(liquidation - mark_price) / mark_price


def distance_danger(distance: Decimal) -> Danger:
    if distance < CRITICAL_DISTANCE:
        return Danger.CRITICAL
    return Danger.WARNING if distance < WARNING_DISTANCE else Danger.NONE


def margin_ratio(equity: Decimal, used_margin: Decimal) -> Decimal | None:
    """Return equity / used margin, None when no margin is used."""
    return equity / used_margin if used_margin > 0 else None


def margin_danger(ratio: Decimal | None) -> Danger:
    """Grade a margin ratio: below 1.5 is WARNING, at 1 the venue acts."""
    if ratio is None or ratio >= WARNING_MARGIN_RATIO:
        return Danger.NONE
    return Danger.WARNING if ratio > 1 else Danger.CRITICAL


def margin_for_distance(
    *,
    distance: Decimal,
    wanted: Decimal,
    notional: Decimal,
    maintenance: Decimal,
    side: Side,
) -> Decimal:
    """Return the margin that moves an isolated leg's liquidation to `wanted`, >= 0.

    From liquidation = (cost - margin) / (q (1 - m)) for a long: a move of the distance by d costs
    d x notional x (1 - m), for a short (1 + m). `notional` is at the mark price.
    """
    return max(wanted - distance, Decimal(0)) * notional * (1 - side.sign * maintenance)
