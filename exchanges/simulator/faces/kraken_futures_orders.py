"""Orders of Kraken Futures: as clients write them, as it answers, lists and remembers them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal

from exchanges.domain import OrderType, Side, TimeInForce, VenueOrderStatus
from exchanges.simulator.accounts import Order, TradeRow
from exchanges.simulator.admission import OrderIntent, RefusalReason
from exchanges.simulator.faces.kraken_futures_calls import Call, Refused, iso, number
from exchanges.simulator.listings import Listing
from exchanges.simulator.wire import Json, milliseconds, plain

CLIENT_ID = re.compile(r".{1,100}")
# What has ended is told by its look-up for so long.
REMEMBERED = timedelta(seconds=5)
TYPES = {
    "lmt": (OrderType.LIMIT, TimeInForce.GTC),
    "post": (OrderType.LIMIT, TimeInForce.POST_ONLY),
    "ioc": (OrderType.LIMIT, TimeInForce.IOC),
    "mkt": (OrderType.MARKET, TimeInForce.IOC),
}
STATUSES = {
    RefusalReason.QUANTITY_STEP: "invalidSize",
    RefusalReason.PRICE_STEP: "invalidPrice",
    RefusalReason.BELOW_MIN_QUANTITY: "invalidSize",
    RefusalReason.ABOVE_MAX_QUANTITY: "invalidSize",
    RefusalReason.BELOW_MIN_NOTIONAL: "invalidSize",
    RefusalReason.DUPLICATE_ID: "clientOrderIdAlreadyExist",
    RefusalReason.REDUCE_ONLY: "wouldNotReducePosition",
    RefusalReason.PRICE_BAND: "outsidePriceCollar",
    RefusalReason.WOULD_TAKE: "postWouldExecute",
    RefusalReason.INSUFFICIENT_MARGIN: "insufficientAvailableFunds",
    RefusalReason.POSITION_LIMIT: "maxPositionViolation",
}
STATES = {
    VenueOrderStatus.OPEN: "ENTERED_BOOK",
    VenueOrderStatus.PARTIAL: "ENTERED_BOOK",
    VenueOrderStatus.FILLED: "FULLY_EXECUTED",
}
CANCELLED = "CANCELLED"


def intent_of(call: Call, listing: Listing) -> OrderIntent:
    """Read an order from its parameters."""
    kind, side = call.required("orderType"), call.required("side")
    own_id = call.text("cliOrdId")
    if own_id and not CLIENT_ID.fullmatch(own_id):
        raise Refused("invalidArgument")
    if kind not in TYPES or side not in ("buy", "sell"):
        raise Refused("invalidArgument")
    order_type, time_in_force = TYPES[kind]
    return OrderIntent(
        listing=listing,
        client_order_id=own_id,
        side=Side(side),
        order_type=order_type,
        time_in_force=time_in_force,
        base_quantity=call.decimal("size"),
        price=None if order_type is OrderType.MARKET else call.decimal("limitPrice"),
        reduce_only=call.text("reduceOnly") == "true",
    )


def is_told(order: Order, now: datetime) -> bool:
    """Tell whether a look-up still shows an order."""
    is_remembered = not order.is_final or now - order.updated_at <= REMEMBERED
    return is_remembered and order.visible_at <= now


def _type(order: Order) -> str:
    if order.order_type is OrderType.MARKET or order.time_in_force is TimeInForce.IOC:
        return "ioc"
    return "post" if order.time_in_force is TimeInForce.POST_ONLY else "lmt"


def event_order(order: Order, filled: Decimal) -> Json:
    """Return an order as the answer to sending it tells it, filled so far."""
    return {
        "orderId": order.venue_order_id,
        "cliOrdId": order.client_order_id or None,
        "type": _type(order),
        "symbol": order.symbol,
        "side": order.side.value,
        "quantity": number(order.base_quantity),
        "filled": number(filled),
        "limitPrice": number(order.price or Decimal(0)),
        "reduceOnly": order.reduce_only,
        "timestamp": iso(order.created_at),
        "lastUpdateTimestamp": iso(order.updated_at),
    }


def send_events(order: Order, trades: list[TradeRow]) -> list[Json]:
    """Return what became of an order at once: executions, then its place in the book."""
    found: list[Json] = []
    filled = Decimal(0)
    for trade in trades:
        found.append(
            {
                "type": "EXECUTION",
                "executionId": trade.venue_trade_id,
                "price": number(trade.price),
                "amount": number(trade.base_quantity),
                "orderPriorEdit": None,
                "orderPriorExecution": event_order(order, filled),
                "takerReducedQuantity": None,
            }
        )
        filled += trade.base_quantity
    if not order.is_final:
        placed = event_order(order, filled)
        found.append({"type": "PLACE", "order": placed, "reducedQuantity": None})
    return found


def rejection(order: Order) -> Json:
    return {
        "type": "REJECT",
        "uid": order.venue_order_id,
        "reason": "IOC_WOULD_NOT_EXECUTE",
        "order": event_order(order, Decimal(0)),
    }


def looked_up(order: Order) -> Json:
    """Return an order as `orders/status` tells it."""
    row = event_order(order, order.filled)
    row |= {"type": "ORDER", "priceTriggerOptions": None, "triggerTime": None}
    return {
        "order": row,
        "status": STATES.get(order.status, CANCELLED),
        "updateReason": None,
        "error": None,
    }


def working(order: Order) -> Json:
    """Return an order as `openorders` lists it."""
    return {
        "order_id": order.venue_order_id,
        "cliOrdId": order.client_order_id or None,
        "symbol": order.symbol,
        "side": order.side.value,
        "orderType": "lmt",
        "limitPrice": number(order.price or Decimal(0)),
        "unfilledSize": number(order.remaining),
        "filledSize": number(order.filled),
        "receivedTime": iso(order.created_at),
        "lastUpdateTime": iso(order.updated_at),
        "status": "partiallyFilled" if order.filled else "untouched",
        "reduceOnly": order.reduce_only,
    }


def past_events(order: Order) -> list[Json]:
    """Return what the history tells of an order, oldest first; executions are told elsewhere."""
    # One that never rests is written down when all that it takes is taken.
    taken = order.filled if _type(order) == "ioc" else Decimal(0)
    placed = _past(order, order.created_at, taken)
    found = [
        _element("OrderPlaced", order.created_at, {"order": placed, "reason": "new_user_order"})
    ]
    if order.status in (VenueOrderStatus.CANCELED, VenueOrderStatus.EXPIRED):
        ended = {
            "order": _past(order, order.updated_at, order.filled),
            "reason": "cancelled_by_user",
        }
        found.append(_element("OrderCancelled", order.updated_at, ended))
    return found


def _element(kind: str, at: datetime, event: Json) -> Json:
    return {
        "uid": event["order"]["uid"],
        "timestamp": milliseconds(at),
        "event": {kind: event | {"reducedQuantity": ""}},
    }


def _past(order: Order, at: datetime, filled: Decimal) -> Json:
    """Return an order as the history keeps it: its quantity is what was left then."""
    kinds = {"ioc": "IoC", "lmt": "Limit", "post": "Post"}
    return {
        "uid": order.venue_order_id,
        "accountUid": order.api_key,
        "tradeable": order.symbol,
        "direction": order.side.value.capitalize(),
        "quantity": plain(order.base_quantity - filled),
        "filled": plain(filled),
        "timestamp": milliseconds(order.created_at),
        "limitPrice": plain(order.price or Decimal(0)),
        "orderType": kinds[_type(order)],
        "clientId": order.client_order_id,
        "reduceOnly": order.reduce_only,
        "lastUpdateTimestamp": milliseconds(at),
        "spotData": None,
    }


def streamed_order(order: Order) -> Json:
    """Return a working order as the private feed shows it: its quantity is what is left."""
    row = {
        "instrument": order.symbol,
        "time": milliseconds(order.created_at),
        "last_update_time": milliseconds(order.updated_at),
        "qty": number(order.remaining),
        "filled": number(order.filled),
        "limit_price": number(order.price or Decimal(0)),
        "stop_price": 0.0,
        "type": "limit",
        "order_id": order.venue_order_id,
        "direction": 0 if order.side is Side.BUY else 1,
        "reduce_only": order.reduce_only,
    }
    return row | ({"cli_ord_id": order.client_order_id} if order.client_order_id else {})
