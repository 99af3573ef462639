"""Bitget orders as clients write them, and the codes with which they are refused."""

from __future__ import annotations

import re

from exchanges.domain import OrderType, Side, TimeInForce
from exchanges.simulator.admission import OrderIntent, Refusal, RefusalReason
from exchanges.simulator.faces.bitget_calls import COIN, Call, bad
from exchanges.simulator.listings import Listing
from exchanges.simulator.wire import VenueRefusal

CLIENT_ID = re.compile(r"[0-9A-Za-z\-+_#]{1,49}")
FORCES = {
    "gtc": TimeInForce.GTC,
    "ioc": TimeInForce.IOC,
    "post_only": TimeInForce.POST_ONLY,
}
MODES, YES_NO = ("crossed", "isolated"), ("YES", "NO")
CODES = {
    RefusalReason.QUANTITY_STEP: (22038, "Please enter the quantity as an integral multiple of"),
    RefusalReason.PRICE_STEP: (45115, "The price you enter should be a multiple of"),
    RefusalReason.BELOW_MIN_QUANTITY: (45111, "less than the minimum order quantity"),
    RefusalReason.ABOVE_MAX_QUANTITY: (45112, "more than the maximum order quantity"),
    RefusalReason.BELOW_MIN_NOTIONAL: (45110, "less than the minimum amount 5 USDT"),
    RefusalReason.DUPLICATE_ID: (40786, "Duplicate clientOid"),
    RefusalReason.REDUCE_ONLY: (22002, "No position to close"),
    RefusalReason.PRICE_BAND: (22047, "The order price exceeds the maximum price limit"),
    RefusalReason.INSUFFICIENT_MARGIN: (40762, "The order amount exceeds the balance"),
    RefusalReason.POSITION_LIMIT: (40763, "Exceeds position tier limit"),
}


def refused(refusal: Refusal) -> VenueRefusal:
    """Return Bitget's code and words for a refusal."""
    code, message = CODES[refusal.reason]
    return VenueRefusal(code, message)


def intent_of(call: Call, listing: Listing) -> OrderIntent:
    """Read an order of an account in one-way mode from its JSON object."""
    own_id, kind, side = call.text("clientOid"), call.required("orderType"), call.required("side")
    if own_id and not CLIENT_ID.fullmatch(own_id):
        raise VenueRefusal(40305, "Client_oid length is not greater than 50")
    if call.required("marginMode") not in MODES:
        raise bad("marginMode")
    if call.required("marginCoin") != COIN or kind not in ("limit", "market"):
        raise bad("marginCoin or orderType")
    if call.owner.is_hedge_mode is not (call.text("tradeSide") in ("open", "close")):
        message = "The order type for unilateral position must also be the unilateral position type"
        raise VenueRefusal(40774, message)
    force, reduces = call.text("force") or "gtc", call.text("reduceOnly") or "NO"
    if side not in ("buy", "sell") or force not in FORCES or reduces not in YES_NO:
        raise bad("side, force or reduceOnly")
    is_market = kind == "market"
    return OrderIntent(
        listing=listing,
        client_order_id=own_id,
        side=Side(side),
        order_type=OrderType.MARKET if is_market else OrderType.LIMIT,
        time_in_force=TimeInForce.IOC if is_market else FORCES[force],
        base_quantity=call.decimal("size"),
        price=None if is_market else call.decimal("price"),
        reduce_only=reduces == "YES",
    )
