"""Payloads of orders, executions and bills of OKX v5; sizes count contracts, fees paid are < 0."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from exchanges.domain import OrderType, Side, TimeInForce, VenueOrderStatus
from exchanges.simulator.accounts import Account, FundingRow, Order, Origin, TradeRow, TransferRow
from exchanges.simulator.ledger import Ledger
from exchanges.simulator.listings import OKX, WALLETS, Listing
from exchanges.simulator.wire import Json, milliseconds, plain

EIGHT_PLACES = Decimal("0.00000001")
STATES = {
    VenueOrderStatus.OPEN: "live",
    VenueOrderStatus.PARTIAL: "partially_filled",
    VenueOrderStatus.FILLED: "filled",
    VenueOrderStatus.CANCELED: "canceled",
    VenueOrderStatus.EXPIRED: "canceled",
    VenueOrderStatus.REJECTED: "canceled",
}
ORDER_TYPES = {
    TimeInForce.GTC: "limit",
    TimeInForce.IOC: "ioc",
    TimeInForce.POST_ONLY: "post_only",
}
CATEGORIES = {
    Origin.LIQUIDATION: "full_liquidation",
    Origin.ADL: "adl",
    Origin.SETTLEMENT: "delivery",
    Origin.DELIVERY: "delivery",
}
# Sub-types of executions: on a buy, on a sell.
SUB_TYPES = {
    Origin.LIQUIDATION: ("106", "107"),
    Origin.ADL: ("127", "128"),
    Origin.SETTLEMENT: ("113", "112"),
    Origin.DELIVERY: ("113", "112"),
}
BOUGHT_OR_SOLD = ("1", "2")
CANCELED_BY_USER, CANCELED_UNFILLED = "1", "14"
TRANSFER, FUNDING = "1", "8"
FIRST_TRANSFER, FIRST_FILL = 8_000_000_000, 7_000_000_000


def instrument_type(listing: Listing) -> str:
    if not listing.is_contract:
        return "SPOT"
    return "SWAP" if listing.is_perpetual else "FUTURES"


def contracts(listing: Listing, base_quantity: Decimal) -> str:
    return plain(base_quantity / listing.contract_value)


def order_payload(order: Order, listing: Listing, owner: Account) -> Json:
    """Return an order as a look-up and the list of pending orders show it."""
    is_market, is_spot = order.order_type is OrderType.MARKET, not listing.is_contract
    pays_base = is_spot and order.side is Side.BUY
    fee_asset = listing.base if pays_base else listing.quote
    return {
        "accFillSz": contracts(listing, order.filled),
        "algoClOrdId": "",
        "algoId": "",
        "attachAlgoClOrdId": "",
        "attachAlgoOrds": [],
        "avgPx": plain(order.average_price.quantize(EIGHT_PLACES)) if order.filled else "",
        "cTime": str(milliseconds(order.created_at)),
        "cancelSource": _cancel_source(order),
        "cancelSourceReason": "",
        "category": CATEGORIES.get(order.origin, "normal"),
        "ccy": "",
        "clOrdId": order.client_order_id,
        "fee": plain(-order.fee_paid),
        "feeCcy": fee_asset,
        "fillPx": "",
        "fillSz": "0",
        "fillTime": "",
        "instId": order.symbol,
        "instType": instrument_type(listing),
        "isTpLimit": "false",
        "lever": "" if is_spot else plain(owner.leverage(OKX, order.symbol)),
        "linkedAlgoOrd": {"algoId": ""},
        "ordId": order.venue_order_id,
        "ordType": "market" if is_market else ORDER_TYPES[order.time_in_force],
        "pnl": "0",
        "posSide": "" if is_spot else "net",
        "px": "" if order.price is None else plain(order.price),
        "pxType": "",
        "pxUsd": "",
        "pxVol": "",
        "quickMgnType": "",
        "rebate": "0",
        "rebateCcy": fee_asset,
        "reduceOnly": "true" if order.reduce_only else "false",
        "side": order.side.value,
        "slOrdPx": "",
        "slTriggerPx": "",
        "slTriggerPxType": "",
        "source": "",
        "state": STATES[order.status],
        "stpId": "",
        "stpMode": "cancel_maker",
        "sz": contracts(listing, order.base_quantity),
        "tag": order.tag,
        "tdMode": margin_mode(owner, listing),
        "tgtCcy": "base_ccy" if is_spot and is_market else "",
        "tpOrdPx": "",
        "tpTriggerPx": "",
        "tpTriggerPxType": "",
        "tradeId": "",
        "uTime": str(milliseconds(order.updated_at)),
    }


def margin_mode(owner: Account, listing: Listing) -> str:
    if not listing.is_contract:
        return "cash"
    return "isolated" if owner.is_isolated(OKX, listing.symbol) else "cross"


def _cancel_source(order: Order) -> str:
    if order.reject_reason:
        return order.reject_reason
    if order.status is VenueOrderStatus.EXPIRED:
        return CANCELED_UNFILLED
    return CANCELED_BY_USER if order.status is VenueOrderStatus.CANCELED else ""


def streamed_order(order: Order, trade: TradeRow | None, listing: Listing, owner: Account) -> Json:
    """Return an order as the private channel shows it, with the execution that changed it."""
    row = order_payload(order, listing, owner) | {
        "amendResult": "",
        "amendSource": "",
        "code": "0",
        "execType": "",
        "fillFee": "0",
        "fillFeeCcy": "",
        "fillFwdPx": "",
        "fillIdxPx": "",
        "fillMarkPx": "",
        "fillMarkVol": "",
        "fillNotionalUsd": "",
        "fillPnl": "0",
        "fillPxUsd": "",
        "fillPxVol": "",
        "lastPx": "",
        "msg": "",
        "notionalUsd": plain(order.base_quantity * (order.price or Decimal(0))),
        "reqId": "",
    }
    if trade is None:
        return row
    return row | {
        "execType": _liquidity(trade, order),
        "fillFee": plain(-trade.fee),
        "fillFeeCcy": trade.fee_asset,
        "fillMarkPx": plain(trade.mark_price),
        "fillNotionalUsd": plain(trade.base_quantity * trade.price),
        "fillPnl": plain(trade.realised_pnl),
        "fillPx": plain(trade.price),
        "fillSz": contracts(listing, trade.base_quantity),
        "fillTime": str(milliseconds(trade.filled_at)),
        "lastPx": plain(trade.price),
        "tradeId": trade_id(trade, order),
    }


def fill_payload(trade: TradeRow, order: Order, listing: Listing) -> Json:
    """Return one execution as the lists of fills show it."""
    bought, sold = SUB_TYPES.get(order.origin, BOUGHT_OR_SOLD)
    return {
        "billId": fill_number(trade),
        "clOrdId": trade.client_order_id,
        "execType": _liquidity(trade, order),
        "fee": plain(-trade.fee),
        "feeCcy": trade.fee_asset,
        "fillFwdPx": "",
        "fillIdxPx": "",
        "fillMarkPx": plain(trade.mark_price),
        "fillMarkVol": "",
        "fillPnl": plain(trade.realised_pnl),
        "fillPx": plain(trade.price),
        "fillPxUsd": "",
        "fillPxVol": "",
        "fillSz": contracts(listing, trade.base_quantity),
        "fillTime": str(milliseconds(trade.filled_at)),
        "instId": trade.symbol,
        "instType": instrument_type(listing),
        "ordId": trade.venue_order_id,
        "posSide": "net",
        "side": trade.side.value,
        "subType": bought if trade.side is Side.BUY else sold,
        "tag": order.tag,
        "tradeId": trade_id(trade, order),
        "tradeQuoteCcy": "",
        "ts": str(milliseconds(trade.filled_at)),
    }


def fill_number(trade: TradeRow) -> str:
    return str(FIRST_FILL + trade.number)


def trade_id(trade: TradeRow, order: Order) -> str:
    """Return the execution's id; liquidations and deleveragings are numbered below zero."""
    is_forced = order.origin in (Origin.LIQUIDATION, Origin.ADL)
    return f"-{trade.venue_trade_id}" if is_forced else trade.venue_trade_id


def _liquidity(trade: TradeRow, order: Order) -> str:
    """Return maker or taker; what the venue did by itself is neither."""
    if order.origin.is_venue:
        return ""
    return "M" if trade.is_maker else "T"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """One change of the wallet, before it is written out: `change` > 0 came in."""

    number: str
    kind: str
    sub_kind: str
    asset: str
    change: Decimal
    at: datetime
    symbol: str = ""
    price: str = ""
    size: Decimal = Decimal(0)


def bills(ledger: Ledger, owner: Account) -> list[Bill]:
    """Return transfers and funding of an account, newest first."""
    moved = ledger.account_transfers(owner.api_key, WALLETS[OKX])
    rows = [_transfer(row) for row in moved]
    rows += [_payment(row) for row in ledger.account_funding(owner.api_key, OKX, None)]
    return sorted(rows, key=lambda row: row.at, reverse=True)


def _transfer(row: TransferRow) -> Bill:
    return Bill(
        number=str(FIRST_TRANSFER + row.number),
        kind=TRANSFER,
        sub_kind="11" if row.amount > 0 else "12",
        asset=row.asset,
        change=row.amount,
        at=row.moved_at,
        size=abs(row.amount),
    )


def _payment(row: FundingRow) -> Bill:
    return Bill(
        number=row.venue_payment_id,
        kind=FUNDING,
        sub_kind="173" if row.payment < 0 else "174",
        asset=row.asset,
        change=row.payment,
        at=row.settled_at,
        symbol=row.symbol,
        price=plain(row.settlement_price),
        size=abs(row.position_base),
    )


def bill_payload(bill: Bill, listing: Listing | None) -> Json:
    size = plain(bill.size) if listing is None else contracts(listing, bill.size)
    stamp = str(milliseconds(bill.at))
    return {
        "bal": "",
        "balChg": plain(bill.change),
        "billId": bill.number,
        "ccy": bill.asset,
        "clOrdId": "",
        "execType": "",
        "fee": "0",
        "fillTime": stamp,
        "from": "6" if bill.sub_kind == "11" else "",
        "instId": bill.symbol,
        "instType": "" if listing is None else instrument_type(listing),
        "interest": "0",
        "mgnMode": "" if listing is None else "cross",
        "notes": "",
        "ordId": "",
        "pnl": plain(bill.change) if bill.kind == FUNDING else "0",
        "posBal": "0",
        "posBalChg": "0",
        "px": bill.price,
        "subType": bill.sub_kind,
        "sz": size,
        "tag": "",
        "to": "6" if bill.sub_kind == "12" else "",
        "tradeId": "",
        "ts": stamp,
        "type": bill.kind,
    }
