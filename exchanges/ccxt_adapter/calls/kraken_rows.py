"""Kraken's answers as flat rows: an order as the library would tell it, times in milliseconds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from exchanges.ccxt_adapter.numbers import exact, text
from exchanges.venues.kraken_access import ALL_TIMES, NONCE_WINDOW, WIDE

Row = dict[str, Any]
Told = Mapping[str, Any]

STATUSES = {
    "pending": "open",
    "open": "open",
    "closed": "closed",
    "canceled": "canceled",
    "expired": "expired",
}
# What earns by itself is sold like the rest of the asset; other extensions are not.
SPENDABLE = ".F"
_HEX = re.compile(r"[0-9a-f]{32}")


def own_id(told: Any) -> str:
    """Return our id, empty for none; the venue keeps 128 bits and may write dashes into them."""
    if not told:
        return ""
    written = text(told)
    plain = written.replace("-", "").lower()
    return plain if _HEX.fullmatch(plain) else written


def named(rows: Any) -> list[Row]:
    """Return rows that are told by their ids. Raise TypeError or LookupError for other shapes."""
    if not isinstance(rows, dict):
        raise TypeError("rows of another shape")
    return [{**row, "id": name} for name, row in rows.items()]


def order(row: Told, symbol: str) -> Row:
    """Return an order of a list. Raise LookupError for a state that is not known."""
    filled = exact(row["vol_exec"])
    return {
        "id": row["id"],
        "clientOrderId": own_id(row.get("cl_ord_id")) or None,
        "symbol": symbol,
        "side": row["descr"]["type"],
        "amount": exact(row["vol"]),
        "filled": filled,
        "average": exact(row["price"]) if filled else None,
        "status": STATUSES[row["status"]],
        "info": row,
    }


def fill(row: Told) -> Row:
    return {**row, "time": int(exact(row["time"]) * 1000)}


def balance(code: str, row: Told) -> Row:
    total, lent = exact(row["balance"]), exact(row.get("credit") or 0)
    used = exact(row.get("credit_used") or 0) + exact(row["hold_trade"])
    return {"asset": code, "total": total, "free": total + lent - used}


def balances(rows: list[Row]) -> list[Row]:
    """Return one row an asset, with what of it earns by itself."""
    found: dict[str, Row] = {}
    for row in rows:
        asset = row["asset"].removesuffix(SPENDABLE)
        before = found.get(asset, {"total": Decimal(0), "free": Decimal(0)})
        sums = {name: before[name] + row[name] for name in ("total", "free")}
        found[asset] = {"asset": asset, **sums}
    return list(found.values())


def fees(row: Told, pair: str) -> Row:
    """Return the fees of a pair as fractions; they are told in percent."""
    maker, taker = (exact(row[name][pair]["fee"]) / 100 for name in ("fees_maker", "fees"))
    return {"symbol": pair, "maker": maker, "taker": taker}


def key(told: Told) -> Row:
    """Return what is told of a key; nothing that is missing is taken for a good answer."""
    bounds = {text(told[name]) for name in ("queryFrom", "queryTo")}
    ends, listed = exact(told["validUntil"]), told["ipAllowlist"]
    if not isinstance(told["permissions"], list) or not isinstance(listed, list):
        raise TypeError("rights of another shape")
    return {
        **told,
        "times": ALL_TIMES if bounds == {"0"} else "",
        "nonces": WIDE if exact(told["nonceWindow"]) >= NONCE_WINDOW else "",
        "expires_at": int(ends * 1000) if ends else "",
        "addresses": ",".join(map(text, listed)),
    }
