"""Gate's answers as flat rows: an order as the library would tell it, amounts in contracts.

Its calls and its sockets tell the same of an order, a fill and a position; instants are seconds
there, with a fraction, and what is sold has a size below zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from exchanges.ccxt_adapter.instants import of_seconds
from exchanges.ccxt_adapter.numbers import exact, flag, text

Row = dict[str, Any]
Told = Mapping[str, Any]

ASSET, POINTS = "USDT", "POINT"
MAKER, ISOLATED = "maker", "isolated"
# A rank of 6 is that of no position; 1 is deleveraged first.
LAST_RANK = 5
NO_NUMBER = "", "0"
# An account that is kept the old way has nothing in any of them.
OF_CROSS = "cross_available", "cross_initial_margin", "cross_order_margin", "cross_margin_balance"


def listed(told: Any) -> list[Row]:
    """Return a list of an answer. Raise TypeError for what is none: it would read as empty."""
    if not isinstance(told, list):
        raise TypeError("a list of another shape")
    return told


def contracts(amount: Decimal, side: str) -> int | str:
    """Return a size as it is sent: below zero to sell, a text where a contract is parted."""
    size = amount if side == "buy" else -amount
    return int(size) if size == size.to_integral_value() else format(size.normalize(), "f")


def _side(size: Decimal) -> str:
    return "buy" if size > 0 else "sell"


def _positive(value: Any) -> Decimal | None:
    """Return a number, None for the zero that stands for nothing."""
    return (exact(value) or None) if value not in (None, "") else None


def order(row: Told) -> Row:
    """Return an order of an answer, of a list or of the socket.

    Raise LookupError for a state that is not known.
    """
    size, left = exact(row["size"]), exact(row["left"])
    is_whole = not left
    reduces = row.get("is_reduce_only")
    return {
        "id": text(row["id"]),
        "clientOrderId": row["text"],
        "side": _side(size),
        "amount": abs(size),
        "filled": abs(size) - abs(left),
        "average": _positive(row.get("fill_price")),
        "status": {"open": "open", "finished": "closed" if is_whole else "canceled"}[row["status"]],
        "reduceOnly": reduces,
        "info": {**row, "reduceOnly": reduces},
    }


def ended_at(row: Told) -> int:
    """Return when the latest happened to an order, in milliseconds."""
    return max(of_seconds(row[name] or 0) for name in ("create_time", "finish_time") if name in row)


def fill(row: Told) -> Row:
    """Return one execution; its fee is below zero where it was received, or paid in points."""
    size, number = exact(row["size"]), text(row["trade_id"] if "trade_id" in row else row["id"])
    if number in NO_NUMBER:
        raise ValueError("an execution without its number")
    # The socket tells whole seconds, and the milliseconds by themselves.
    at = row.get("create_time_ms") or of_seconds(row["create_time"])
    return {
        "contract": row["contract"],
        "time": int(at),
        "key": number,
        "order_id": text(row["order_id"]),
        "text": text(row["text"]),
        "side": _side(size),
        "price": row["price"],
        "amount": abs(size),
        **_fee(row),
        "is_maker": row["role"] == MAKER,
    }


def _fee(row: Told) -> Row:
    points = exact(row.get("point_fee") or 0)
    if points and not exact(row["fee"]):
        return {"fee": points, "fee_asset": POINTS}
    return {"fee": row["fee"], "fee_asset": ASSET}


def position(row: Told) -> Row:
    """Return one position; the socket leaves out what the market makes of it."""
    is_isolated = _is_isolated(row)
    told = row["leverage"] if is_isolated else row.get("lever") or row.get("cross_leverage_limit")
    rank = int(exact(row.get("adl_ranking") or 0))
    return {
        "contract": row["contract"],
        "amount": exact(row["size"]),
        "mode": text(row["mode"]),
        "entry_price": row["entry_price"],
        "mark_price": row.get("mark_price"),
        "liquidation_price": _positive(row["liq_price"]),
        "leverage": _positive(told),
        "unrealised_pnl": row.get("unrealised_pnl"),
        "margin": row["margin"] if is_isolated else "",
        "adl_rank": LAST_RANK + 1 - rank if 1 <= rank <= LAST_RANK else None,
    }


def _is_isolated(row: Told) -> bool:
    """Tell whether a position has margin of its own: its leverage is 0 where it has not."""
    told = row.get("pos_margin_mode")
    return told == ISOLATED if told else bool(exact(row["leverage"]))


def balance(row: Told) -> Row:
    """Return the wallet of a classic account; what is free is the least that is said to be."""
    total, free = exact(row["total"]), [exact(row["available"])]
    if _tells_cross(row) and row.get("cross_available") not in (None, ""):
        free.append(exact(row["cross_available"]))
    return {
        "asset": text(row["currency"]),
        "total": total,
        "equity": total + exact(row["unrealised_pnl"]),
        "free": max(min(free), Decimal(0)),
    }


def _tells_cross(row: Told) -> bool:
    """Tell whether what an account says of cross margin counts; its flag of that is deprecated."""
    is_flagged = row.get("enable_evolved_classic") is True
    return is_flagged or any(exact(row.get(name) or 0) for name in OF_CROSS)


def position_mode(row: Told) -> str:
    """Return how an account holds contracts; older answers say only whether both ways."""
    if told := row.get("position_mode"):
        return text(told)
    return "dual" if flag(row["in_dual_mode"]) else "single"


def is_classic(row: Told) -> bool:
    """Tell whether an account's contracts are margined by its futures wallet alone."""
    return not row.get("enable_credit") and not int(exact(row.get("margin_mode") or 0))


def payment(row: Told) -> Row:
    """Return one change of the wallet, above zero where it came in; raise ValueError without id.

    Nobody says of what a number is counted: contract and time make sure that it is one.
    """
    number, contract, at = text(row["id"]), row.get("contract") or "", of_seconds(row["time"])
    if number in NO_NUMBER:
        raise ValueError("a change of the wallet without its number")
    return {
        "contract": contract,
        "time": at,
        "key": f"{at}-{contract}-{number}",
        "change": row["change"],
        "asset": ASSET,
    }
