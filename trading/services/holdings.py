"""What a leg holds by its own fills, in signed base units."""

from __future__ import annotations

from decimal import Decimal

from exchanges.domain import InstrumentKind, Side
from trading.models import Leg


def leg_net_base(leg: Leg) -> Decimal:
    """Return what the leg's orders filled, less what was closed without an order of ours.

    A spot buy that paid its fee in the base asset holds less by it.
    """
    filled = sum((order.signed_filled for order in leg.orders.all()), Decimal(0))
    held = filled + closed_outside(leg)
    if leg.instrument.kind != InstrumentKind.SPOT:
        return held
    return held - base_fees(leg)


def closed_outside(leg: Leg) -> Decimal:
    """Return the signed quantity of trades without an order: made by the venue, or adopted."""
    return sum(
        (
            Side(trade.order_side).sign * trade.base_quantity
            for trade in leg.trades.all()
            if trade.order_id is None
        ),
        Decimal(0),
    )


def base_fees(leg: Leg) -> Decimal:
    """Return the fees of the leg's trades that were charged in its own base asset."""
    return sum(
        (trade.fee for trade in leg.trades.all() if trade.fee_asset == leg.instrument.base),
        Decimal(0),
    )
