"""Rows of one account become values of `exchanges.domain`: orders, fills, funding, positions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from exchanges.access import KeyFacts
from exchanges.ccxt_adapter.listing import Listing
from exchanges.ccxt_adapter.numbers import exact, flag, text
from exchanges.ccxt_adapter.parse import Columns, Row, moment, optional, optional_price
from exchanges.domain import (
    AccountTransfer,
    Balance,
    BorrowInterest,
    ClientOrderId,
    FeeTier,
    Fill,
    FundingPayment,
    OrderReport,
    Side,
    Symbol,
    VenueOrderStatus,
    VenuePosition,
)
from exchanges.venues.profile import KeyRights, VenueProfile

ZERO = Decimal(0)
# What venues write for "one position per contract" in the column that tells the position mode.
ONE_WAY_MODES = frozenset(
    {"BOTH", "0", "False", "false", "net", "net_mode", "oneWay", "one_way_mode", "single", ""}
)
NO_UID = ("", "0")
# What ends before is a key without an end.
KEYS_EXIST_SINCE = datetime(2010, 1, 1, tzinfo=UTC)
MAKER_WORDS = (True, "M")

_STATUSES = {
    "open": VenueOrderStatus.OPEN,
    "canceling": VenueOrderStatus.OPEN,
    "closed": VenueOrderStatus.FILLED,
    "canceled": VenueOrderStatus.CANCELED,
    "expired": VenueOrderStatus.EXPIRED,
    "rejected": VenueOrderStatus.REJECTED,
}


def order_report(order: Mapping[str, Any], listing: Listing, now: datetime) -> OrderReport:
    """Return what ccxt's unified order says; what the venue did not echo stays None."""
    amount, filled = order.get("amount"), order.get("filled")
    average = order.get("average")
    client_order_id, side = order.get("clientOrderId"), order.get("side")
    return OrderReport(
        client_order_id=ClientOrderId(text(client_order_id)) if client_order_id else None,
        venue_order_id=text(order["id"]) if order.get("id") else None,
        symbol=Symbol(text(order.get("symbol") or listing.symbol)),
        status=_status(order.get("status"), amount, filled),
        observed_at=now,
        side=Side(side) if side else None,
        base_quantity=None if amount is None else listing.base_quantity(exact(amount)),
        filled_base_quantity=None if filled is None else listing.base_quantity(exact(filled)),
        average_price=listing.price(exact(average)) if average else None,
        reduce_only=None if order.get("reduceOnly") is None else flag(order["reduceOnly"]),
    )


def fill(row: Row, columns: Columns, listing: Listing, profile: VenueProfile) -> Fill:
    """Return one execution, read raw: the library loses fees that are Decimal."""
    own_id = row.get(columns["client_order_id"]) if "client_order_id" in columns else None
    kind = row[columns["kind"]] if "kind" in columns else ""
    cause = profile.cause(kind=kind, own_id=own_id or "")
    fee = optional(row, columns["fee"])
    if fee is None and not cause.is_venue:
        raise ValueError("an execution without its fee")
    return Fill(
        venue=listing.instrument.venue,
        symbol=listing.symbol,
        venue_trade_id=text(row[columns["key"]]),
        venue_order_id=text(row[columns["order_id"]]),
        client_order_id=ClientOrderId(text(own_id)) if own_id else None,
        side=_side(row, columns),
        price=listing.price(exact(row[columns["price"]])),
        base_quantity=listing.base_quantity(exact(row[columns["amount"]])),
        # Nothing paid is 0, not -0.
        fee=(fee or ZERO) * profile.fee_sign + ZERO,
        fee_asset=text(row.get(columns["fee_asset"]) or listing.instrument.settle),
        is_maker=row[columns["is_maker"]] in MAKER_WORDS,
        filled_at=moment(row[columns["time"]]),
        cause=cause,
    )


def funding_payment(
    row: Row, columns: Columns, symbol: Symbol, profile: VenueProfile
) -> FundingPayment:
    """Return one booked payment, > 0 where the account received it, in what the contract settles.

    The library names that after the colon: BTC/USDT:USDT.
    """
    return FundingPayment(
        venue=profile.name,
        symbol=symbol,
        venue_payment_id=text(row[columns["key"]]),
        payment=exact(row[columns["payment"]]) * profile.funding_sign,
        asset=text(row.get(columns["asset"]) or symbol.rpartition(":")[2]),
        paid_at=moment(row[columns["time"]]),
        funding_rate=optional(row, columns.get("funding_rate")),
    )


def transfer(row: Row, columns: Columns, profile: VenueProfile) -> AccountTransfer:
    """Return what moved, < 0 where it left the account."""
    amount = exact(row[columns["amount"]])
    if "kind" in columns:
        amount = abs(amount) * (-1 if row[columns["kind"]] in profile.transfers_out else 1)
    return AccountTransfer(
        venue=profile.name,
        venue_transfer_id=text(row[columns["key"]]),
        amount=amount,
        asset=text(row[columns["asset"]]),
        moved_at=moment(row[columns["time"]]),
    )


def position(row: Row, columns: Columns, listing: Listing, now: datetime) -> VenuePosition:
    """Return one position; short is negative, also where the venue tells it by a side."""
    amount = exact(row[columns["amount"]])
    if "side" in columns and row[columns["side"]] == "Sell":
        amount = -amount
    rank = optional(row, columns.get("adl_rank"))
    return VenuePosition(
        venue=listing.instrument.venue,
        symbol=listing.symbol,
        base_quantity=listing.base_quantity(amount),
        entry_price=optional_price(row, columns["entry_price"], listing),
        mark_price=optional_price(row, columns["mark_price"], listing),
        liquidation_price=optional_price(row, columns["liquidation_price"], listing),
        leverage=optional(row, columns["leverage"]),
        unrealised_pnl=optional(row, columns["unrealised_pnl"]),
        observed_at=now,
        is_hedge_mode=is_hedge_mode(row, columns),
        adl_rank=None if rank is None else int(rank),
    )


def is_hedge_mode(row: Row, columns: Columns) -> bool:
    """Tell whether a row's position mode is anything but one-way."""
    return str(row[columns["mode"]]) not in ONE_WAY_MODES


def balance(row: Row, columns: Columns, venue: str, now: datetime) -> Balance:
    """Return one asset: total is free plus used where the venue does not state it."""
    total = optional(row, columns.get("total"))
    free = optional(row, columns["free"])
    if total is None:
        total = exact(row[columns["free"]]) + exact(row[columns["used"]])
    total -= optional(row, columns.get("debt")) or ZERO
    equity = optional(row, columns.get("equity"))
    equity = total if equity is None else equity
    if free is None:
        names = ("order_margin", "position_margin", "locked")
        held = [optional(row, columns.get(name)) for name in names]
        free = max(equity - sum((part for part in held if part), ZERO), ZERO)
    return Balance(
        venue=venue,
        asset=text(row[columns["asset"]]),
        free=free,
        total=total,
        equity=equity,
        observed_at=now,
        borrowed=optional(row, columns.get("borrowed")) or ZERO,
        interest=optional(row, columns.get("interest")) or ZERO,
    )


def borrow_interest(row: Row, columns: Columns, venue: str) -> BorrowInterest:
    """Return one charge; venues write it as a change of the wallet, < 0."""
    return BorrowInterest(
        venue=venue,
        venue_interest_id=text(row[columns["key"]]),
        amount=-exact(row[columns["change"]]),
        asset=text(row[columns["asset"]]),
        charged_at=moment(row[columns["time"]]),
    )


def fee_tier(row: Row, columns: Columns, listing: Listing, profile: VenueProfile) -> FeeTier:
    """Return maker and taker fee, > 0 where it is paid."""
    return FeeTier(
        venue=listing.instrument.venue,
        symbol=listing.symbol,
        maker=exact(row[columns["maker"]]) * profile.fee_sign,
        taker=exact(row[columns["taker"]]) * profile.fee_sign,
    )


def _status(status: Any, amount: Any, filled: Any) -> VenueOrderStatus | None:
    known = _STATUSES.get(status)
    if known is VenueOrderStatus.OPEN and filled:
        return VenueOrderStatus.PARTIAL
    # "Closed" also means that the rest of a partly filled order was cancelled.
    if known is VenueOrderStatus.FILLED and amount is not None and filled is not None:
        return known if exact(filled) >= exact(amount) else VenueOrderStatus.CANCELED
    return known


def _side(row: Row, columns: Columns) -> Side:
    if "is_buyer" in columns:
        return Side.BUY if row[columns["is_buyer"]] else Side.SELL
    return Side(row[columns["side"]].lower())


def key_facts(answer: Row, told: Row, rights: KeyRights) -> KeyFacts:
    """Return what the venue says of a key; `told` is the answer that names the account."""
    uids = (str(_at(told, path) or "") for path in rights.uid)
    stated = _at(answer, rights.addresses) if rights.addresses else None
    expires_at = _expiry(_at(answer, rights.expires_at)) if rights.expires_at else None
    return KeyFacts(
        venue_uid=next((uid for uid in uids if uid not in NO_UID), ""),
        expires_at=expires_at,
        is_bound_to_address=None if stated is None else stated not in rights.unbound,
    )


def _at(answer: Any, path: Sequence[str]) -> Any:
    """Return what stands at a path, None where the answer leaves it out."""
    for key in path:
        answer = answer.get(key) if answer else None
    return answer


def _expiry(stated: Any) -> datetime | None:
    """Return when a key ends, told as ISO text or in milliseconds; None where it does not."""
    if not stated:
        return None
    is_text = isinstance(stated, str) and not stated.isdigit()
    ends = datetime.fromisoformat(stated) if is_text else moment(stated)
    return ends if ends > KEYS_EXIST_SINCE else None
