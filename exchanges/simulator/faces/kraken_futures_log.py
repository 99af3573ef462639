"""The log of a Kraken Futures account: what changed its wallet, and positions by each execution."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import uuid5

from exchanges.simulator.accounts import Account, FundingRow, Order, Origin, TradeRow
from exchanges.simulator.accrual import ENTRIES, entry_id
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces.kraken_futures_account import DOLLAR, NAMESPACE, ZERO
from exchanges.simulator.faces.kraken_futures_calls import iso, number
from exchanges.simulator.listings import KRAKEN_FUTURES, WALLETS
from exchanges.simulator.wire import Json

LOGGED = {
    Origin.LIQUIDATION: "futures liquidation",
    Origin.ADL: "futures unwind counterparty",
    Origin.SETTLEMENT: "settlement",
}


class Entry(NamedTuple):
    """What happened to the wallet at one moment."""

    at: datetime
    number: int
    row: Json
    change: Decimal


def account_log(simulator: Simulator, owner: Account) -> list[Json]:
    """Return all entries, oldest first; what the wallet held then is told by what it holds."""
    entries = sorted(_entries(simulator, owner), key=lambda entry: (entry.at, entry.number))
    balance = owner.balance(WALLETS[KRAKEN_FUTURES], DOLLAR)
    balance -= sum((entry.change for entry in entries), ZERO)
    told: list[Json] = []
    for entry in entries:
        if "old_balance" not in entry.row:
            before, balance = balance, balance + entry.change
            entry.row["old_balance"] = number(before)
            entry.row["new_balance"] = number(balance)
        told.append(entry.row)
    return told


def _entries(simulator: Simulator, owner: Account) -> list[Entry]:
    ledger, key = simulator.ledger, owner.api_key
    funding = list(ledger.account_funding(key, KRAKEN_FUTURES, None))
    realised = {row.trade_number: row for row in funding if row.trade_number}
    found = [_settled(row) for row in funding if not row.trade_number]
    sizes: dict[str, Decimal] = {}
    for trade in ledger.account_trades(key, KRAKEN_FUTURES, None):
        order = ledger.orders[trade.order_number]
        found.append(_traded(trade, order, realised.get(trade.number)))
        size = sizes.get(trade.symbol, ZERO)
        sizes[trade.symbol] = size + trade.base_quantity * trade.side.sign
        found.append(_changed(trade, order, size))
    for moved in ledger.account_transfers(key, WALLETS[KRAKEN_FUTURES]):
        number_ = entry_id(moved.number, moved.moved_at)
        row = _entry(number_, moved.moved_at, "cross-exchange transfer")
        found.append(Entry(moved.moved_at, number_, row, moved.amount))
    return found


def _settled(row: FundingRow) -> Entry:
    told = _entry(int(row.venue_payment_id), row.settled_at, "funding rate change") | {
        "contract": row.symbol.lower(),
        "funding_rate": number(row.settlement_price * row.funding_rate),
        "realized_funding": number(row.payment),
    }
    return Entry(row.settled_at, int(row.venue_payment_id), told, row.payment)


def _traded(trade: TradeRow, order: Order, funding: FundingRow | None) -> Entry:
    """Return what an execution did to the wallet."""
    own = entry_id(trade.number, trade.filled_at)
    name = int(funding.venue_payment_id) if funding else own
    paid = funding.payment if funding else ZERO
    told = _entry(name, trade.filled_at, LOGGED.get(order.origin, "futures trade")) | {
        "contract": trade.symbol.lower(),
        "execution": trade.venue_trade_id,
        "fee": number(trade.fee),
        "mark_price": number(trade.mark_price),
        "trade_price": number(trade.price),
        "realized_pnl": number(trade.realised_pnl),
        "realized_funding": number(paid),
    }
    return Entry(trade.filled_at, name, told, trade.realised_pnl + paid - trade.fee)


def _changed(trade: TradeRow, order: Order, size: Decimal) -> Entry:
    """Return what an execution did to the position, whose size it tells as a balance."""
    name = entry_id(trade.number, trade.filled_at) + ENTRIES // 2
    symbol = trade.symbol.lower()
    told = _entry(name, trade.filled_at, LOGGED.get(order.origin, "futures trade")) | {
        "asset": symbol,
        "contract": symbol,
        "execution": trade.venue_trade_id,
        "trade_price": number(trade.price),
        "old_balance": number(size),
        "new_balance": number(size + trade.base_quantity * trade.side.sign),
    }
    return Entry(trade.filled_at, name, told, ZERO)


def _entry(name: int, at: datetime, info: str) -> Json:
    nothing = dict.fromkeys(
        (
            *("collateral", "contract", "execution", "fee", "funding_rate", "mark_price"),
            *("new_average_entry_price", "old_average_entry_price", "realized_funding"),
            *("realized_pnl", "trade_price", "conversion_spread_percentage", "liquidation_fee"),
        )
    )
    return nothing | {
        "id": name,
        "date": iso(at),
        "asset": "usd",
        "info": info,
        "booking_uid": str(uuid5(NAMESPACE, str(name))),
        "margin_account": "flex",
    }
