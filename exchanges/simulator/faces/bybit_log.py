"""Bybit's transaction log: transfers and interest; what trades and funding did is elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from exchanges.simulator.accounts import Account, InterestRow, TransferRow
from exchanges.simulator.ledger import Ledger
from exchanges.simulator.listings import UNIFIED
from exchanges.simulator.wire import Json, milliseconds, plain


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """One change of the wallet; `change` > 0 came in."""

    number: str
    kind: str
    asset: str
    change: Decimal
    at: datetime


def log_rows(ledger: Ledger, owner: Account, kind: str) -> list[LogRow]:
    """Return the rows of one kind, or of all, newest first."""
    rows = [_moved(row) for row in ledger.account_transfers(owner.api_key, UNIFIED)]
    rows += [_charged(row) for row in ledger.account_interest(owner.api_key)]
    kept = [row for row in rows if kind in ("", row.kind)]
    return sorted(kept, key=lambda row: row.at, reverse=True)


def _moved(row: TransferRow) -> LogRow:
    return LogRow(
        number=f"transfer-{row.number}",
        kind="TRANSFER_IN" if row.amount > 0 else "TRANSFER_OUT",
        asset=row.asset,
        change=row.amount,
        at=row.moved_at,
    )


def _charged(row: InterestRow) -> LogRow:
    return LogRow(
        number=row.venue_interest_id,
        kind="INTEREST",
        asset=row.asset,
        change=-row.interest,
        at=row.charged_at,
    )


def log_payload(row: LogRow) -> Json:
    return {
        "id": row.number,
        "symbol": "",
        "category": "",
        "side": "None",
        "transactionTime": str(milliseconds(row.at)),
        "type": row.kind,
        "qty": plain(row.change),
        "size": "0",
        "currency": row.asset,
        "tradePrice": "0",
        "funding": "0",
        "fee": "0",
        "cashFlow": plain(row.change),
        "change": plain(row.change),
        "feeRate": "0",
        "tradeId": "",
        "orderId": "",
        "orderLinkId": "",
    }


def borrow_payload(row: InterestRow) -> Json:
    return {
        "currency": row.asset,
        "createdTime": milliseconds(row.charged_at),
        "borrowCost": plain(row.interest),
        "hourlyBorrowRate": plain(row.hourly_rate),
        "InterestBearingBorrowSize": plain(row.borrowed),
        "costExemption": "0",
        "borrowAmount": plain(row.borrowed),
        "unrealisedLoss": "0",
        "freeBorrowedAmount": "0",
    }
