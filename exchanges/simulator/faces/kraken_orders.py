"""Payloads of orders and executions at Kraken, over REST and by its socket."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from exchanges.domain import OrderType, TimeInForce, VenueOrderStatus
from exchanges.simulator.accounts import Order, TradeRow
from exchanges.simulator.events import Happening
from exchanges.simulator.faces.kraken_calls import socket_name
from exchanges.simulator.listings import Listing
from exchanges.simulator.wire import Json, plain

STATUSES = {
    VenueOrderStatus.OPEN: "open",
    VenueOrderStatus.PARTIAL: "open",
    VenueOrderStatus.FILLED: "closed",
    VenueOrderStatus.CANCELED: "canceled",
    VenueOrderStatus.EXPIRED: "expired",
    VenueOrderStatus.REJECTED: "canceled",
}
STREAMED = {
    VenueOrderStatus.OPEN: "new",
    VenueOrderStatus.PARTIAL: "partially_filled",
    VenueOrderStatus.FILLED: "filled",
    VenueOrderStatus.CANCELED: "canceled",
    VenueOrderStatus.EXPIRED: "expired",
    VenueOrderStatus.REJECTED: "canceled",
}
ENDS = {Happening.CANCELED: "canceled", Happening.EXPIRED: "expired"}


def seconds(at: datetime) -> float:
    return round(at.timestamp(), 4)


def _kind(order: Order) -> str:
    return "market" if order.order_type is OrderType.MARKET else "limit"


def _average(order: Order) -> str:
    return plain(round(order.average_price, 5))


def written_id(order: Order) -> str | None:
    """Return a client id as lists show it: of 128 bits, with dashes."""
    told = order.client_order_id
    if len(told) != 32:
        return told or None
    return "-".join((told[:8], told[8:12], told[12:16], told[16:20], told[20:]))


def order_payload(order: Order) -> Json:
    kind, limit = _kind(order), plain(order.price or Decimal(0))
    flags = "fciq,post" if order.time_in_force is TimeInForce.POST_ONLY else "fciq"
    row = {
        "refid": None,
        "userref": 0,
        "cl_ord_id": written_id(order),
        "status": STATUSES[order.status],
        "opentm": seconds(order.created_at),
        "starttm": 0,
        "expiretm": 0,
        "descr": {
            "pair": order.symbol,
            "type": order.side.value,
            "ordertype": kind,
            "price": limit,
            "price2": "0",
            "leverage": "none",
            "order": description(order),
            "close": "",
        },
        "vol": plain(order.base_quantity),
        "vol_exec": plain(order.filled),
        "cost": plain(round(order.filled_quote, 5)),
        "fee": plain(order.fee_paid),
        "price": _average(order),
        "stopprice": "0.00000",
        "limitprice": "0.00000",
        "misc": "",
        "oflags": flags,
    }
    if not order.is_final:
        return row
    return row | {"closetm": seconds(order.updated_at), "reason": order.reject_reason or None}


def description(order: Order) -> str:
    at = f"limit {plain(order.price)}" if order.price else "market"
    return f"{order.side.value} {plain(order.base_quantity)} {order.symbol} @ {at}"


def trade_payload(trade: TradeRow, order: Order) -> Json:
    return {
        "ordertxid": trade.venue_order_id,
        "postxid": "TKH2SE-M7IF5-CFI7LT",
        "pair": trade.symbol,
        "time": seconds(trade.filled_at),
        "type": trade.side.value,
        "ordertype": _kind(order),
        "price": plain(trade.price),
        "cost": plain(trade.base_quantity * trade.price),
        "fee": plain(trade.fee),
        "vol": plain(trade.base_quantity),
        "margin": "0.00000",
        "leverage": "0",
        "misc": "",
        "trade_id": trade.number,
        "maker": trade.is_maker,
    }


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _basic(order: Order, at: datetime) -> Json:
    """Return what every row of the socket tells."""
    row: Json = {"order_id": order.venue_order_id, "timestamp": _stamp(at), "order_userref": 0}
    return row | ({"cl_ord_id": order.client_order_id} if order.client_order_id else {})


def whole_report(order: Order, listing: Listing, at: datetime, kind: str, status: str) -> Json:
    """Return all that is told of an order as it begins, or as the first message shows it."""
    return _basic(order, at) | {
        "symbol": socket_name(listing),
        "order_qty": float(order.base_quantity),
        "cum_cost": float(order.filled_quote),
        "time_in_force": "IOC" if order.time_in_force is TimeInForce.IOC else "GTC",
        "exec_type": kind,
        "side": order.side.value,
        "order_type": _kind(order),
        "limit_price": float(order.price or 0),
        "order_status": status,
        "fee_ccy_pref": "fciq",
    }


def open_report(order: Order, listing: Listing, at: datetime) -> Json:
    """Return a working order of the first message."""
    filled = {"cum_qty": float(order.filled), "avg_price": float(order.average_price)}
    return whole_report(order, listing, at, "new", STREAMED[order.status]) | filled


def brief_report(order: Order, at: datetime, kind: str) -> Json:
    """Return what is told of an order that begins to work: nothing of what is known."""
    return _basic(order, at) | {"exec_type": kind, "order_status": kind}


def end_report(order: Order, at: datetime, kind: str) -> Json:
    return brief_report(order, at, kind) | {
        "cum_qty": float(order.filled),
        "cum_cost": float(order.filled_quote),
        "avg_price": float(round(order.average_price, 5)),
    }


def trade_report(order: Order, trade: TradeRow, listing: Listing, at: datetime) -> Json:
    return _basic(order, at) | {
        "exec_id": trade.venue_trade_id,
        "exec_type": "trade",
        "trade_id": trade.number,
        "symbol": socket_name(listing),
        "side": order.side.value,
        "last_qty": float(trade.base_quantity),
        "last_price": float(trade.price),
        "liquidity_ind": "m" if trade.is_maker else "t",
        "cost": float(trade.base_quantity * trade.price),
        "order_type": _kind(order),
        "order_status": "partially_filled",
        "cum_qty": float(order.filled),
        "cum_cost": float(order.filled_quote),
        "avg_price": float(round(order.average_price, 5)),
        "fees": [{"asset": trade.fee_asset, "qty": float(trade.fee)}],
    }
