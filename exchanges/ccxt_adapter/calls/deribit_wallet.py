"""The account of Deribit as flat rows: summaries, positions, entries of the log, rights of a key.

Source: docs.deribit.com, Account Management.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from exchanges.ccxt_adapter.calls.deribit_orders import listed
from exchanges.ccxt_adapter.calls.deribit_requests import DOLLAR
from exchanges.ccxt_adapter.numbers import exact, text
from exchanges.venues.deribit_access import STANDARD_MODELS, power_of

Row = dict[str, Any]
Told = Mapping[str, Any]

ZERO = Decimal(0)
PERPETUAL = "-PERPETUAL"
SIGNS = {"buy": Decimal(1), "sell": Decimal(-1), "zero": ZERO}
# Entries of the log that move money in or out, or change it into another asset.
TRANSFERS = frozenset({"deposit", "withdrawal", "transfer", "swap"})


def is_standard(summary: Told) -> bool:
    """Tell whether an account's margin is counted contract by contract, not as a portfolio."""
    return summary["margin_model"] in STANDARD_MODELS


def balance(summary: Told, positions: Iterable[Told]) -> Row:
    """Return one asset; what margins contracts of ours is free with the dollars alone.

    The venue's cash has profits only once a day, won or realised. Its total here is what it is
    worth without what open positions have won since they were opened, and without their funding.
    """
    if summary["currency"] != DOLLAR:
        equity = summary["equity"]
        return {"asset": summary["currency"], "total": equity, "equity": equity, "free": ZERO}
    equity, free = exact(summary["equity"]), max(exact(summary["available_funds"]), ZERO)
    total = equity - sum(map(unrealised, positions), ZERO)
    return {"asset": DOLLAR, "total": total, "equity": equity, "free": free}


def perpetuals(held: Any) -> list[Row]:
    """Return the positions of what is traded here: dated ones are a stranger's."""
    return [row for row in listed(held) if row["instrument_name"].endswith(PERPETUAL)]


def signed_size(told: Told) -> Decimal:
    """Return the coins of a position, short below zero: `size` is told in the quote currency.

    Raise LookupError where coins are not told of what is held.
    """
    sign = SIGNS[told["direction"]]
    return abs(exact(told["size_currency"])) * sign if sign else ZERO


def unrealised(told: Told) -> Decimal:
    """Return what an open position has won since it was opened, its funding of the day included."""
    size = signed_size(told)
    if not size:
        return ZERO
    won = size * (exact(told["mark_price"]) - exact(told["average_price"]))
    return won + exact(told.get("realized_funding") or 0)


def position(told: Told, summary: Told | None) -> Row:
    """Return one position, short below zero; `summary` is of the dollars that margin it.

    Where it is liquidated the venue tells on segregated margin, 0 for nowhere known; else it
    follows from the summary, without which it is None.
    """
    size = signed_size(told)
    price = told.get("estimated_liquidation_price") or None
    if price is None and summary is not None:
        price = liquidated_at(size, told, summary)
    return {
        "symbol": told["instrument_name"],
        "amount": size,
        "mode": "",
        "entry_price": told["average_price"],
        "mark_price": told["mark_price"],
        "liquidation_price": price,
        "leverage": None,
        "unrealised_pnl": None,
    }


def liquidated_at(size: Decimal, told: Told, summary: Told) -> Decimal | None:
    """Return the mark at which the account would be worth its maintenance margin, all else as is.

    None where no price does that.
    """
    mark = exact(told["mark_price"])
    left = exact(summary["margin_balance"]) - exact(summary["maintenance_margin"])
    # Of one coin, per dollar that its price moves.
    gained = exact(told["maintenance_margin"]) / mark - size if mark else ZERO
    found = mark + left / gained if gained else ZERO
    return found if found > 0 else None


def payments(entries: Iterable[Told]) -> list[Row]:
    """Return the funding that was realised, by a trade or at a settlement; > 0 was received."""
    return [
        {
            "symbol": entry["instrument_name"],
            "time": entry["timestamp"],
            "key": entry["id"],
            "payment": entry["interest_pl"],
            "asset": entry["currency"],
        }
        for entry in entries
        if entry.get("interest_pl") and exact(entry["interest_pl"])
    ]


def transfers(entries: Iterable[Told]) -> list[Row]:
    """Return what moved in or out, and what was changed into another asset."""
    return [
        {
            "time": entry["timestamp"],
            "key": entry["id"],
            "amount": entry["change"],
            "asset": entry["currency"],
        }
        for entry in entries
        if entry["type"] in TRANSFERS
    ]


def fees(summary: Told) -> list[Row]:
    """Return an account's rates of perpetuals by the index that a contract follows."""
    return [
        {"index": row["index_name"], **row["value"]["default"]}
        for row in summary["fees"]
        if row["kind"] == "perpetual" and row["value"]["default"]["type"] == "fixed"
    ]


def rights(key: Told, summary: Told) -> Row:
    """Return what a key may do at most, from where it may be used, and how its account trades."""
    scopes = [scope for scope in text(key["max_scope"]).replace(",", " ").split() if ":" in scope]
    addresses = key.get("ip_whitelist")
    return {
        "uid": text(summary["id"]),
        "powers": sorted({power_of(scope) for scope in scopes}),
        "addresses": None if addresses is None else ",".join(addresses),
        "is_standard": is_standard(summary),
    }
