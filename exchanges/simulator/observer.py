"""The books as an outside observer reads them: plain JSON, decimals as strings."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from exchanges.simulator.core import Simulator
from exchanges.simulator.margin import holding_of
from exchanges.simulator.wire import Json


def ledger_view(simulator: Simulator, now: datetime, *, api_key: str | None = None) -> Json:
    """Return accounts, orders and all that was booked, and open positions, of one key or of all."""
    ledger = simulator.ledger
    return {
        "time": now,
        "accounts": [
            {
                "venue": account.venue,
                "api_key": account.api_key,
                "uid": account.uid,
                "wallets": account.wallets,
                "leverages": account.leverages,
            }
            for account in ledger.accounts.values()
            if api_key in (None, account.api_key)
        ],
        "orders": [asdict(row) for row in ledger.orders.values() if api_key in (None, row.api_key)],
        "fills": [asdict(row) for row in ledger.trades if api_key in (None, row.api_key)],
        "fees": [
            {"api_key": owner, "venue": venue, "asset": asset, "paid": paid}
            for (owner, venue, asset), paid in ledger.fees_paid().items()
            if api_key in (None, owner)
        ],
        "funding": [asdict(row) for row in ledger.funding if api_key in (None, row.api_key)],
        "interest": [asdict(row) for row in ledger.interest if api_key in (None, row.api_key)],
        "transfers": [asdict(row) for row in ledger.transfers if api_key in (None, row.api_key)],
        "positions": _positions(simulator, now, api_key),
    }


def _positions(simulator: Simulator, now: datetime, api_key: str | None) -> list[Json]:
    rows = []
    for row in simulator.ledger.holdings(api_key=api_key):
        listing = simulator.market.listings[(row.venue, row.symbol)]
        holding, mark = holding_of(row), simulator.market.mark(listing, now)
        rows.append(
            {
                "api_key": row.api_key,
                "venue": row.venue,
                "symbol": row.symbol,
                "base_quantity": row.base_quantity,
                "entry_price": holding.entry_price,
                "mark_price": mark,
                "unrealised_pnl": holding.unrealised_pnl(mark),
            }
        )
    return rows
