"""Rounding: the only caller of `quantize`.

Quantities are cut towards zero to a lot, prices go to a tick against us (marketable) or to the
passive side (resting), figures are rounded half-even for display only.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, Decimal

from exchanges.domain import Side


def floor_to_lot(base_quantity: Decimal, lot: Decimal) -> Decimal:
    """Cut a quantity towards zero to a whole number of lots; the sign is kept."""
    return base_quantity // lot * lot


def ceil_to_lot(base_quantity: Decimal, lot: Decimal) -> Decimal:
    """Raise a quantity > 0 to a whole number of lots."""
    lots, rest = divmod(base_quantity, lot)
    return (lots + 1 if rest else lots) * lot


def common_lot(first: Decimal, second: Decimal) -> Decimal:
    """Return the smallest quantity that is a whole number of both lots (their lcm)."""
    exponent = min(_exponent(first), _exponent(second))
    multiple = math.lcm(int(first.scaleb(-exponent)), int(second.scaleb(-exponent)))
    return Decimal(multiple).scaleb(exponent)


def price_against_us(price: Decimal, tick: Decimal, side: Side) -> Decimal:
    """Round a marketable limit to the tick that is worse for us: a buy up, a sell down."""
    return _ceil_tick(price, tick) if side is Side.BUY else price // tick * tick


def price_passive(price: Decimal, tick: Decimal, side: Side) -> Decimal:
    """Round a resting limit to the tick away from the market: a buy down, a sell up."""
    return price_against_us(price, tick, side.opposite)


def plain(value: Decimal) -> str:
    """Write a quantity or price without trailing zeros or exponent."""
    return f"{value.normalize():f}"


def signed(value: Decimal, places: int) -> str:
    """Write an amount for people: always with its sign, U+2212 for minus, half-even."""
    return f"{for_display(value, places):+f}".replace("-", "\N{MINUS SIGN}")


def for_display(value: Decimal, places: int) -> Decimal:
    """Round half-even to `places` decimals. Never store or send the result."""
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)


def _ceil_tick(price: Decimal, tick: Decimal) -> Decimal:
    ticks, rest = divmod(price, tick)
    return (ticks + 1 if rest else ticks) * tick


def _exponent(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    if not isinstance(exponent, int) or value <= 0:
        raise ValueError(f"a lot must be a positive number, not {value}")
    return exponent
