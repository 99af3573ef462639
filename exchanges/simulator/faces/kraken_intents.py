"""Kraken orders as clients write them, and the words with which they are refused."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from exchanges.domain import OrderType, Side, TimeInForce
from exchanges.simulator.admission import OrderIntent, Refusal, RefusalReason
from exchanges.simulator.faces.kraken_calls import Call, bad, refused
from exchanges.simulator.listings import Listing
from exchanges.simulator.wire import VenueRefusal

# 32 hex digits, with dashes or without, or a short text.
CLIENT_ID = re.compile(
    r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[\x21-\x7e]{1,18}", re.I
)
FORCES = {"": TimeInForce.GTC, "GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC}
LATEST_DEADLINE = timedelta(seconds=60)
WORDS = {
    RefusalReason.QUANTITY_STEP: "EGeneral:Invalid arguments:volume",
    RefusalReason.PRICE_STEP: "EOrder:Tick size check failed",
    RefusalReason.BELOW_MIN_QUANTITY: "EOrder:Order minimum not met",
    RefusalReason.ABOVE_MAX_QUANTITY: "EGeneral:Invalid arguments:volume",
    RefusalReason.BELOW_MIN_NOTIONAL: "EOrder:Cost minimum not met",
    RefusalReason.DUPLICATE_ID: "EGeneral:Invalid arguments:cl_ord_id",
    RefusalReason.PRICE_BAND: "EOrder:Invalid price",
    RefusalReason.WOULD_TAKE: "EOrder:Post only order",
    RefusalReason.INSUFFICIENT_MARGIN: "EOrder:Insufficient funds",
    RefusalReason.LIMITS_ONLY: "EService:Market in limit_only mode",
}


def refusal_of(refusal: Refusal) -> VenueRefusal:
    """Return Kraken's words for a refusal."""
    return refused(WORDS[refusal.reason])


def check_deadline(call: Call) -> None:
    """Refuse an order that comes after its own end, or names one that is far off."""
    written = call.text("deadline")
    if not written:
        return
    try:
        until = datetime.fromisoformat(written)
    except ValueError:
        raise bad("deadline") from None
    if until > call.now + LATEST_DEADLINE:
        raise bad("deadline")
    if until < call.now:
        raise refused("EService:Deadline elapsed")


def intent_of(call: Call, listing: Listing) -> OrderIntent:
    """Read an order in cash whose fee is money: fees in coins are not simulated."""
    own_id, kind, side = call.text("cl_ord_id"), call.required("ordertype"), call.required("type")
    if own_id and not CLIENT_ID.fullmatch(own_id):
        raise bad("cl_ord_id")
    if kind not in ("market", "limit") or side not in ("buy", "sell"):
        raise bad("ordertype or type")
    flags, force = set(call.text("oflags").split(",")), call.text("timeinforce")
    if force not in FORCES or "fciq" not in flags or flags - {"fciq", "post"}:
        raise bad("timeinforce or oflags")
    check_deadline(call)
    is_market = kind == "market"
    return OrderIntent(
        listing=listing,
        client_order_id=own_id,
        side=Side(side),
        order_type=OrderType.MARKET if is_market else OrderType.LIMIT,
        time_in_force=(
            TimeInForce.IOC
            if is_market
            else TimeInForce.POST_ONLY
            if "post" in flags
            else FORCES[force]
        ),
        base_quantity=call.decimal("volume"),
        price=None if is_market else call.decimal("price"),
        reduce_only=False,
    )
