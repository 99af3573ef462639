"""What a leg holds by our own orders and fills, in signed base units."""

from __future__ import annotations

from decimal import Decimal

from exchanges.domain import InstrumentKind
from trading.models import Leg


def leg_net_base(leg: Leg) -> Decimal:
    """Return the sum of the leg's fills, less fees that a spot buy paid in the base asset."""
    filled = sum((order.signed_filled for order in leg.orders.all()), Decimal(0))
    if leg.instrument.kind != InstrumentKind.SPOT:
        return filled
    return filled - base_fees(leg)


def base_fees(leg: Leg) -> Decimal:
    """Return the fees of the leg's trades that were charged in its own base asset."""
    trades = (trade for order in leg.orders.all() for trade in order.trades.all())
    return sum(
        (trade.fee for trade in trades if trade.fee_asset == leg.instrument.base), Decimal(0)
    )
