"""KuCoin futures orders as clients write them, and the codes with which they are refused."""

from __future__ import annotations

import re
from decimal import Decimal

from exchanges.domain import OrderType, Side, TimeInForce
from exchanges.simulator.admission import OrderIntent, Refusal, RefusalReason
from exchanges.simulator.faces.kucoin_calls import Call, bad
from exchanges.simulator.listings import KUCOIN, Listing
from exchanges.simulator.wire import VenueRefusal

CLIENT_ID = re.compile(r"[0-9A-Za-z_-]{1,40}")
FORCES = {"GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC}
BAD_SIZE = (300000, "request parameter illegal")
CODES = {
    RefusalReason.QUANTITY_STEP: BAD_SIZE,
    RefusalReason.BELOW_MIN_QUANTITY: BAD_SIZE,
    RefusalReason.ABOVE_MAX_QUANTITY: BAD_SIZE,
    RefusalReason.BELOW_MIN_NOTIONAL: BAD_SIZE,
    RefusalReason.PRICE_STEP: (100001, "Price parameter invalid: no multiple of the tick"),
    RefusalReason.DUPLICATE_ID: (300018, "clientOid parameter repeated"),
    RefusalReason.REDUCE_ONLY: (300009, "No open positions to close."),
    RefusalReason.INSUFFICIENT_MARGIN: (300003, "Balance not enough"),
    RefusalReason.POSITION_LIMIT: (300005, "The order will exceed the maximum risk limit."),
}
TOO_HIGH = 300011, "Order price cannot be higher than the limit"
TOO_LOW = 300012, "Order price cannot be lower than the limit"
OTHER_MARGIN = "The order's margin mode does not match the selected one. Please switch."
OTHER_MODE = "Your order is in One-Way Mode, while your account is set to Hedge Mode."


def refused(refusal: Refusal, side: Side) -> VenueRefusal:
    """Return KuCoin's code and words for a refusal."""
    if refusal.reason is RefusalReason.PRICE_BAND:
        code, message = TOO_HIGH if side is Side.BUY else TOO_LOW
    else:
        code, message = CODES[refusal.reason]
    return VenueRefusal(code, message, status=200)


def intent_of(call: Call, listing: Listing) -> OrderIntent:
    """Read an order of an account in one-way mode from its JSON object, in contracts."""
    own_id, kind, side = call.required("clientOid"), call.text("type") or "limit", call.text("side")
    if not CLIENT_ID.fullmatch(own_id) or kind not in ("limit", "market"):
        raise bad("clientOid or type")
    if side not in ("buy", "sell"):
        raise bad("side")
    _agree(call, listing)
    is_market, size = kind == "market", call.parameters.get("size")
    if not isinstance(size, int) or isinstance(size, bool):
        raise bad("size")
    force = _force(call)
    return OrderIntent(
        listing=listing,
        client_order_id=own_id,
        side=Side(side),
        order_type=OrderType.MARKET if is_market else OrderType.LIMIT,
        time_in_force=TimeInForce.IOC if is_market else force,
        base_quantity=Decimal(size) * listing.contract_value,
        price=None if is_market else call.decimal("price"),
        reduce_only=call.parameters.get("reduceOnly") is True,
    )


def _agree(call: Call, listing: Listing) -> None:
    """Refuse an order for other modes than the contract and the account are set to."""
    if call.owner.is_hedge_mode and not call.text("positionSide"):
        raise VenueRefusal(330012, OTHER_MODE, status=200)
    mode = "ISOLATED" if call.owner.is_isolated(KUCOIN, listing.symbol) else "CROSS"
    if (call.text("marginMode") or "ISOLATED") != mode:
        raise VenueRefusal(330005, OTHER_MARGIN, status=200)
    call.decimal("leverage")


def _force(call: Call) -> TimeInForce:
    force = FORCES.get(call.text("timeInForce") or "GTC")
    if force is None:
        raise bad("timeInForce")
    is_post_only = call.parameters.get("postOnly") is True and force is TimeInForce.GTC
    return TimeInForce.POST_ONLY if is_post_only else force
