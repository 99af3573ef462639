"""Gate orders as clients write them, and the labels with which they are refused."""

from __future__ import annotations

import re

from exchanges.domain import OrderType, Side, TimeInForce
from exchanges.simulator.admission import OrderIntent, Refusal, RefusalReason
from exchanges.simulator.faces.gate_calls import Call, bad
from exchanges.simulator.listings import Listing
from exchanges.simulator.wire import VenueRefusal

CLIENT_ID = re.compile(r"t-[0-9A-Za-z_.\-]{1,28}")
FORCES = {
    "gtc": TimeInForce.GTC,
    "ioc": TimeInForce.IOC,
    "poc": TimeInForce.POST_ONLY,
}
LABELS = {
    RefusalReason.QUANTITY_STEP: ("INVALID_PARAM_VALUE", "invalid argument: size"),
    RefusalReason.PRICE_STEP: ("INVALID_PARAM_VALUE", "invalid argument: price"),
    RefusalReason.BELOW_MIN_QUANTITY: ("SIZE_TOO_SMALL", "Order size does not reach minimum"),
    RefusalReason.ABOVE_MAX_QUANTITY: ("SIZE_TOO_LARGE", "Order size exceeds maximum"),
    RefusalReason.REDUCE_ONLY: ("REDUCE_EXCEEDED", "empty position"),
    RefusalReason.PRICE_BAND: ("PRICE_TOO_DEVIATED", "order price too deviated from mark price"),
    RefusalReason.WOULD_TAKE: ("ORDER_POC_IMMEDIATE", "order price while counter price"),
    RefusalReason.INSUFFICIENT_MARGIN: ("INSUFFICIENT_AVAILABLE", "balance is not enough"),
    RefusalReason.POSITION_LIMIT: ("RISK_LIMIT_EXCEEDED", "risk limit exceeded"),
}


def refused(refusal: Refusal) -> VenueRefusal:
    """Return Gate's label and words for a refusal."""
    label, message = LABELS[refusal.reason]
    return VenueRefusal(label, message)


def intent_of(call: Call, listing: Listing) -> OrderIntent:
    """Read an order of an account in one-way mode: a size below zero sells, no price is any."""
    own_id, size, price = call.text("text"), call.decimal("size"), call.decimal("price")
    force, reduces = call.text("tif") or "gtc", call.parameters.get("reduce_only", False)
    if own_id and not CLIENT_ID.fullmatch(own_id):
        raise bad("text")
    if not size or force not in FORCES or not isinstance(reduces, bool):
        raise bad("size, tif or reduce_only")
    is_market = not price
    if is_market and force != "ioc":
        raise bad("tif")
    if call.owner.is_hedge_mode:
        raise VenueRefusal("POSITION_DUAL_MODE", "Operation forbidden in dual-mode")
    return OrderIntent(
        listing=listing,
        client_order_id=own_id,
        side=Side.BUY if size > 0 else Side.SELL,
        order_type=OrderType.MARKET if is_market else OrderType.LIMIT,
        time_in_force=FORCES[force],
        base_quantity=abs(size) * listing.contract_value,
        price=price or None,
        reduce_only=reduces,
    )
