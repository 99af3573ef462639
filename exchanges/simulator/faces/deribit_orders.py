"""Orders and executions of Deribit: as clients write them, as it answers and lists them."""

from __future__ import annotations

from datetime import datetime, timedelta

from exchanges.domain import OrderType, Side, TimeInForce, VenueOrderStatus
from exchanges.simulator.accounts import Order, Origin, TradeRow
from exchanges.simulator.admission import OrderIntent, Refusal, RefusalReason
from exchanges.simulator.faces.deribit_calls import Call, bad, number
from exchanges.simulator.listings import Listing
from exchanges.simulator.wire import Json, VenueRefusal, milliseconds

LONGEST_LABEL = 64
# How long an ended order, and an execution, are in the recent lists; then in the others alone.
ORDERS_RECENT, TRADES_RECENT = timedelta(minutes=30), timedelta(hours=24)
FORCES = {
    "good_til_cancelled": TimeInForce.GTC,
    "immediate_or_cancel": TimeInForce.IOC,
}
REFUSALS = {
    RefusalReason.QUANTITY_STEP: (10021, "invalid_amount"),
    RefusalReason.PRICE_STEP: (10043, "price_wrong_tick"),
    RefusalReason.BELOW_MIN_QUANTITY: (10002, "qty_too_low"),
    RefusalReason.ABOVE_MAX_QUANTITY: (10021, "invalid_amount"),
    RefusalReason.REDUCE_ONLY: (11030, "other_reject: nothing to reduce"),
    RefusalReason.PRICE_BAND: (10007, "price_too_high"),
    RefusalReason.WOULD_TAKE: (11054, "post_only_reject"),
    RefusalReason.INSUFFICIENT_MARGIN: (10009, "not_enough_funds"),
    RefusalReason.POSITION_LIMIT: (10018, "non_pme_max_future_position_size"),
}
STATES = {
    VenueOrderStatus.OPEN: "open",
    VenueOrderStatus.PARTIAL: "open",
    VenueOrderStatus.FILLED: "filled",
}


def refused(result: Refusal) -> VenueRefusal:
    return VenueRefusal(*REFUSALS[result.reason])


def intent_of(call: Call, listing: Listing, side: Side) -> OrderIntent:
    """Read an order. Raise `timed_out` where it wanted to be begun with before now."""
    kind, force = call.text("type") or "limit", call.text("time_in_force") or "good_til_cancelled"
    if kind not in ("limit", "market") or force not in FORCES:
        raise bad("type")
    if len(call.text("label")) > LONGEST_LABEL:
        raise bad("label")
    if milliseconds(call.now) >= call.number("valid_until", 1 << 53):
        raise VenueRefusal(13888, "timed_out")
    is_market = kind == "market"
    if is_market and force != "good_til_cancelled":
        raise bad("time_in_force")
    time_in_force = TimeInForce.IOC if is_market else FORCES[force]
    if call.flag("post_only"):
        if not call.flag("reject_post_only"):
            raise bad("reject_post_only")
        time_in_force = TimeInForce.POST_ONLY
    return OrderIntent(
        listing=listing,
        client_order_id=call.text("label"),
        side=side,
        order_type=OrderType.MARKET if is_market else OrderType.LIMIT,
        time_in_force=time_in_force,
        base_quantity=call.decimal("amount"),
        price=None if is_market else call.decimal("price"),
        reduce_only=call.flag("reduce_only"),
    )


def is_recent(order: Order, now: datetime) -> bool:
    """Tell whether an order still stands in the recent lists."""
    return not order.is_final or now - order.updated_at <= ORDERS_RECENT


def order_payload(order: Order) -> Json:
    kind = "market" if order.order_type is OrderType.MARKET else "limit"
    is_immediate = kind == "market" or order.time_in_force is TimeInForce.IOC
    is_post_only = order.time_in_force is TimeInForce.POST_ONLY
    row = {
        "order_id": order.venue_order_id,
        "order_state": STATES.get(order.status, "cancelled"),
        "order_type": kind,
        "time_in_force": "immediate_or_cancel" if is_immediate else "good_til_cancelled",
        "instrument_name": order.symbol,
        "creation_timestamp": milliseconds(order.created_at),
        "last_update_timestamp": milliseconds(order.updated_at),
        "direction": order.side.value,
        "price": number(order.price) if order.price else "market_price",
        "label": order.client_order_id,
        "post_only": is_post_only,
        "reduce_only": order.reduce_only,
        "api": not order.origin.is_venue,
        "web": False,
        "amount": number(order.base_quantity),
        "contracts": number(order.base_quantity),
        "filled_amount": number(order.filled),
        "average_price": number(round(order.average_price, 8)),
        "is_liquidation": order.origin is Origin.LIQUIDATION,
        "replaced": False,
    }
    return row | ({"reject_post_only": True} if is_post_only else {})


def trade_payload(trade: TradeRow, order: Order) -> Json:
    """Return one execution; whom it was forced on is told by his role in it."""
    is_forced = order.origin is Origin.LIQUIDATION
    role = "M" if trade.is_maker else "T"
    row = {
        "trade_id": trade.venue_trade_id,
        "trade_seq": trade.number,
        "instrument_name": trade.symbol,
        "timestamp": milliseconds(trade.filled_at),
        "order_id": trade.venue_order_id,
        "order_type": "limit" if order.price else "market",
        "matching_id": None,
        "direction": trade.side.value,
        "tick_direction": 0,
        "index_price": number(trade.mark_price),
        "mark_price": number(trade.mark_price),
        "price": number(trade.price),
        "amount": number(trade.base_quantity),
        "contracts": number(trade.base_quantity),
        "fee": number(trade.fee),
        "fee_currency": trade.fee_asset,
        "liquidity": role,
        "state": STATES.get(order.status, "cancelled"),
        "profit_loss": number(trade.realised_pnl),
        "reduce_only": order.reduce_only,
        "post_only": order.time_in_force is TimeInForce.POST_ONLY,
        "api": not order.origin.is_venue,
    }
    named = {"label": trade.client_order_id} if trade.client_order_id else {}
    return row | named | ({"liquidation": role} if is_forced else {})
