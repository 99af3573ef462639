"""Payloads of Bybit's private topics: what happened to one account."""

from __future__ import annotations

from exchanges.simulator.core import Simulator
from exchanges.simulator.events import AccountEvent
from exchanges.simulator.faces.bybit_account import position, wallet_balance
from exchanges.simulator.faces.bybit_orders import funding_payload, order_payload, trade_payload
from exchanges.simulator.listings import BYBIT, BYBIT_SPOT
from exchanges.simulator.wire import Json, milliseconds

TOPICS = frozenset({"order", "execution", "position", "wallet"})


def private_messages(simulator: Simulator, event: AccountEvent) -> list[Json]:
    """Return the messages of one event, executions before the order they belong to."""
    messages = []
    if event.trade is not None and event.order is not None:
        execution = _execution(trade_payload(event.trade, event.order), event)
        messages.append(_message("execution", event, execution))
        if event.venue == BYBIT:
            held = _position(simulator, event, event.trade.symbol)
            messages.append(_message("position", event, held))
    if event.funding is not None:
        payment = _execution(funding_payload(event.funding), event)
        messages.append(_message("execution", event, payment))
    if event.trade is not None or event.funding is not None:
        messages.append(_message("wallet", event, _wallet(simulator, event)))
    if event.order is not None:
        fee_asset = event.trade.fee_asset if event.trade is not None else "USDT"
        extra = {"category": _category(event), "feeCurrency": fee_asset}
        messages.append(_message("order", event, order_payload(event.order) | extra))
    return messages


def _message(topic: str, event: AccountEvent, row: Json) -> Json:
    stamp = milliseconds(event.at)
    return {"topic": topic, "id": f"{topic}-{stamp}", "creationTime": stamp, "data": [row]}


def _execution(payload: Json, event: AccountEvent) -> Json:
    may_borrow = event.order is not None and event.order.may_borrow
    return payload | {"category": _category(event), "isLeverage": str(int(may_borrow))}


def _category(event: AccountEvent) -> str:
    return "spot" if event.venue == BYBIT_SPOT else "linear"


def _position(simulator: Simulator, event: AccountEvent, symbol: str) -> Json:
    listing = simulator.market.listings[(BYBIT, symbol)]
    row = position(simulator, event.account, listing, event.at)
    entry = row.pop("avgPrice")
    return row | {
        "category": "linear",
        "entryPrice": entry,
        "sessionAvgPrice": "",
        "positionIMByMp": row["positionIM"],
        "positionMMByMp": row["positionMM"],
    }


def _wallet(simulator: Simulator, event: AccountEvent) -> Json:
    row: Json = wallet_balance(simulator, event.account, event.at)["list"][0]
    return row | {"totalPerpUpl": row["totalPerpUPL"]}
