"""Payloads of orders, executions and changes of the wallet of Gate; fees paid are above zero."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from exchanges.domain import OrderType, Side, TimeInForce, VenueOrderStatus
from exchanges.simulator.accounts import Account, FundingRow, Order, Origin, TradeRow, TransferRow
from exchanges.simulator.faces.gate_calls import number, seconds
from exchanges.simulator.ledger import Ledger
from exchanges.simulator.listings import GATE, WALLETS, Listing
from exchanges.simulator.wire import Json, milliseconds, plain

FORCES = {
    TimeInForce.GTC: "gtc",
    TimeInForce.IOC: "ioc",
    TimeInForce.POST_ONLY: "poc",
}
ENDINGS = {
    VenueOrderStatus.FILLED: "filled",
    VenueOrderStatus.CANCELED: "cancelled",
    VenueOrderStatus.EXPIRED: "ioc",
    VenueOrderStatus.REJECTED: "cancelled",
}
FUNDING, TRANSFER, PROFIT, FEE = "fund", "dnw", "pnl", "fee"
FIRST_TRADE, FIRST_FEE, FIRST_TRANSFER = 7_000_000_000, 7_500_000_000, 8_000_000_000


def in_contracts(order: Order | TradeRow, listing: Listing, base_quantity: Decimal) -> Decimal:
    """Return contracts, below zero of what sells."""
    count = base_quantity / listing.contract_value
    return count if order.side is Side.BUY else -count


def order_payload(order: Order, listing: Listing, owner: Account, *, has_parts: bool) -> Json:
    """Return an order as look-ups and lists show it, sizes as texts where they may have parts."""
    size = in_contracts(order, listing, order.base_quantity)
    left = in_contracts(order, listing, order.remaining)
    row = _basic(order, listing, owner) | {
        "create_time": seconds(order.created_at),
        "fill_price": plain(round(order.average_price, 8)),
        "left": plain(left) if has_parts else int(left),
        "mkfr": plain(listing.maker_fee),
        "price": plain(order.price or Decimal(0)),
        "size": plain(size) if has_parts else int(size),
        "tkfr": plain(listing.taker_fee),
        "user": owner.uid,
    }
    if order.is_final:
        row["finish_time"] = seconds(order.updated_at)
    return row


def _basic(order: Order, listing: Listing, owner: Account) -> Json:
    return {
        "amend_text": "-",
        "biz_info": "-",
        "contract": listing.symbol,
        "finish_as": ENDINGS.get(order.status, ""),
        "iceberg": 0,
        "id": int(order.venue_order_id),
        "is_close": False,
        "is_liq": order.origin is Origin.LIQUIDATION,
        "is_reduce_only": order.reduce_only,
        "refu": 0,
        "status": "finished" if order.is_final else "open",
        "stp_act": "-",
        "stp_id": 0,
        "text": order.client_order_id,
        "tif": "ioc" if order.order_type is OrderType.MARKET else FORCES[order.time_in_force],
    }


def streamed_order(order: Order, listing: Listing, owner: Account) -> Json:
    """Return an order as the private channel shows it: prices are numbers, the owner a text."""
    told = order_payload(order, listing, owner, has_parts=True)
    ends = {"finish_time": 0, "finish_time_ms": 0}
    if order.is_final:
        at = milliseconds(order.updated_at)
        ends = {"finish_time": at // 1000, "finish_time_ms": at}
    return told | {
        **ends,
        "create_time": milliseconds(order.created_at) // 1000,
        "create_time_ms": milliseconds(order.created_at),
        "fill_price": number(round(order.average_price, 8)),
        "finish_as": ENDINGS.get(order.status, "_update" if order.filled else "_new"),
        "id_string": order.venue_order_id,
        "mkfr": number(listing.maker_fee),
        "price": number(order.price or Decimal(0)),
        "refr": 0,
        "tkfr": number(listing.taker_fee),
        "update_id": 1,
        "update_time": milliseconds(order.updated_at),
        "user": str(owner.uid),
    }


def fill_payload(trade: TradeRow, listing: Listing, *, id_name: str, has_parts: bool) -> Json:
    """Return one execution as both lists show it; they call its number otherwise."""
    size = in_contracts(trade, listing, trade.base_quantity)
    closed = in_contracts(trade, listing, trade.closed_quantity)
    return {
        id_name: int(trade.venue_trade_id) if id_name == "id" else trade.venue_trade_id,
        "close_size": plain(closed) if has_parts else int(closed),
        "contract": trade.symbol,
        "create_time": seconds(trade.filled_at),
        "fee": plain(trade.fee),
        "order_id": trade.venue_order_id,
        "point_fee": "0",
        "price": plain(trade.price),
        "role": "maker" if trade.is_maker else "taker",
        "size": plain(size) if has_parts else int(size),
        "text": trade.client_order_id,
    }


def streamed_fill(trade: TradeRow, listing: Listing) -> Json:
    told = fill_payload(trade, listing, id_name="id", has_parts=True)
    return told | {
        "create_time": milliseconds(trade.filled_at) // 1000,
        "create_time_ms": milliseconds(trade.filled_at),
        "fee": number(trade.fee),
        "id": trade.venue_trade_id,
        "point_fee": 0,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of the wallet: `amount` > 0 came in."""

    number: str
    kind: str
    amount: Decimal
    at: datetime
    symbol: str = ""
    trade_id: str = ""


def changes(ledger: Ledger, owner: Account) -> list[Change]:
    """Return what was won and paid by trading, moved and funded, newest first."""
    rows = [
        change for row in ledger.account_trades(owner.api_key, GATE, None) for change in _of(row)
    ]
    rows += [_transfer(row) for row in ledger.account_transfers(owner.api_key, WALLETS[GATE])]
    rows += [_payment(row) for row in ledger.account_funding(owner.api_key, GATE, None)]
    return sorted(rows, key=lambda row: row.at, reverse=True)


def _of(row: TradeRow) -> list[Change]:
    fee = Change(
        number=str(FIRST_FEE + row.number),
        kind=FEE,
        amount=-row.fee,
        at=row.filled_at,
        symbol=row.symbol,
        trade_id=row.venue_trade_id,
    )
    number = str(FIRST_TRADE + row.number)
    won = replace(fee, number=number, kind=PROFIT, amount=row.realised_pnl)
    return [fee, won] if row.realised_pnl else [fee]


def _transfer(row: TransferRow) -> Change:
    return Change(
        number=str(FIRST_TRANSFER + row.number), kind=TRANSFER, amount=row.amount, at=row.moved_at
    )


def _payment(row: FundingRow) -> Change:
    return Change(
        number=row.venue_payment_id.rpartition("-")[2],
        kind=FUNDING,
        amount=row.payment,
        at=row.settled_at,
        symbol=row.symbol,
    )


def change_payload(change: Change) -> Json:
    return {
        "balance": "",
        "change": plain(change.amount),
        "contract": change.symbol,
        "id": change.number,
        "text": change.symbol,
        "time": seconds(change.at),
        "trade_id": change.trade_id,
        "type": change.kind,
    }
