"""Hyperliquid's nested answers as flat rows, numbers as the venue wrote them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_FLOOR, Decimal
from itertools import chain
from typing import Any

from exchanges.ccxt_adapter.bad_rows import made_of
from exchanges.ccxt_adapter.numbers import exact, flag, text
from exchanges.risk_tiers import NO_CAP

Row = dict[str, Any]
Told = Mapping[str, Any]

OWN_RATES = "HlPerp"
DOLLARS = "USDC"
# The value in dollars that its impact prices are of.
IMPACT_VALUE, IMPACT_VALUES = Decimal(6_000), dict.fromkeys(("BTC", "ETH"), Decimal(20_000))
# Margin tables from here on are listed.
FLAT_BELOW = 50
SIDES = {"B": "buy", "A": "sell"}
STATUSES = {
    "open": "open",
    "triggered": "open",
    "filled": "closed",
    "scheduledCancel": "canceled",
}


def listed(answer: Any) -> list[Any]:
    """Return a list as such; raise TypeError for what is none, which would read as an empty one."""
    if not isinstance(answer, list):
        raise TypeError("a list of another shape")
    return answer


def contexts(answer: Sequence[Any]) -> list[Row]:
    """Return what the venue tells of each contract, by the order of two lists."""
    meta, told = answer
    both = list(zip(meta["universe"], told, strict=True))
    return made_of(both, lambda pair: {**pair[1], **_top(*pair)}, "hyperliquid contexts")


def tiers(meta: Told) -> list[Row]:
    """Return the margin tiers of all contracts by where they end; the last has no end.

    Half of what the highest leverage of a tier asks for must stay, and of a higher tier's rate only
    for the part within it: docs, Trading, Margin tiers. A table below 50 is not listed: it is one
    tier, and its number the leverage.
    """
    tables = {
        number: listed(table["marginTiers"]) for number, table in listed(meta["marginTables"])
    }

    def of_one(contract: Told) -> list[Row]:
        return [{"symbol": contract["name"], **tier} for tier in _table(contract, tables)]

    return list(chain(*made_of(meta["universe"], of_one, "hyperliquid tiers")))


def _table(contract: Told, tables: Mapping[int, list[Told]]) -> list[Row]:
    number = contract.get("marginTableId", contract["maxLeverage"])
    flat = [{"lowerBound": "0", "maxLeverage": number}]
    told = tables[number] if number in tables or number >= FLAT_BELOW else flat
    begins = [exact(tier["lowerBound"]) for tier in told]
    found: list[Row] = []
    rate, deduction = Decimal(0), Decimal(0)
    for begin, end, tier in zip(begins, [*begins[1:], NO_CAP], told, strict=True):
        before, rate = rate, 1 / (2 * exact(tier["maxLeverage"]))
        deduction += begin * (rate - before)
        found.append(
            {
                "notional": end,
                "leverage": tier["maxLeverage"],
                "maintenance": rate,
                "deduction": deduction,
            }
        )
    return found


def levels(side: Any) -> list[tuple[str, str]]:
    return [(row["px"], row["sz"]) for row in listed(side)]


def _top(contract: Told, context: Told) -> Row:
    """Return a bid and an ask out of the prices at which a known value trades on average."""
    coin, prices = contract["name"], context.get("impactPxs") or ("", "")
    step = Decimal(1).scaleb(-contract["szDecimals"])
    value = IMPACT_VALUES.get(coin, IMPACT_VALUE)
    sizes = [
        (value / exact(price)).quantize(step, rounding=ROUND_FLOOR) if price else ""
        for price in prices
    ]
    bid, ask = prices
    return {"coin": coin, "bidPx": bid, "bidSz": sizes[0], "askPx": ask, "askSz": sizes[1]}


def predictions(answer: Any) -> list[Row]:
    """Return time and interval of the coming settlements at this venue; others are told too."""
    found = made_of(listed(answer), _prediction, "hyperliquid predictions")
    return [row for row in found if row is not None]


def _prediction(told: Sequence[Any]) -> Row | None:
    coin, venues = told
    own = next((told for name, told in venues if name == OWN_RATES), None)
    if own is None:
        return None
    hours = own.get("fundingIntervalHours")
    return {"coin": coin, "nextFundingTime": own["nextFundingTime"], "hours": hours}


def filled(placed: Told) -> Decimal:
    """Return how much of an order is executed; `sz` is what is left of it."""
    return exact(placed["origSz"]) - exact(placed["sz"])


def average_price(fills: Iterable[Told], placed: Told) -> Decimal | None:
    """Return the average price of an order's executions, None before all of them are listed."""
    own = [row for row in fills if row["oid"] == placed["oid"]]
    amount = sum((exact(row["sz"]) for row in own), Decimal(0))
    if amount != filled(placed):
        return None
    return sum((exact(row["sz"]) * exact(row["px"]) for row in own), Decimal(0)) / amount


def order(row: Told) -> Row:
    """Return an order as the library would: of a look-up, a stream, or the list of open ones."""
    placed = row.get("order", row)
    return {
        "id": text(placed["oid"]),
        "clientOrderId": placed.get("cloid"),
        "side": SIDES[placed["side"]],
        "amount": exact(placed["origSz"]),
        "filled": filled(placed),
        "average": row.get("avgPx"),
        "status": _status(row.get("status", "open")),
        "reduceOnly": placed.get("reduceOnly"),
        "info": row,
    }


def _status(word: str) -> str:
    if word.lower().endswith("rejected"):
        return "rejected"
    if word.lower().endswith("canceled"):
        return "canceled"
    return STATUSES[word]


def positions(state: Told) -> list[Row]:
    return [_position(row["position"], row["type"]) for row in state["assetPositions"]]


def _position(held: Told, mode: str) -> Row:
    amount, leverage = exact(held["szi"]), held["leverage"]
    mark = exact(held["positionValue"]) / abs(amount) if amount else None
    is_isolated = leverage["type"] == "isolated"
    return {
        **held,
        "mode": mode,
        "leverage": leverage["value"],
        "markPx": mark,
        "margin": held["marginUsed"] if is_isolated else "",
    }


def balance(state: Told) -> Row:
    """Return the one asset: equity counts what open positions have won or lost."""
    equity = exact(state["marginSummary"]["accountValue"])
    won = [exact(row["position"]["unrealizedPnl"]) for row in state["assetPositions"]]
    return {
        "asset": DOLLARS,
        "equity": equity,
        "total": equity - sum(won, Decimal(0)),
        "free": state["withdrawable"],
    }


def fill(row: Told, wallet: str) -> Row:
    """Return one execution; who trades against a liquidation is told of it too."""
    liquidation = row.get("liquidation") or {}
    is_ours = str(liquidation.get("liquidatedUser", "")).lower() == wallet.lower()
    return {
        **row,
        "side": SIDES[row["side"]],
        "is_maker": not flag(row["crossed"]),
        "kind": "liquidation" if is_ours else row["dir"],
    }


def payment(row: Told) -> Row:
    """Return one funding payment, named by its moment and contract: the venue numbers none."""
    paid = row["delta"]
    return {**paid, "time": row["time"], "key": f"{row['time']}-{paid['coin']}", "asset": DOLLARS}


def transfer(row: Told, wallet: str) -> Row | None:
    """Return what moved in (> 0) or out, None for what does not concern margin in dollars."""
    told = row["delta"]
    amount = _moved(told, wallet)
    if amount is None:
        return None
    key = f"{row['time']}-{row['hash']}"
    return {"time": row["time"], "key": key, "amount": amount, "asset": DOLLARS}


def _moved(told: Told, wallet: str) -> Decimal | None:
    match told["type"]:
        case "deposit" | "vaultWithdraw":
            return exact(told.get("usdc", told.get("netWithdrawnUsd")))
        case "withdraw":
            return -exact(told["usdc"]) - exact(told.get("fee", "0"))
        case "vaultDeposit" | "vaultCreate":
            return -exact(told["usdc"])
        case "accountClassTransfer":
            return exact(told["usdc"]) * (1 if told["toPerp"] else -1)
        case "internalTransfer" | "subAccountTransfer":
            is_mine = told["destination"].lower() == wallet
            return exact(told["usdc"]) if is_mine else -exact(told["usdc"])
        case _:
            return None
