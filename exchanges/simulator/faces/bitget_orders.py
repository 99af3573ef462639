"""Payloads of orders, executions and bills of Bitget v2; fees paid are below zero."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from exchanges.domain import OrderType, Side, TimeInForce, VenueOrderStatus
from exchanges.simulator.accounts import Account, FundingRow, Order, Origin, TradeRow, TransferRow
from exchanges.simulator.faces.bitget_calls import COIN
from exchanges.simulator.ledger import Ledger
from exchanges.simulator.listings import BITGET, WALLETS
from exchanges.simulator.wire import Json, milliseconds, plain

LIVE = "live"
STATES = {
    VenueOrderStatus.OPEN: LIVE,
    VenueOrderStatus.PARTIAL: "partially_filled",
    VenueOrderStatus.FILLED: "filled",
    VenueOrderStatus.CANCELED: "canceled",
    VenueOrderStatus.EXPIRED: "canceled",
    VenueOrderStatus.REJECTED: "canceled",
}
FORCES = {
    TimeInForce.GTC: "gtc",
    TimeInForce.IOC: "ioc",
    TimeInForce.POST_ONLY: "post_only",
}
FORCED = {
    Origin.LIQUIDATION: ("burst_buy_single", "burst_sell_single"),
    Origin.ADL: ("dte_sys_adl_buy_in_single_side_mode", "dte_sys_adl_sell_in_single_side_mode"),
    Origin.SETTLEMENT: ("delivery_buy_single", "delivery_sell_single"),
}
BOUGHT_OR_SOLD = ("buy_single", "sell_single")
FUNDING = "contract_settle_fee"
FIRST_TRADE, FIRST_TRANSFER = 7_000_000_000, 8_000_000_000


def mode_of(owner: Account) -> str:
    return "hedge_mode" if owner.is_hedge_mode else "one_way_mode"


def margin_mode(owner: Account, symbol: str) -> str:
    return "isolated" if owner.is_isolated(BITGET, symbol) else "crossed"


def _trade_side(order: Order) -> str:
    bought, sold = FORCED.get(order.origin, BOUGHT_OR_SOLD)
    return bought if order.side is Side.BUY else sold


def _source(order: Order) -> str:
    return "sys" if order.origin.is_venue else "api"


def _average(order: Order) -> str:
    return plain(round(order.average_price, 8)) if order.filled else ""


def _basic(order: Order, owner: Account) -> Json:
    """Return what look-ups, lists and the socket tell alike."""
    is_market = order.order_type is OrderType.MARKET
    is_canceled = STATES[order.status] == "canceled"
    return {
        "cTime": str(milliseconds(order.created_at)),
        "cancelReason": "normal_cancel" if is_canceled else "",
        "clientOid": order.client_order_id,
        "enterPointSource": _source(order),
        "force": FORCES[order.time_in_force],
        "leverage": plain(owner.leverage(BITGET, order.symbol)),
        "marginCoin": COIN,
        "marginMode": margin_mode(owner, order.symbol),
        "orderId": order.venue_order_id,
        "orderType": "market" if is_market else "limit",
        "posMode": mode_of(owner),
        "posSide": "net",
        "presetStopLossExecutePrice": "",
        "presetStopLossPrice": "",
        "presetStopLossType": "",
        "presetStopSurplusExecutePrice": "",
        "presetStopSurplusPrice": "",
        "presetStopSurplusType": "",
        "price": "" if order.price is None else plain(order.price),
        "side": order.side.value,
        "size": plain(order.base_quantity),
        "totalProfits": "0",
        "tradeSide": _trade_side(order),
        "uTime": str(milliseconds(order.updated_at)),
    }


def order_payload(order: Order, owner: Account, *, status_key: str = "status") -> Json:
    """Return an order as lists show it; a look-up calls its state otherwise."""
    return _basic(order, owner) | {
        "baseVolume": plain(order.filled),
        "fee": plain(-order.fee_paid) if order.filled else "",
        "orderSource": "market" if order.order_type is OrderType.MARKET else "normal",
        "priceAvg": _average(order),
        "quoteVolume": plain(order.filled_quote),
        "reduceOnly": "YES" if order.reduce_only else "NO",
        "symbol": order.symbol,
        status_key: STATES[order.status],
    }


def streamed_order(order: Order, trade: TradeRow | None, owner: Account) -> Json:
    """Return an order as the private channel shows it, with the execution that changed it."""
    row = _basic(order, owner) | {
        "accBaseVolume": plain(order.filled),
        "feeDetail": [{"feeCoin": COIN, "fee": plain(-order.fee_paid)}],
        "instId": order.symbol,
        "notionalUsd": plain(order.base_quantity * (order.price or Decimal(0))),
        "reduceOnly": "yes" if order.reduce_only else "no",
        "status": STATES[order.status],
        "stpMode": "none",
    }
    if order.filled:
        row["priceAvg"] = _average(order)
    if trade is None:
        return row
    return row | {
        "baseVolume": plain(trade.base_quantity),
        "fillFee": plain(-trade.fee),
        "fillFeeCoin": trade.fee_asset,
        "fillNotionalUsd": plain(trade.base_quantity * trade.price),
        "fillPrice": plain(trade.price),
        "fillTime": str(milliseconds(trade.filled_at)),
        "pnl": plain(trade.realised_pnl),
        "tradeId": trade.venue_trade_id,
        "tradeScope": "M" if trade.is_maker else "T",
    }


def fill_payload(trade: TradeRow, order: Order, owner: Account) -> Json:
    """Return one execution as the list of fills shows it: without our own id."""
    return {
        "baseVolume": plain(trade.base_quantity),
        "cTime": str(milliseconds(trade.filled_at)),
        "enterPointSource": _source(order),
        "feeDetail": [
            {
                "deduction": "no",
                "feeCoin": trade.fee_asset,
                "totalDeductionFee": "0",
                "totalFee": plain(-trade.fee),
            }
        ],
        "marginCoin": COIN,
        "orderId": trade.venue_order_id,
        "posMode": mode_of(owner),
        "price": plain(trade.price),
        "profit": plain(trade.realised_pnl),
        "quoteVolume": plain(trade.base_quantity * trade.price),
        "side": trade.side.value,
        "symbol": trade.symbol,
        "tradeId": trade.venue_trade_id,
        "tradeScope": "maker" if trade.is_maker else "taker",
        "tradeSide": _trade_side(order),
    }


def streamed_fill(trade: TradeRow, order: Order, owner: Account) -> Json:
    row = fill_payload(trade, order, owner)
    del row["marginCoin"], row["enterPointSource"]
    kind = "market" if order.order_type is OrderType.MARKET else "limit"
    return row | {
        "clientOid": trade.client_order_id,
        "orderType": kind,
        "uTime": str(milliseconds(trade.filled_at)),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """One change of the wallet: `amount` > 0 came in, besides a fee that is below zero."""

    number: str
    kind: str
    amount: Decimal
    at: datetime
    symbol: str = ""
    asset: str = COIN
    fee: Decimal = Decimal(0)


def bills(ledger: Ledger, owner: Account) -> list[Bill]:
    """Return trades, transfers and funding of an account, newest first."""
    rows = [_trade(row) for row in ledger.account_trades(owner.api_key, BITGET, None)]
    rows += [_transfer(row) for row in ledger.account_transfers(owner.api_key, WALLETS[BITGET])]
    rows += [_payment(row) for row in ledger.account_funding(owner.api_key, BITGET, None)]
    return sorted(rows, key=lambda row: row.at, reverse=True)


def _trade(row: TradeRow) -> Bill:
    return Bill(
        number=str(FIRST_TRADE + row.number),
        kind=row.side.value,
        amount=row.realised_pnl,
        at=row.filled_at,
        symbol=row.symbol,
        fee=-row.fee,
    )


def _transfer(row: TransferRow) -> Bill:
    return Bill(
        number=str(FIRST_TRANSFER + row.number),
        kind="trans_from_exchange" if row.amount > 0 else "trans_to_exchange",
        amount=row.amount,
        at=row.moved_at,
        asset=row.asset,
    )


def _payment(row: FundingRow) -> Bill:
    return Bill(
        number=row.venue_payment_id,
        kind=FUNDING,
        amount=row.payment,
        at=row.settled_at,
        symbol=row.symbol,
        asset=row.asset,
    )


def bill_payload(bill: Bill) -> Json:
    return {
        "amount": plain(bill.amount),
        "balance": "",
        "billId": bill.number,
        "businessType": bill.kind,
        "cTime": str(milliseconds(bill.at)),
        "coin": bill.asset,
        "fee": plain(bill.fee),
        "feeByCoupon": "",
        "symbol": bill.symbol,
    }
