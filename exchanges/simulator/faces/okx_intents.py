"""OKX v5 orders as clients write them, and the codes with which they are refused."""

from __future__ import annotations

import re

from exchanges.domain import OrderType, Side, TimeInForce
from exchanges.matching import Holding
from exchanges.simulator.admission import OrderIntent, Refusal, RefusalReason
from exchanges.simulator.faces.okx_calls import Call, bad
from exchanges.simulator.listings import Listing
from exchanges.simulator.wire import VenueRefusal

CLIENT_ID = re.compile(r"[A-Za-z0-9]{1,32}")
TAG = re.compile(r"[A-Za-z0-9]{1,16}")
FORCES = {
    "market": TimeInForce.IOC,
    "limit": TimeInForce.GTC,
    "post_only": TimeInForce.POST_ONLY,
    "ioc": TimeInForce.IOC,
}
MODES, SPOT_MODES = ("cross", "isolated"), ("cash",)
CODES = {
    RefusalReason.QUANTITY_STEP: (51121, "Order quantity must be a multiple of the lot size."),
    RefusalReason.PRICE_STEP: (
        51150,
        "The precision of the number of trades or the price exceeds the limit.",
    ),
    RefusalReason.BELOW_MIN_QUANTITY: (
        51020,
        "Your order should meet or exceed the minimum order amount.",
    ),
    RefusalReason.ABOVE_MAX_QUANTITY: (51202, "Market order amount exceeds the maximum amount."),
    RefusalReason.DUPLICATE_ID: (51016, "Client order ID already exists."),
    RefusalReason.PRICE_BAND: (51006, "Order price is not within the price limit"),
    RefusalReason.INSUFFICIENT_MARGIN: (51008, "Order failed. Insufficient USDT margin in account"),
    RefusalReason.POSITION_LIMIT: (
        51004,
        "Order failed. The position would exceed the maximum amount under current leverage.",
    ),
}
NOTHING_TO_REDUCE = (
    51169,
    "Order failed because you don't have any positions in this direction for this contract to "
    "reduce or close.",
)
SAME_DIRECTION = (
    51170,
    "Failed to place order. A reduce-only order can't be the same trading direction as your "
    "existing positions.",
)


def code_of(refusal: Refusal, holding: Holding) -> tuple[int, str]:
    """Return OKX's code and words for a refusal."""
    if refusal.reason is RefusalReason.REDUCE_ONLY:
        return SAME_DIRECTION if holding.base_quantity else NOTHING_TO_REDUCE
    return CODES[refusal.reason]


def intent_of(call: Call, listing: Listing) -> OrderIntent:
    """Read an order from its JSON object; its size counts contracts."""
    own_id, tag, kind = call.text("clOrdId"), call.text("tag"), call.required("ordType")
    if own_id and not CLIENT_ID.fullmatch(own_id):
        raise bad("clOrdId")
    if tag and not TAG.fullmatch(tag):
        raise bad("tag")
    if kind not in FORCES:
        raise bad("ordType")
    is_spot, is_market = not listing.is_contract, kind == "market"
    if call.required("tdMode") not in (SPOT_MODES if is_spot else MODES):
        raise bad("tdMode")
    if is_spot and is_market and call.text("side") == "buy" and call.text("tgtCcy") != "base_ccy":
        raise VenueRefusal(51000, "tgtCcy: amounts in quote are not simulated", status=400)
    is_hedged = call.owner.is_hedge_mode and not is_spot
    if call.text("posSide") not in (("long", "short") if is_hedged else ("", "net")):
        raise bad("posSide")
    if call.required("side") not in ("buy", "sell"):
        raise bad("side")
    if not is_market and not call.text("px"):
        raise VenueRefusal(51204, "The price for the limit order cannot be empty.", status=200)
    return OrderIntent(
        listing=listing,
        client_order_id=own_id,
        side=Side(call.text("side")),
        order_type=OrderType.MARKET if is_market else OrderType.LIMIT,
        time_in_force=FORCES[kind],
        base_quantity=call.decimal("sz") * listing.contract_value,
        price=None if is_market else call.decimal("px"),
        reduce_only=not is_spot and call.parameters.get("reduceOnly") in (True, "true"),
        tag=tag,
    )
