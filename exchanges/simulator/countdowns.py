"""Countdowns that cancel an account's orders in one symbol unless they are started again."""

from __future__ import annotations

from datetime import datetime, timedelta

from exchanges.simulator.accounts import Account
from exchanges.simulator.engine import Engine
from exchanges.simulator.ledger import Ledger
from exchanges.simulator.listings import Listing


def start_countdown(
    ledger: Ledger, account: Account, listing: Listing, *, after: timedelta, now: datetime
) -> None:
    """Start or restart the countdown of one symbol; zero ends it."""
    key = f"{listing.venue}:{listing.symbol}"
    account.countdowns.pop(key, None)
    if after > timedelta(0):
        account.countdowns[key] = now + after
    ledger.put_account(account)


def fire_countdowns(ledger: Ledger, engine: Engine, *, now: datetime) -> None:
    """Cancel every order of the symbols whose countdown is over, whatever the order is for."""
    for account in ledger.accounts.values():
        due = [key for key, at in account.countdowns.items() if at <= now]
        for key in due:
            venue, symbol = key.split(":")
            del account.countdowns[key]
            for order in ledger.open_orders(api_key=account.api_key, venue=venue, symbol=symbol):
                engine.cancel(account, order, now=now)
        if due:
            ledger.put_account(account)
