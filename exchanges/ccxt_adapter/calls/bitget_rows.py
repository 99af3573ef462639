"""Bitget's answers as flat rows: an order as the library would tell it, fees and sides as signs."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from exchanges.ccxt_adapter.numbers import exact

Row = dict[str, Any]
Told = Mapping[str, Any]

SHORT, ISOLATED, MAKER = "short", "isolated", "maker"
STATUSES = {
    "new": "open",
    "init": "open",
    "live": "open",
    "partially_filled": "open",
    "filled": "closed",
    "canceled": "canceled",
    "cancelled": "canceled",
}


def listed(told: Told, name: str) -> list[Row]:
    """Return a list of an answer; an empty one is told as null. Raise TypeError for no list."""
    rows = told[name]
    if rows is None:
        return []
    if not isinstance(rows, list):
        raise TypeError("a list of another shape")
    return rows


def _number(value: Any) -> Decimal:
    """Return a number where nothing is written for none."""
    return exact(value) if value not in (None, "") else Decimal(0)


def named(row: Told) -> Row:
    """Return a row with its contract in capitals: the documents show both."""
    symbol = row["instId"] if "instId" in row else row["symbol"]
    return {**row, "symbol": symbol.upper()}


def order(row: Told) -> Row:
    """Return an order of a look-up, of a list, or of the socket, which names what is filled anew.

    Raise LookupError for a state that is not known.
    """
    filled = row["accBaseVolume"] if "accBaseVolume" in row else row["baseVolume"]
    return {
        "id": row["orderId"],
        "clientOrderId": row.get("clientOid"),
        "side": row["side"],
        "amount": exact(row["size"]),
        "filled": _number(filled),
        "average": _number(row.get("priceAvg")) or None,
        "status": STATUSES[row["status"] if "status" in row else row["state"]],
        "reduceOnly": _is_yes(row.get("reduceOnly")),
        "info": row,
    }


def _is_yes(word: str | None) -> bool | None:
    return {"yes": True, "no": False}[word.lower()] if word else None


def fill(row: Told) -> Row:
    """Return one execution; a fee is told per coin, negative where it was paid."""
    parts = listed(row, "feeDetail")
    coins = {part["feeCoin"] for part in parts}
    if len(coins) > 1:
        raise ValueError(f"a fee in {len(coins)} coins")
    fee = sum((exact(part["totalFee"]) for part in parts), Decimal(0)) if parts else None
    return {
        **row,
        "fee": None if fee is None else -fee,
        "fee_asset": next(iter(coins), ""),
        "is_maker": row["tradeScope"] == MAKER,
    }


def position(row: Told) -> Row:
    """Return one position, short below zero; one at no risk has a liquidation price below it."""
    amount, liquidation = exact(row["total"]), _number(row["liquidationPrice"])
    return {
        **named(row),
        "amount": -amount if row["holdSide"] == SHORT else amount,
        "liquidation_price": liquidation if liquidation > 0 else None,
        "margin": row["marginSize"] if row["marginMode"] == ISOLATED else "",
    }


def balance(row: Told) -> Row:
    """Return one margin coin; its equity counts what open positions have won or lost."""
    equity = exact(row["equity"] if "equity" in row else row["accountEquity"])
    return {
        "asset": row["marginCoin"],
        "equity": equity,
        "total": equity - _number(row["unrealizedPL"]),
        "free": _free(row),
    }


def _free(row: Told) -> Any:
    """Return what may margin a cross position; the socket calls it otherwise."""
    is_streamed = "maxOpenPosAvailable" in row
    return row["maxOpenPosAvailable"] if is_streamed else row["crossedMaxAvailable"]
