"""Bybit v5 orders as clients write them, and the codes with which they are refused."""

from __future__ import annotations

from exchanges.domain import OrderType, Side, TimeInForce
from exchanges.simulator.admission import OrderIntent, RefusalReason
from exchanges.simulator.faces.bybit_calls import Call, invalid
from exchanges.simulator.listings import Listing

CODES = {
    RefusalReason.QUANTITY_STEP: (10001, "Qty invalid"),
    RefusalReason.PRICE_STEP: (10001, "Price invalid"),
    RefusalReason.BELOW_MIN_QUANTITY: (10001, "The number of contracts is below the minimum"),
    RefusalReason.ABOVE_MAX_QUANTITY: (10001, "The number of contracts exceeds maximum limit"),
    RefusalReason.BELOW_MIN_NOTIONAL: (110094, "Order does not meet minimum order value 5USDT"),
    RefusalReason.DUPLICATE_ID: (110072, "OrderLinkedID is duplicate"),
    RefusalReason.REDUCE_ONLY: (
        110017,
        "current position is zero, cannot fix reduce-only order qty",
    ),
    RefusalReason.PRICE_BAND: (110003, "Order price exceeds the allowable range."),
    RefusalReason.INSUFFICIENT_MARGIN: (110007, "ab not enough for new order"),
    RefusalReason.POSITION_LIMIT: (110090, "Order would exceed the position limit at leverage"),
}


SPOT_CODES = {
    RefusalReason.QUANTITY_STEP: (170137, "Order volume decimal too long"),
    RefusalReason.PRICE_STEP: (170134, "Order price decimal too long."),
    RefusalReason.BELOW_MIN_QUANTITY: (170136, "Order quantity lower than the minimum."),
    RefusalReason.ABOVE_MAX_QUANTITY: (170135, "Order quantity too large."),
    RefusalReason.BELOW_MIN_NOTIONAL: (170140, "Transaction amount lower than the minimum."),
    RefusalReason.DUPLICATE_ID: (170141, "Duplicate clientOrderId"),
    RefusalReason.PRICE_BAND: (170192, "Order price is beyond the band."),
    RefusalReason.INSUFFICIENT_MARGIN: (170131, "Balance insufficient"),
    RefusalReason.NOT_LENT: (
        170037,
        "Cross Margin Trading not yet supported by the selected coin",
    ),
    RefusalReason.BORROW_LIMIT: (170034, "Liability over flow in spot leverage trade!"),
}


def intent_of(call: Call, listing: Listing) -> OrderIntent:
    """Read an order from the body of a create request."""
    sides = {"Buy": Side.BUY, "Sell": Side.SELL}
    side, kind = sides.get(call.text("side")), call.text("orderType")
    if side is None:
        raise invalid("side invalid")
    if kind not in ("Limit", "Market"):
        raise invalid("orderType invalid")
    forces = {
        "GTC": TimeInForce.GTC,
        "IOC": TimeInForce.IOC,
        "PostOnly": TimeInForce.POST_ONLY,
    }
    is_market = kind == "Market"
    if is_market and not listing.is_contract and call.text("marketUnit") != "baseCoin":
        raise invalid("marketUnit: amounts in quote are not simulated")
    force = forces.get(call.text("timeInForce") or "GTC")
    if force is None:
        raise invalid("timeInForce invalid")
    return OrderIntent(
        listing=listing,
        client_order_id=call.text("orderLinkId"),
        side=side,
        order_type=OrderType.MARKET if is_market else OrderType.LIMIT,
        time_in_force=TimeInForce.IOC if is_market else force,
        base_quantity=call.decimal("qty"),
        price=None if is_market else call.decimal("price"),
        reduce_only=listing.is_contract and call.parameters.get("reduceOnly") in (True, "true"),
        may_borrow=call.number("isLeverage", 0) == 1,
    )
