"""Payloads of orders and trades of Binance USD-M."""

from __future__ import annotations

from decimal import Decimal

from exchanges.domain import OrderType, Side, TimeInForce, VenueOrderStatus
from exchanges.simulator.accounts import Order, TradeRow
from exchanges.simulator.wire import Json, milliseconds, plain

EIGHT_PLACES = Decimal("0.00000001")
STATUSES = {
    VenueOrderStatus.OPEN: "NEW",
    VenueOrderStatus.PARTIAL: "PARTIALLY_FILLED",
    VenueOrderStatus.FILLED: "FILLED",
    VenueOrderStatus.CANCELED: "CANCELED",
    VenueOrderStatus.EXPIRED: "EXPIRED",
    VenueOrderStatus.REJECTED: "REJECTED",
}
FORCES = {TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.POST_ONLY: "GTX"}


def average_price(order: Order) -> str:
    """Return the average as the venue shows it, rounded half-even to eight places."""
    return plain(order.average_price.quantize(EIGHT_PLACES))


def order_payload(order: Order) -> Json:
    kind = "MARKET" if order.order_type is OrderType.MARKET else "LIMIT"
    return {
        "orderId": int(order.venue_order_id),
        "symbol": order.symbol,
        "status": STATUSES[order.status],
        "clientOrderId": order.client_order_id,
        "price": plain(order.price or Decimal(0)),
        "avgPrice": average_price(order),
        "origQty": plain(order.base_quantity),
        "executedQty": plain(order.filled),
        "cumQty": plain(order.filled),
        "cumQuote": plain(order.filled_quote),
        "timeInForce": FORCES[order.time_in_force],
        "type": kind,
        "reduceOnly": order.reduce_only,
        "closePosition": False,
        "side": order.side.value.upper(),
        "positionSide": "BOTH",
        "stopPrice": "0",
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "origType": kind,
        "priceMatch": "NONE",
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "goodTillDate": 0,
        "time": milliseconds(order.created_at),
        "updateTime": milliseconds(order.updated_at),
    }


def trade_payload(trade: TradeRow) -> Json:
    return {
        "symbol": trade.symbol,
        "id": int(trade.venue_trade_id),
        "orderId": int(trade.venue_order_id),
        "side": trade.side.value.upper(),
        "price": plain(trade.price),
        "qty": plain(trade.base_quantity),
        "realizedPnl": plain(trade.realised_pnl),
        "quoteQty": plain(trade.base_quantity * trade.price),
        "commission": plain(trade.fee),
        "commissionAsset": trade.fee_asset,
        "time": milliseconds(trade.filled_at),
        "positionSide": "BOTH",
        "buyer": trade.side is Side.BUY,
        "maker": trade.is_maker,
    }
