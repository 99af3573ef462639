"""Orders of Kraken Futures as flat rows: as it answers, shows, lists, streams and remembers them.

Its look-up shows an order for five seconds after its end; later its history and fills tell of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from exchanges.ccxt_adapter.numbers import exact

Row = dict[str, Any]
Told = Mapping[str, Any]

ZERO = Decimal(0)
BUY = 0
STATUSES = {
    "ENTERED_BOOK": "open",
    "FULLY_EXECUTED": "closed",
    "CANCELLED": "canceled",
    "REJECTED": "rejected",
}
# What an order is called in the history, when it is one that never rests.
IMMEDIATE = frozenset({"IoC", "Market"})
# In milliseconds; others have seen fills that were listed some seconds late.
FILLS_LISTED_WITHIN = 30_000
ENDINGS = frozenset({"OrderCancelled", "OrderRejected"})
# Answers to a request of an order that did what was asked.
DONE = frozenset({"placed", "partiallyFilled", "filled"})
CANCELLED, FULL_FILL = "cancelled", "full_fill"


def refusal(answer: Any) -> str:
    """Return why nothing was placed or cancelled, in an answer of success; else nothing."""
    if not isinstance(answer, dict):
        return ""
    for key, done in (("sendStatus", DONE), ("cancelStatus", {CANCELLED})):
        told = answer.get(key)
        if isinstance(told, dict) and told.get("status") not in done:
            return str(told.get("status"))
    return ""


def listed(told: Told, name: str) -> list[Row]:
    """Return a list of an answer. Raise LookupError or TypeError for any other shape."""
    rows = told[name]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise TypeError("a list of another shape")
    return rows


def placed(status: Told) -> Row:
    """Return an order as the answer to sending it echoes it, which may leave all out but its id."""
    events = status.get("orderEvents") or [{}]
    told = events[0].get("order") or events[0].get("orderPriorExecution") or {}
    return {
        "id": status.get("order_id"),
        "clientOrderId": status.get("cliOrdId"),
        "side": told.get("side"),
        "amount": told.get("quantity"),
        "reduceOnly": told.get("reduceOnly"),
        "info": told,
    }


def order(row: Told) -> Row:
    """Return an order as the library would tell it, of what the functions below make."""
    return {
        "id": row["order_id"],
        "clientOrderId": row["own_id"],
        "side": row["side"],
        "amount": row["quantity"],
        "filled": row["filled"],
        "average": row.get("average"),
        "status": row["status"],
        "reduceOnly": row["reduce_only"],
        "info": row,
    }


def shown(told: Told) -> Row:
    """Return an order of a look-up: one that works, or has just ended.

    Whether its quantity is all of it or what is left is not documented: it is told where both are
    one, before anything filled and when all has.
    """
    found, status = told["order"], STATUSES[told["status"]]
    quantity, filled = exact(found["quantity"]), exact(found["filled"])
    whole = max(quantity, filled) if status == "closed" else None if filled else quantity
    return {
        "symbol": found["symbol"],
        "order_id": found["orderId"],
        "own_id": found["cliOrdId"],
        "side": found["side"],
        "quantity": whole,
        "filled": filled,
        "status": status,
        "reduce_only": found["reduceOnly"],
    }


def working(told: Told) -> Row:
    """Return an order of the list of working ones; one that waits for its trigger has no size."""
    left, filled = told.get("unfilledSize"), exact(told["filledSize"])
    return {
        "symbol": told["symbol"],
        "order_id": told["order_id"],
        "own_id": told.get("cliOrdId"),
        "side": told["side"],
        "quantity": None if left is None else exact(left) + filled,
        "filled": filled,
        "status": "open",
        "reduce_only": told["reduceOnly"],
    }


def streamed(told: Told) -> Row:
    """Return an order of the private feed, whose quantity is all of it while nothing is filled."""
    filled = exact(told["filled"])
    return {
        "symbol": told["instrument"],
        "order_id": told["order_id"],
        "own_id": told.get("cli_ord_id"),
        "side": "buy" if told["direction"] == BUY else "sell",
        "quantity": None if filled else exact(told["qty"]),
        "filled": filled,
        "status": "open",
        "reduce_only": told["reduce_only"],
    }


def ended(told: Told | None, reason: str) -> Row:
    """Return what changes of an order of the private feed when it ends; recorded is a full one.

    That one's quantity is what is left, nothing. Without it nobody knows how much was filled: a
    reduce-only order may have been cut to what was left of the position.
    """
    if told and reason == FULL_FILL:
        filled = exact(told["filled"])
        return {"status": "closed", "quantity": exact(told["qty"]) + filled, "filled": filled}
    return {"status": "canceled", "filled": None}


def events_of(own_id: str, elements: Iterable[Told]) -> Iterator[tuple[str, Row]]:
    """Yield what happened to the order with our id: the kind, and the order as it was then."""
    for element in elements:
        for kind, event in element["event"].items():
            found = event.get("order") or event.get("newOrder")
            if found and found["clientId"] == own_id:
                yield kind, found


def past(
    own_id: str,
    symbol: str,
    events: Sequence[tuple[str, Row]],
    fills: Iterable[Told],
    *,
    now: int,
) -> Row | None:
    """Return an order that is shown no more, of its events, newest first, and all of its fills.

    None where neither tells of it. While no end is told it counts as working: what is asked again
    loses nothing, what were ended too early would be sent once more.
    """
    numbers = {found["uid"] for _, found in events}
    own = [row for row in fills if row.get("cliOrdId") == own_id or row["order_id"] in numbers]
    if not events and not own:
        return None
    filled = sum((exact(row["size"]) for row in own), ZERO)
    row: Row = {
        "symbol": symbol,
        "own_id": own_id,
        "quantity": None,
        "reduce_only": None,
        "status": "open",
        "average": average(own),
    }
    if not events:
        return row | {"order_id": own[0]["order_id"], "side": own[0]["side"], "filled": filled}
    ends = [found for kind, found in events if kind in ENDINGS]
    found = ends[0] if ends else events[0][1]
    # Recorded: its quantity is what was left, 0 of an order that filled at once.
    quantity = exact(found["quantity"]) + exact(found["filled"])
    filled = max(filled, exact(found["filled"]))
    if filled >= quantity:
        row["status"] = "closed"
    elif ends or _has_passed(found, now):
        row["status"] = "canceled"
    return row | {
        "order_id": found["uid"],
        "side": found["direction"].lower(),
        "quantity": quantity,
        "filled": filled,
        "reduce_only": found["reduceOnly"],
    }


def _has_passed(found: Told, now: int) -> bool:
    """Tell whether an order that never rests is over, and all that it filled is told.

    Recorded is one that was written down with what it filled at once. One without any may have
    fills that are not listed yet: it is asked for again until they would be.
    """
    is_told = exact(found["filled"]) > 0 or now - int(found["timestamp"]) > FILLS_LISTED_WITHIN
    return found["orderType"] in IMMEDIATE and is_told


def average(fills: Sequence[Told]) -> Decimal | None:
    """Return the average price of fills, None of none."""
    size = sum((exact(row["size"]) for row in fills), ZERO)
    worth = sum((exact(row["size"]) * exact(row["price"]) for row in fills), ZERO)
    return worth / size if size else None
