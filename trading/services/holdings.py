"""What a leg holds by its own fills, in signed base units."""

from __future__ import annotations

from decimal import Decimal

from exchanges.domain import InstrumentKind, Side
from exchanges.selectors import fees_in_money
from trading.core.exposure import LegExposure
from trading.models import Leg, LegSide, Order, Trade

ZERO = Decimal(0)


def leg_net_base(leg: Leg) -> Decimal:
    """Return what the leg's orders filled, less what was closed without an order of ours.

    A spot purchase that paid its fee in the base asset holds less by it, the part whose fills are
    not booked yet by the fee that is expected; a spot debt grows by its interest.
    """
    filled = sum((order.signed_filled for order in leg.orders.all()), ZERO)
    held = filled + closed_outside(leg)
    if not is_spot(leg):
        return held
    return held - base_fees(leg) - _fees_to_come(leg) - base_interest(leg)


def leg_exposure(leg: Leg) -> LegExposure:
    """Return the leg as hedges are judged by."""
    return LegExposure(net_base=leg_net_base(leg), lot=leg.instrument.lot, ratio=leg.ratio)


def closed_outside(leg: Leg) -> Decimal:
    """Return the signed quantity of trades without an order: made by the venue, or adopted."""
    return sum(
        (
            Side(trade.order_side).sign * trade.base_quantity
            for trade in leg.trades.all()
            if trade.order_id is None
        ),
        ZERO,
    )


def base_fees(leg: Leg) -> Decimal:
    """Return the fees of the leg's trades that were charged in its own base asset."""
    return sum((base_fee(trade, leg) for trade in leg.trades.all()), ZERO)


def base_fee(trade: Trade, leg: Leg) -> Decimal:
    """Return what of a trade's fee was taken out of the base asset that the leg holds."""
    is_in_base = is_spot(leg) and trade.fee_asset == leg.instrument.base
    return trade.fee if is_in_base else ZERO


def base_interest(leg: Leg) -> Decimal:
    """Return the interest that was added to the leg's debt of its own base asset."""
    if not is_short_spot(leg):
        return ZERO
    base = leg.instrument.base
    return sum((row.amount for row in leg.interest.all() if row.asset == base), ZERO)


def fee_in_base(leg: Leg) -> Decimal:
    """Return the part of a spot purchase that its fee takes; 0 where fees are paid otherwise."""
    if not is_spot(leg) or fees_in_money(leg.instrument.exchange.code):
        return ZERO
    bought = [trade for trade in leg.trades.all() if trade.order_side == Side.BUY]
    is_otherwise = any(trade.fee_asset != leg.instrument.base for trade in bought)
    return ZERO if is_otherwise else max(leg.taker_fee, ZERO)


def is_spot(leg: Leg) -> bool:
    kind: str = leg.instrument.kind
    return kind == InstrumentKind.SPOT


def is_short_spot(leg: Leg) -> bool:
    """Tell whether the leg is sold without being held: what it sells is borrowed."""
    return is_spot(leg) and leg.side == LegSide.SHORT


def _fees_to_come(leg: Leg) -> Decimal:
    part = fee_in_base(leg)
    if not part:
        return ZERO
    bought = (order for order in leg.orders.all() if order.side == Side.BUY)
    return part * sum((_unbooked(order, leg) for order in bought), ZERO)


def _unbooked(order: Order, leg: Leg) -> Decimal:
    booked = (t.base_quantity for t in leg.trades.all() if t.order_id == order.pk)
    filled: Decimal = order.filled_base_quantity
    return max(filled - sum(booked, ZERO), ZERO)
