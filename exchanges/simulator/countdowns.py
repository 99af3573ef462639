"""Countdowns that cancel an account's orders unless they are started again: of a symbol or tag."""

from __future__ import annotations

from datetime import datetime, timedelta

from exchanges.simulator.accounts import Account
from exchanges.simulator.engine import Engine
from exchanges.simulator.ledger import Ledger

TAGGED = "#"
# Every order at the venue.
ALL = ""


def start_countdown(
    ledger: Ledger, account: Account, venue: str, what: str, *, after: timedelta, now: datetime
) -> None:
    """Start or restart the countdown of one symbol, or of `#` and a tag; zero ends it."""
    key = f"{venue}:{what}"
    account.countdowns.pop(key, None)
    if after > timedelta(0):
        account.countdowns[key] = now + after
    ledger.put_account(account)


def fire_countdowns(ledger: Ledger, engine: Engine, *, now: datetime) -> None:
    """Cancel every order of what has counted down, whatever the order is for."""
    for account in ledger.accounts.values():
        due = [key for key, at in account.countdowns.items() if at <= now]
        for key in due:
            venue, what = key.split(":")
            del account.countdowns[key]
            for order in ledger.open_orders(api_key=account.api_key, venue=venue):
                if what in (ALL, order.symbol, TAGGED + order.tag):
                    engine.cancel(account, order, now=now)
        if due:
            ledger.put_account(account)
