"""Hyperliquid orders as clients write them, what they are refused with, and how they are told."""

from __future__ import annotations

import re

from exchanges.domain import OrderType, Side, TimeInForce, VenueOrderStatus
from exchanges.simulator.accounts import FundingRow, Order, Origin, TradeRow, TransferRow
from exchanges.simulator.admission import OrderIntent, Refusal, RefusalReason
from exchanges.simulator.faces.hyperliquid_calls import malformed, number_in
from exchanges.simulator.listings import Listing
from exchanges.simulator.wire import Json, milliseconds, plain

CLOID = re.compile(r"0x[0-9a-f]{32}")
NO_HASH = "0x" + "0" * 64
FORCES = {"Gtc": TimeInForce.GTC, "Ioc": TimeInForce.IOC, "Alo": TimeInForce.POST_ONLY}
TIFS = {force: tif for tif, force in FORCES.items()}
SIDES = {Side.BUY: "B", Side.SELL: "A"}
STATUSES = {
    VenueOrderStatus.OPEN: "open",
    VenueOrderStatus.PARTIAL: "open",
    VenueOrderStatus.FILLED: "filled",
    VenueOrderStatus.CANCELED: "canceled",
    VenueOrderStatus.REJECTED: "rejected",
}
DIRECTIONS = {Origin.ADL: "Auto-Deleveraging", Origin.SETTLEMENT: "Settlement"}
WORDS = {
    RefusalReason.QUANTITY_STEP: "Order has invalid size.",
    RefusalReason.BELOW_MIN_QUANTITY: "Order has invalid size.",
    RefusalReason.ABOVE_MAX_QUANTITY: "Order has invalid size.",
    RefusalReason.PRICE_STEP: "Price must be divisible by tick size.",
    RefusalReason.BELOW_MIN_NOTIONAL: "Order must have minimum value of $10.",
    RefusalReason.DUPLICATE_ID: "Duplicate cloid.",
    RefusalReason.REDUCE_ONLY: "Reduce only order would increase position.",
    RefusalReason.PRICE_BAND: ("Order price cannot be more than 80% away from the reference price"),
    RefusalReason.INSUFFICIENT_MARGIN: "Insufficient margin to place order.",
    RefusalReason.POSITION_LIMIT: (
        "Order would cause position to exceed margin tier limit at current leverage"
    ),
    RefusalReason.WOULD_TAKE: "Post only order would have immediately matched",
}
NO_MATCH = "Order could not immediately match against any resting orders."
GONE = "Order was never placed, already canceled, or filled."


def words_of(refusal: Refusal) -> str:
    return WORDS[refusal.reason]


def intent_of(order: Json, listing: Listing) -> OrderIntent:
    """Read one order of an action."""
    own_id, kind = order.get("c", ""), order.get("t")
    limit = kind.get("limit") if isinstance(kind, dict) else None
    tif = limit.get("tif") if isinstance(limit, dict) else None
    if own_id and not CLOID.fullmatch(str(own_id)):
        raise malformed()
    flags = order.get("b"), order.get("r")
    if tif not in FORCES or not all(isinstance(flag, bool) for flag in flags):
        raise malformed()
    return OrderIntent(
        listing=listing,
        client_order_id=str(own_id),
        side=Side.BUY if order["b"] else Side.SELL,
        order_type=OrderType.LIMIT,
        time_in_force=FORCES[tif],
        base_quantity=number_in(order, "s"),
        price=number_in(order, "p"),
        reduce_only=order["r"],
    )


def placed(order: Order) -> Json:
    """Return what the answer to an order says of it."""
    named: Json = {"oid": int(order.venue_order_id)}
    if order.client_order_id:
        named |= {"cloid": order.client_order_id}
    if order.filled and (order.is_final or not order.remaining):
        average = plain(round(order.average_price, 6))
        return {"filled": {"totalSz": plain(order.filled), "avgPx": average, **named}}
    return {"error": NO_MATCH} if order.is_final else {"resting": named}


def status_of(order: Order) -> str:
    if order.status is VenueOrderStatus.EXPIRED:
        return "canceled" if order.filled else "iocCancelRejected"
    return STATUSES[order.status]


def basic_order(order: Order) -> Json:
    """Return an order as the stream of updates shows it."""
    return {
        "coin": order.symbol,
        "side": SIDES[order.side],
        "limitPx": plain(order.price) if order.price is not None else "0",
        "sz": plain(order.remaining),
        "oid": int(order.venue_order_id),
        "timestamp": milliseconds(order.created_at),
        "origSz": plain(order.base_quantity),
        "cloid": order.client_order_id or None,
    }


def whole_order(order: Order) -> Json:
    """Return an order as look-ups and the list of open orders show it."""
    return basic_order(order) | {
        "triggerCondition": "N/A",
        "isTrigger": False,
        "triggerPx": "0.0",
        "children": [],
        "isPositionTpsl": False,
        "reduceOnly": order.reduce_only,
        "orderType": "Limit" if order.order_type is OrderType.LIMIT else "Market",
        "tif": TIFS[order.time_in_force],
    }


def update(order: Order, shown: Json) -> Json:
    at = milliseconds(order.updated_at)
    return {"order": shown, "status": status_of(order), "statusTimestamp": at}


def fill_payload(trade: TradeRow, order: Order) -> Json:
    opens, long = not trade.closed_quantity, trade.side is Side.BUY
    direction = f"{'Open' if opens else 'Close'} {'Long' if long is opens else 'Short'}"
    row: Json = {
        "coin": trade.symbol,
        "px": plain(trade.price),
        "sz": plain(trade.base_quantity),
        "side": SIDES[trade.side],
        "time": milliseconds(trade.filled_at),
        "startPosition": "0.0",
        "dir": DIRECTIONS.get(order.origin, direction),
        "closedPnl": plain(trade.realised_pnl),
        "hash": NO_HASH,
        "oid": int(trade.venue_order_id),
        "crossed": not trade.is_maker,
        "fee": plain(trade.fee),
        "tid": int(trade.venue_trade_id),
        "feeToken": trade.fee_asset,
        "twapId": None,
    }
    if trade.client_order_id:
        row["cloid"] = trade.client_order_id
    if order.origin is Origin.LIQUIDATION:
        mark = plain(trade.mark_price)
        row["liquidation"] = {
            "liquidatedUser": trade.api_key,
            "markPx": mark,
            "method": "market",
        }
    return row


def payment_payload(row: FundingRow) -> Json:
    delta = {
        "type": "funding",
        "coin": row.symbol,
        "usdc": plain(row.payment),
        "szi": plain(row.position_base),
        "fundingRate": plain(row.funding_rate),
        "nSamples": None,
    }
    return {"time": milliseconds(row.settled_at), "hash": NO_HASH, "delta": delta}


def transfer_payload(row: TransferRow) -> Json:
    delta: Json = {"type": "deposit", "usdc": plain(row.amount)}
    if row.amount < 0:
        delta = {"type": "withdraw", "usdc": plain(-row.amount), "nonce": row.number, "fee": "0"}
    # Each has the hash of its transaction.
    return {"time": milliseconds(row.moved_at), "hash": f"0x{row.number:064x}", "delta": delta}
