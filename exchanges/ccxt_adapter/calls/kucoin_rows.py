"""KuCoin's answers as flat rows: orders as the library would tell them, times in milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from exchanges.ccxt_adapter.numbers import exact, text

Row = dict[str, Any]
Told = Mapping[str, Any]

ISOLATED, MAKER = "ISOLATED", "maker"
# An order that is done may have been filled in part: its sizes tell.
STATUSES = {"open": "open", "match": "open", "done": "closed"}
NANOSECONDS = 1_000_000


def plain(number: Decimal) -> str:
    """Return a number without exponent and trailing zeros."""
    return format(number.normalize(), "f")


def whole(contracts: Decimal) -> int:
    """Return a number of contracts. Raise ValueError for parts of one."""
    if contracts != int(contracts):
        raise ValueError("a part of a contract")
    return int(contracts)


def listed(told: Told, name: str) -> list[Row]:
    """Return a list of an answer. Raise TypeError for no list."""
    rows = told[name]
    if not isinstance(rows, list):
        raise TypeError("a list of another shape")
    return rows


def moment(nanoseconds: Any) -> int:
    """Return a time of the matching engine in milliseconds."""
    return int(exact(nanoseconds)) // NANOSECONDS


def order(row: Told) -> Row:
    """Return an order of a look-up, of a list, or of the socket, which calls its number otherwise.

    Raise LookupError for a state that is not known.
    """
    average = row.get("avgDealPrice")
    return {
        "id": row["orderId"] if "orderId" in row else row["id"],
        "clientOrderId": row.get("clientOid"),
        "side": row["side"],
        "amount": exact(row["size"]),
        "filled": exact(row["filledSize"]),
        "average": (exact(average) or None) if average else None,
        "status": STATUSES[row["status"]],
        "reduceOnly": row.get("reduceOnly"),
        "info": row,
    }


def fill(row: Told) -> Row:
    """Return one execution of a list; a fee is positive where it was paid."""
    return {**row, "time": moment(row["tradeTime"]), "is_maker": row["liquidity"] == MAKER}


def position(row: Told) -> Row:
    """Return one position, short below zero, with the margin that stands behind it alone."""
    # The socket tells none of what is closed.
    has_margin = row["marginMode"] == ISOLATED and row.get("isOpen", True)
    return {**row, "margin": row["posMargin"] if has_margin else ""}


def balance(row: Told) -> Row:
    """Return one margin coin; its equity counts what open positions have won or lost."""
    is_streamed = "walletBalance" in row
    return {
        "asset": row["currency"],
        "total": row["walletBalance"] if is_streamed else row["marginBalance"],
        "equity": row["equity"] if is_streamed else row["accountEquity"],
        "free": row["availableBalance"],
    }


def payment(row: Told) -> Row:
    """Return one funding payment; nobody says that its number counts beyond its contract."""
    return {**row, "key": f"{text(row['symbol'])}-{text(row['id'])}"}


def transfer(row: Told) -> Row:
    """Return money that moved, by its place in the ledger of its coin."""
    return {**row, "key": f"{text(row['currency'])}-{text(row['offset'])}"}
