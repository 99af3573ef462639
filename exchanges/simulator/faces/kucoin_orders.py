"""Payloads of futures orders, executions, funding and transfers of KuCoin, in contracts."""

from __future__ import annotations

from exchanges.domain import OrderType, TimeInForce, VenueOrderStatus
from exchanges.simulator.accounts import Account, FundingRow, Order, Origin, TradeRow, TransferRow
from exchanges.simulator.faces.kucoin_calls import contracts, nanoseconds, number
from exchanges.simulator.listings import KUCOIN, Listing
from exchanges.simulator.wire import Json, milliseconds, plain

TRADE_TYPES = {
    Origin.LIQUIDATION: "liquid",
    Origin.ADL: "adl",
    Origin.SETTLEMENT: "settlement",
}


def margin_mode(owner: Account, symbol: str) -> str:
    return "ISOLATED" if owner.is_isolated(KUCOIN, symbol) else "CROSS"


def _force(order: Order) -> str:
    return "IOC" if order.time_in_force is TimeInForce.IOC else "GTC"


def _kind(order: Order) -> str:
    return "market" if order.order_type is OrderType.MARKET else "limit"


def order_payload(order: Order, owner: Account, listing: Listing) -> Json:
    """Return an order as look-ups and lists show it."""
    filled = contracts(listing, order.filled)
    canceled = order.is_final and order.status is not VenueOrderStatus.FILLED
    return {
        "id": order.venue_order_id,
        "symbol": order.symbol,
        "type": _kind(order),
        "side": order.side.value,
        "price": "" if order.price is None else plain(order.price),
        "size": contracts(listing, order.base_quantity),
        "value": plain(order.base_quantity * (order.price or 0)),
        "dealValue": plain(order.filled_quote),
        "dealSize": filled,
        "stp": "",
        "stop": "",
        "stopPriceType": "",
        "stopTriggered": False,
        "stopPrice": None,
        "timeInForce": _force(order),
        "postOnly": order.time_in_force is TimeInForce.POST_ONLY,
        "hidden": False,
        "iceberg": False,
        "leverage": plain(owner.leverage(KUCOIN, order.symbol)),
        "forceHold": False,
        "closeOrder": False,
        "visibleSize": 0,
        "clientOid": order.client_order_id,
        "remark": None,
        "tags": "",
        "isActive": not order.is_final,
        "cancelExist": canceled,
        "createdAt": milliseconds(order.created_at),
        "updatedAt": milliseconds(order.updated_at),
        "endAt": milliseconds(order.updated_at) if order.is_final else None,
        "orderTime": nanoseconds(order.created_at),
        "settleCurrency": listing.settle,
        "marginMode": margin_mode(owner, order.symbol),
        "avgDealPrice": plain(round(order.average_price, 8)),
        "filledSize": filled,
        "filledValue": plain(order.filled_quote),
        "status": "done" if order.is_final else "open",
        "reduceOnly": order.reduce_only,
    }


def fill_payload(trade: TradeRow, order: Order, owner: Account, listing: Listing) -> Json:
    """Return one execution as lists show it: without our own id."""
    return {
        "symbol": trade.symbol,
        "tradeId": trade.venue_trade_id,
        "orderId": trade.venue_order_id,
        "side": trade.side.value,
        "liquidity": "maker" if trade.is_maker else "taker",
        "forceTaker": False,
        "price": plain(trade.price),
        "size": contracts(listing, trade.base_quantity),
        "value": plain(trade.base_quantity * trade.price),
        "openFeePay": plain(trade.fee),
        "closeFeePay": "0",
        "stop": "",
        "feeRate": plain(trade.fee_rate),
        "fixFee": "0",
        "feeCurrency": trade.fee_asset,
        "subTradeType": None,
        "marginMode": margin_mode(owner, trade.symbol),
        "settleCurrency": listing.settle,
        "displayType": _kind(order),
        "fee": plain(trade.fee),
        "orderType": _kind(order),
        "tradeType": TRADE_TYPES.get(order.origin, "trade"),
        "tradeTime": nanoseconds(trade.filled_at),
        "createdAt": milliseconds(trade.filled_at),
    }


def streamed_order(order: Order, owner: Account, listing: Listing, kind: str) -> Json:
    """Return an order as the private channel shows it when `kind` of thing happened to it."""
    status = "done" if kind in ("filled", "canceled") else "open"
    left = 0 if status == "done" else contracts(listing, order.remaining)
    return {
        "symbol": order.symbol,
        "orderType": _kind(order),
        "side": order.side.value,
        "canceledSize": str(contracts(listing, order.remaining) if kind == "canceled" else 0),
        "orderId": order.venue_order_id,
        "marginMode": margin_mode(owner, order.symbol),
        "type": kind,
        "orderTime": nanoseconds(order.created_at),
        "size": str(contracts(listing, order.base_quantity)),
        "filledSize": str(contracts(listing, order.filled)),
        "price": "" if order.price is None else plain(order.price),
        "clientOid": order.client_order_id,
        "remainSize": str(left),
        "status": status,
        "ts": nanoseconds(order.updated_at),
        "tradeType": "liquid" if order.origin is Origin.LIQUIDATION else "trade",
    }


def streamed_match(order: Order, trade: TradeRow, owner: Account, listing: Listing) -> Json:
    """Return one execution as the channel of orders tells it: without its fee."""
    side = "maker" if trade.is_maker else "taker"
    return streamed_order(order, owner, listing, "match") | {
        "status": "open" if trade.is_maker else "match",
        "liquidity": side,
        "feeType": f"{side}Fee",
        "matchPrice": plain(trade.price),
        "matchSize": str(contracts(listing, trade.base_quantity)),
        "tradeId": trade.venue_trade_id,
    }


def payment_payload(row: FundingRow, owner: Account, listing: Listing) -> Json:
    return {
        "id": int(row.venue_payment_id.rpartition("-")[2]),
        "symbol": row.symbol,
        "timePoint": milliseconds(row.settled_at),
        "fundingRate": number(row.funding_rate),
        "markPrice": number(row.settlement_price),
        "positionQty": contracts(listing, row.position_base),
        "positionCost": number(row.position_base * row.settlement_price),
        "funding": number(row.payment),
        "settleCurrency": row.asset,
        "context": "",
        "marginMode": margin_mode(owner, row.symbol),
    }


def kind_of(row: TransferRow) -> str:
    return "TransferIn" if row.amount > 0 else "TransferOut"


def transfer_payload(row: TransferRow) -> Json:
    return {
        "time": milliseconds(row.moved_at),
        "type": kind_of(row),
        "amount": number(row.amount),
        "fee": 0,
        "accountEquity": 0,
        "status": "Completed",
        "remark": "",
        "offset": row.number,
        "currency": row.asset,
    }
