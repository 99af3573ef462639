"""Orders and executions of Deribit as flat rows.

Source: docs.deribit.com, Trading. Its orders carry our id as a label, which is never unique there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from exchanges.ccxt_adapter.numbers import exact

Row = dict[str, Any]
Told = Mapping[str, Any]

ZERO = Decimal(0)
STATUSES = {
    "open": "open",
    "untriggered": "open",
    "triggered": "open",
    "filled": "closed",
    "cancelled": "canceled",
    "rejected": "rejected",
}
FILLED, LIQUIDATION = "filled", "liquidation"


def listed(rows: Any) -> list[Row]:
    """Return a list of rows. Raise TypeError for any other shape."""
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise TypeError("a list of another shape")
    return rows


def order(told: Told) -> Row:
    """Return an order as the library would tell it; its amount is in coins and all of it."""
    return {
        "id": told["order_id"],
        "clientOrderId": told.get("label"),
        "side": told["direction"],
        "amount": told.get("amount"),
        "filled": told.get("filled_amount"),
        "average": told.get("average_price"),
        "status": STATUSES[told["order_state"]],
        "reduceOnly": told.get("reduce_only"),
        "info": {**told, "reduceOnly": told.get("reduce_only")},
    }


def one_of_label(rows: Sequence[Row], label: str, symbol: str) -> Row | None:
    """Return the one order of a label, None where there is none.

    A label may be given twice: several orders of it, or one of another contract, are a failure.
    """
    # Of what two lists tell the first, which lags less.
    found = {row["order_id"]: row for row in reversed(rows)}
    if any((row["label"], row["instrument_name"]) != (label, symbol) for row in rows):
        raise LookupError("an order of another label or contract")
    if len(found) > 1:
        raise LookupError("several orders of one label")
    return next(iter(found.values()), None)


def of_trades(trades: Iterable[Told], label: str, symbol: str) -> Row | None:
    """Return an order that its executions alone tell of, in the shape that lists tell it in.

    How much was asked for is not told. While no execution says that it was filled it counts as
    working: what is asked again loses nothing, what were ended too early would be sent once more.
    """
    own = [row for row in trades if row.get("label") == label]
    if not own:
        return None
    if len({row["order_id"] for row in own}) > 1:
        raise LookupError("several orders of one label")
    size = sum((exact(row["amount"]) for row in own), ZERO)
    worth = sum((exact(row["amount"]) * exact(row["price"]) for row in own), ZERO)
    is_filled = any(row["state"] == FILLED for row in own)
    return {
        "order_id": own[0]["order_id"],
        "label": label,
        "instrument_name": symbol,
        "direction": own[0]["direction"],
        "filled_amount": size,
        "average_price": worth / size,
        "order_state": FILLED if is_filled else "open",
    }


def fill(told: Told) -> Row:
    """Return one execution with its fee, > 0 where it was paid."""
    role, forced = told.get("liquidity"), told.get("liquidation") or ""
    is_forced = (role and role in forced) or told.get("order_type") == LIQUIDATION
    return {
        "symbol": told["instrument_name"],
        "time": told["timestamp"],
        "key": told["trade_id"],
        "kind": LIQUIDATION if is_forced else "",
        "order_id": told["order_id"],
        "client_order_id": told.get("label"),
        "side": told["direction"],
        "price": told["price"],
        "amount": told["amount"],
        "fee": told["fee"],
        "fee_asset": told["fee_currency"],
        "is_maker": role,
    }
