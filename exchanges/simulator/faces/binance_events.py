"""Payloads of Binance's private streams: what happened to one account."""

from __future__ import annotations

from decimal import Decimal

from exchanges.domain import TimeInForce
from exchanges.simulator.accounts import Account, Order, Origin, TradeRow
from exchanges.simulator.core import Simulator
from exchanges.simulator.events import AccountEvent, Happening
from exchanges.simulator.faces import binance_spot_payloads as spot
from exchanges.simulator.faces.binance_usdm_account import position_side
from exchanges.simulator.faces.binance_usdm_orders import FORCES, STATUSES, average_price
from exchanges.simulator.listings import SPOT, USDM
from exchanges.simulator.wire import Json, milliseconds, plain

ZERO = Decimal(0)
FORCED = (Origin.LIQUIDATION, Origin.ADL)
KINDS = {
    Happening.NEW: "NEW",
    Happening.TRADE: "TRADE",
    Happening.CANCELED: "CANCELED",
    Happening.EXPIRED: "EXPIRED",
}


def usdm_messages(simulator: Simulator, event: AccountEvent) -> list[Json]:
    """Return ACCOUNT_UPDATE before ORDER_TRADE_UPDATE, as the venue sends them."""
    if event.venue != USDM:
        return []
    messages = []
    if event.funding is not None:
        messages.append(_account_update(simulator, event, "FUNDING_FEE", None))
    if event.trade is not None:
        messages.append(_account_update(simulator, event, "ORDER", event.trade))
    if event.order is not None:
        messages.append(_order_update(event, event.order))
    return messages


def _account_update(
    simulator: Simulator, event: AccountEvent, reason: str, trade: TradeRow | None
) -> Json:
    wallet = plain(event.account.balance("usdm", "USDT"))
    payment = event.funding.payment if event.funding else ZERO
    positions = [_position(simulator, event.account, trade)] if trade else []
    stamp = milliseconds(event.at)
    balance = {"a": "USDT", "wb": wallet, "cw": wallet, "bc": plain(payment)}
    return {
        "e": "ACCOUNT_UPDATE",
        "E": stamp,
        "T": stamp,
        "a": {"m": reason, "B": [balance], "P": positions},
    }


def _position(simulator: Simulator, account: Account, trade: TradeRow) -> Json:
    holding = simulator.ledger.holding(account.api_key, (USDM, trade.symbol))
    entry = plain(round(holding.entry_price or ZERO, 8))
    return {
        "s": trade.symbol,
        "pa": plain(holding.base_quantity),
        "ep": entry,
        "bep": entry,
        "cr": plain(trade.realised_pnl),
        "up": plain(holding.unrealised_pnl(trade.mark_price)),
        "mt": "cross",
        "iw": "0",
        "ps": position_side(account, holding),
    }


def _order_update(event: AccountEvent, order: Order) -> Json:
    trade, stamp = event.trade, milliseconds(event.at)
    is_forced = order.origin in FORCED
    kind = "LIQUIDATION" if is_forced else spot.kind_of(order).replace("_MAKER", "")
    body: Json = {
        "s": order.symbol,
        "c": order.client_order_id,
        "S": order.side.value.upper(),
        "o": kind,
        "f": FORCES[order.time_in_force],
        "q": plain(order.base_quantity),
        "p": plain(order.price or ZERO),
        "ap": average_price(order),
        "sp": "0",
        "x": _execution_type(event, order),
        "X": STATUSES[order.status],
        "i": int(order.venue_order_id),
        "l": plain(trade.base_quantity if trade else ZERO),
        "z": plain(order.filled),
        "L": plain(trade.price if trade else ZERO),
        "N": trade.fee_asset if trade else "USDT",
        "n": plain(trade.fee if trade else ZERO),
        "T": stamp,
        "t": int(trade.venue_trade_id) if trade else 0,
        "b": "0",
        "a": "0",
        "m": trade.is_maker if trade else False,
        "R": order.reduce_only,
        "wt": "CONTRACT_PRICE",
        "ot": kind,
        "ps": "BOTH",
        "cp": False,
        "rp": plain(trade.realised_pnl if trade else ZERO),
        "pP": False,
        "si": 0,
        "ss": 0,
        "V": "EXPIRE_MAKER",
        "pm": "NONE",
        "gtd": 0,
    }
    return {"e": "ORDER_TRADE_UPDATE", "E": stamp, "T": stamp, "o": body}


def _execution_type(event: AccountEvent, order: Order) -> str:
    """Executions of liquidations and of auto-deleveraging have a type of their own."""
    is_forced = event.happening is Happening.TRADE and order.origin in FORCED
    return "CALCULATED" if is_forced else KINDS[event.happening]


def spot_messages(simulator: Simulator, event: AccountEvent) -> list[Json]:
    """Return executionReport and, when balances moved or were locked, outboundAccountPosition."""
    if event.venue != SPOT or event.order is None:
        return []
    return [_execution_report(event, event.order), _account_position(simulator, event)]


def _execution_report(event: AccountEvent, order: Order) -> Json:
    trade, stamp = event.trade, milliseconds(event.at)
    is_resting = not order.is_final and order.time_in_force is not TimeInForce.IOC
    return {
        "e": "executionReport",
        "E": stamp,
        "s": order.symbol,
        "c": order.client_order_id,
        "S": order.side.value.upper(),
        "o": spot.kind_of(order),
        "f": spot.force_of(order),
        "q": plain(order.base_quantity),
        "p": plain(order.price or ZERO),
        "P": "0",
        "F": "0",
        "g": -1,
        "C": "",
        "x": KINDS[event.happening],
        "X": STATUSES[order.status],
        "r": "NONE",
        "i": int(order.venue_order_id),
        "l": plain(trade.base_quantity if trade else ZERO),
        "z": plain(order.filled),
        "L": plain(trade.price if trade else ZERO),
        "n": plain(trade.fee if trade else ZERO),
        "N": trade.fee_asset if trade else None,
        "T": stamp,
        "t": int(trade.venue_trade_id) if trade else -1,
        "I": order.number,
        "w": is_resting,
        "m": trade.is_maker if trade else False,
        "M": False,
        "O": milliseconds(order.created_at),
        "Z": plain(order.filled_quote),
        "Y": plain(trade.base_quantity * trade.price if trade else ZERO),
        "Q": "0",
        "W": milliseconds(order.created_at),
        "V": "EXPIRE_MAKER",
    }


def _account_position(simulator: Simulator, event: AccountEvent) -> Json:
    rows = spot.balances(simulator, event.account)
    return {
        "e": "outboundAccountPosition",
        "E": milliseconds(event.at),
        "u": milliseconds(event.at),
        "B": [{"a": asset, "f": plain(free), "l": plain(held)} for asset, free, held in rows],
    }
