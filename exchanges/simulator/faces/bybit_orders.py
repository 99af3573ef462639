"""Payloads of orders and executions of Bybit v5."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from exchanges.domain import OrderType, Side, TimeInForce, VenueOrderStatus
from exchanges.simulator.accounts import Account, FundingRow, Order, Origin, TradeRow
from exchanges.simulator.ledger import Ledger
from exchanges.simulator.listings import BYBIT_SPOT
from exchanges.simulator.wire import Json, milliseconds, plain

EIGHT_PLACES = Decimal("0.00000001")
STATUSES = {
    VenueOrderStatus.OPEN: "New",
    VenueOrderStatus.PARTIAL: "PartiallyFilled",
    VenueOrderStatus.FILLED: "Filled",
    VenueOrderStatus.CANCELED: "Cancelled",
    VenueOrderStatus.EXPIRED: "Cancelled",
    VenueOrderStatus.REJECTED: "Rejected",
}
FORCES = {TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.POST_ONLY: "PostOnly"}
CREATE_TYPES = {
    Origin.LIQUIDATION: "CreateByLiq",
    Origin.ADL: "CreateByAdl_PassThrough",
    Origin.SETTLEMENT: "CreateBySettle",
    Origin.DELIVERY: "CreateBySettle",
}
EXECUTION_TYPES = {
    Origin.LIQUIDATION: "BustTrade",
    Origin.ADL: "AdlTrade",
    Origin.SETTLEMENT: "Settle",
    Origin.DELIVERY: "Delivery",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One row of the execution list, before it is written out."""

    at: datetime
    kind: str
    venue_order_id: str
    client_order_id: str
    source: TradeRow | FundingRow


def order_payload(order: Order) -> Json:
    price = order.price or Decimal(0)
    left = Decimal(0) if order.is_final else order.remaining
    average = plain(order.average_price.quantize(EIGHT_PLACES)) if order.filled else ""
    is_expired = order.status is VenueOrderStatus.EXPIRED
    reason = "EC_NoImmediateQtyToFill" if is_expired else "EC_NoError"
    return {
        "orderId": order.venue_order_id,
        "orderLinkId": order.client_order_id,
        "blockTradeId": "",
        "symbol": order.symbol,
        "price": plain(price),
        "qty": plain(order.base_quantity),
        "side": side_word(order.side),
        "isLeverage": str(int(order.may_borrow)) if order.venue == BYBIT_SPOT else "",
        "positionIdx": 0,
        "orderStatus": STATUSES[order.status],
        "cancelType": ("CancelByUser" if order.status is VenueOrderStatus.CANCELED else "UNKNOWN"),
        "rejectReason": order.reject_reason or reason,
        "avgPrice": average,
        "leavesQty": plain(left),
        "leavesValue": plain(left * price),
        "cumExecQty": plain(order.filled),
        "cumExecValue": plain(order.filled_quote),
        "cumExecFee": plain(order.fee_paid),
        "timeInForce": FORCES[order.time_in_force],
        "marketUnit": _market_unit(order),
        "orderType": "Market" if order.order_type is OrderType.MARKET else "Limit",
        "stopOrderType": "",
        "orderIv": "",
        "triggerPrice": "",
        "takeProfit": "",
        "stopLoss": "",
        "tpTriggerBy": "",
        "slTriggerBy": "",
        "triggerDirection": 0,
        "triggerBy": "",
        "lastPriceOnCreated": "",
        "reduceOnly": order.reduce_only,
        "closeOnTrigger": False,
        "createType": create_type(order.origin),
        "smpType": "None",
        "smpGroup": 0,
        "smpOrderId": "",
        "tpslMode": "",
        "tpLimitPrice": "",
        "slLimitPrice": "",
        "placeType": "",
        "createdTime": str(milliseconds(order.created_at)),
        "updatedTime": str(milliseconds(order.updated_at)),
    }


def _market_unit(order: Order) -> str:
    is_spot_market = order.venue == BYBIT_SPOT and order.order_type is OrderType.MARKET
    return "baseCoin" if is_spot_market else ""


def side_word(side: Side) -> str:
    return "Buy" if side is Side.BUY else "Sell"


def create_type(origin: Origin) -> str:
    return CREATE_TYPES.get(origin, "CreateByUser")


def executions(
    ledger: Ledger, owner: Account, symbol: str | None, *, venue: str
) -> list[Execution]:
    """Return trades and funding of an account, oldest first."""
    rows = [
        Execution(
            at=row.filled_at,
            kind=_trade_kind(ledger.orders[row.order_number]),
            venue_order_id=row.venue_order_id,
            client_order_id=row.client_order_id,
            source=row,
        )
        for row in ledger.account_trades(owner.api_key, venue, symbol)
    ]
    rows += [
        Execution(
            at=row.settled_at,
            kind="Funding",
            venue_order_id=row.venue_payment_id,
            client_order_id="",
            source=row,
        )
        for row in ledger.account_funding(owner.api_key, venue, symbol)
    ]
    return sorted(rows, key=lambda row: row.at)


def execution_payload(ledger: Ledger, row: Execution) -> Json:
    if isinstance(row.source, FundingRow):
        return funding_payload(row.source)
    return trade_payload(row.source, ledger.orders[row.source.order_number])


def _trade_kind(order: Order) -> str:
    return EXECUTION_TYPES.get(order.origin, "Trade")


def trade_payload(trade: TradeRow, order: Order) -> Json:
    return {
        "symbol": trade.symbol,
        "orderId": trade.venue_order_id,
        "orderLinkId": trade.client_order_id,
        "side": side_word(trade.side),
        "orderPrice": plain(order.price or Decimal(0)),
        "orderQty": plain(order.base_quantity),
        "leavesQty": plain(order.remaining),
        "createType": create_type(order.origin),
        "orderType": "Market" if order.order_type is OrderType.MARKET else "Limit",
        "stopOrderType": "UNKNOWN",
        "execFee": plain(trade.fee),
        "execId": trade.venue_trade_id,
        "execPrice": plain(trade.price),
        "execQty": plain(trade.base_quantity),
        "execType": _trade_kind(order),
        "execValue": plain(trade.base_quantity * trade.price),
        "execTime": str(milliseconds(trade.filled_at)),
        "feeCurrency": trade.fee_asset,
        "isMaker": trade.is_maker,
        "feeRate": plain(trade.fee_rate),
        "tradeIv": "",
        "markIv": "",
        "markPrice": plain(trade.mark_price),
        "indexPrice": "",
        "underlyingPrice": "",
        "blockTradeId": "",
        "closedSize": plain(trade.closed_quantity),
        "seq": trade.number,
    }


def funding_payload(row: FundingRow) -> Json:
    """`execFee` of a funding execution is positive when it was paid."""
    size = plain(abs(row.position_base))
    return {
        "symbol": row.symbol,
        "orderId": row.venue_payment_id,
        "orderLinkId": "",
        "side": "Buy" if row.position_base > 0 else "Sell",
        "orderPrice": "0",
        "orderQty": "0",
        "leavesQty": "0",
        "createType": "",
        "orderType": "UNKNOWN",
        "stopOrderType": "UNKNOWN",
        "execFee": plain(-row.payment),
        "execId": row.venue_payment_id,
        "execPrice": plain(row.settlement_price),
        "execQty": size,
        "execType": "Funding",
        "execValue": plain(abs(row.position_base) * row.settlement_price),
        "execTime": str(milliseconds(row.settled_at)),
        "feeCurrency": row.asset,
        "isMaker": False,
        "feeRate": plain(row.funding_rate),
        "tradeIv": "",
        "markIv": "",
        "markPrice": plain(row.settlement_price),
        "indexPrice": "",
        "underlyingPrice": "",
        "blockTradeId": "",
        "closedSize": "0",
        "seq": row.number,
    }
