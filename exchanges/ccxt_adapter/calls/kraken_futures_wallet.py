"""The account of Kraken Futures as flat rows: fills, entries of the log, wallet, positions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from exchanges.ccxt_adapter.instants import of_iso
from exchanges.ccxt_adapter.numbers import exact

Row = dict[str, Any]
Told = Mapping[str, Any]

ZERO = Decimal(0)
DOLLAR, SHORT, MAKER = "USD", "short", "maker"
# Entries of the log that move money in or out, or change it into another asset.
TRANSFERS = frozenset(
    {"transfer", "cross-exchange transfer", "subaccount transfer", "admin transfer", "conversion"}
)


def fill(told: Told, fees: Mapping[str, Row]) -> Row:
    """Return one execution with its fee, which the account's log alone tells."""
    paid = fees.get(told["fill_id"], {})
    return {
        "symbol": told["symbol"],
        "time": of_iso(told["fillTime"]),
        "key": told["fill_id"],
        "kind": told["fillType"],
        "order_id": told["order_id"],
        "client_order_id": told.get("cliOrdId"),
        "side": told["side"],
        "price": told["price"],
        "amount": told["size"],
        "fee": paid.get("fee"),
        "fee_asset": paid.get("asset", ""),
        "is_maker": told["fillType"] == MAKER,
    }


def streamed_fill(told: Told) -> Row:
    return {
        "symbol": told["instrument"],
        "time": told["time"],
        "key": told["fill_id"],
        "kind": told["fill_type"],
        "order_id": told["order_id"],
        "client_order_id": told.get("cli_ord_id"),
        "side": "buy" if told["buy"] else "sell",
        "price": told["price"],
        "amount": told["qty"],
        "fee": told["fee_paid"],
        "fee_asset": told["fee_currency"],
        "is_maker": told["fill_type"] == MAKER,
    }


def _is_of_wallet(entry: Told) -> bool:
    """Tell whether an entry changed the wallet; its twin changed the position, as a balance too."""
    return bool(entry["asset"] != entry["contract"])


def _is_elsewhere(entry: Told) -> bool:
    """Tell whether an entry is of the cash wallet of an asset, or of an inverse contract's wallet.

    Recorded is ETH of an entry in eth; F-ETHUSD is documented. What moves there margins nothing.
    """
    wallet = entry["margin_account"].lower()
    return bool(wallet == entry["asset"].lower() or wallet.startswith("f-"))


def fees(entries: Iterable[Told]) -> dict[str, Row]:
    """Return the fee of each execution and its asset, > 0 where it was paid."""
    found: dict[str, Row] = {}
    for entry in entries:
        if entry["execution"] and entry["fee"] is not None and _is_of_wallet(entry):
            forced = exact(entry["liquidation_fee"] or 0)
            paid = exact(entry["fee"]) + forced
            found[entry["execution"]] = {"fee": paid, "asset": entry["asset"].upper()}
    return found


def payments(entries: Iterable[Told]) -> list[Row]:
    """Return the funding that was realised, by an execution or at the end of a period.

    > 0 was received: what the wallet held changed by it, by realised profit and by fees.
    """
    return [
        {
            "symbol": entry["contract"],
            "time": of_iso(entry["date"]),
            "key": entry["id"],
            "payment": entry["realized_funding"],
            "asset": entry["asset"].upper(),
        }
        for entry in entries
        if _is_of_wallet(entry)
        and entry["realized_funding"] is not None
        and exact(entry["realized_funding"])
    ]


def transfers(entries: Iterable[Told]) -> list[Row]:
    """Return what moved in or out, and what was changed into another asset, both sides of it."""
    return [
        {
            "time": of_iso(entry["date"]),
            "key": entry["id"],
            "amount": exact(entry["new_balance"]) - exact(entry["old_balance"]),
            "asset": entry["asset"].upper(),
        }
        for entry in entries
        if entry["info"] in TRANSFERS and _is_of_wallet(entry) and not _is_elsewhere(entry)
    ]


def balances(flex: Told, *, margin: str, unrealised: str) -> list[Row]:
    """Return what the wallet holds; what margins contracts of it all is told with the dollars.

    `margin` and `unrealised` name the figures, which the socket calls otherwise.
    """
    held = {code: exact(told["quantity"]) for code, told in flex["currencies"].items()}
    found = [
        {"asset": code, "total": total, "equity": total, "free": ZERO}
        for code, total in held.items()
        if code != DOLLAR
    ]
    dollars = held.get(DOLLAR, ZERO)
    won, free = exact(flex[unrealised]), max(exact(flex[margin]), ZERO)
    found.append({"asset": DOLLAR, "total": dollars, "equity": dollars + won, "free": free})
    return found


def position(told: Told, mark: Any, levels: Sequence[Told], flex: Told) -> Row:
    """Return one position, short below zero, with the mark of the market.

    Where it would be liquidated is not told here: it follows from the wallet's figures.
    """
    size = exact(told["size"])
    signed = -size if told["side"] == SHORT else size
    return {
        "symbol": told["symbol"],
        "amount": signed,
        "mode": "",
        "entry_price": told["price"],
        "mark_price": mark,
        "liquidation_price": None if mark is None else liquidated_at(signed, mark, levels, flex),
        "leverage": None,
        "unrealised_pnl": None,
    }


def liquidated_at(size: Decimal, mark: Any, levels: Sequence[Told], flex: Told) -> Decimal | None:
    """Return the mark at which the wallet would be worth its maintenance margin, all else as it is.

    `levels` are the margin levels of the contract, by notional. None where no price does that.
    """
    price = exact(mark)
    notional = abs(size) * price
    rates = [
        exact(level["maintenanceMargin"])
        for level in levels
        if exact(level["numNonContractUnits"]) <= notional
    ]
    left = exact(flex["marginEquity"]) - exact(flex["maintenanceMargin"])
    if not size or not rates:
        return None
    found = price + left / (abs(size) * max(rates) - size)
    return found if found > 0 else None


def streamed_position(told: Told) -> Row:
    threshold = exact(told["liquidation_threshold"])
    return {
        "symbol": told["instrument"],
        "amount": told["balance"],
        "mode": "",
        "entry_price": told["entry_price"],
        "mark_price": told["mark_price"],
        "liquidation_price": threshold if threshold > 0 else None,
        "leverage": None,
        "unrealised_pnl": told["pnl"],
    }


def rights(told: Told) -> Row:
    """Return what a key may do, and from where it may be used."""
    permissions, blocks = told["permissions"], told["allowedCidrBlocks"]
    if not isinstance(blocks, list):
        raise TypeError("addresses of another shape")
    return {
        "uid": told["accountUid"],
        "general": permissions["general"],
        "may_move": permissions["transfer"] not in ("NO_ACCESS", "READ_ONLY"),
        "addresses": ",".join(blocks),
    }
