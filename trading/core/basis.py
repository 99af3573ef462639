"""Price gaps between legs; `docs/DOMAIN.md` sections 2 and 3, one sign for both directions."""

from __future__ import annotations

from decimal import Decimal

HALF = Decimal("0.5")


def basis(perp_mid: Decimal, spot_mid: Decimal) -> Decimal:
    """Return (perp - spot) / spot; positive when the perpetual is dearer."""
    return (perp_mid - spot_mid) / spot_mid


def price_gap(long_price: Decimal, short_price: Decimal) -> Decimal:
    """Return (short leg - long leg) / long leg; positive when we sell dearer than we buy."""
    return (short_price - long_price) / long_price


def gap_credit(entry_gap: Decimal, expected_exit_gap: Decimal) -> Decimal:
    """Return what the closing of the gap may be counted for: a gain half, a loss whole.

    Full convergence and continuing funding would count the same thing twice.
    """
    difference = entry_gap - expected_exit_gap
    return difference * HALF if difference > 0 else difference
