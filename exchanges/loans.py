"""What a loan of coins costs and how much margin must stay behind it.

Pure: standard library and `exchanges.matching`. Shared by the venue simulator and the paper
account, so that the two cannot disagree. As Bybit counts, where alone we borrow: its Help Center,
"Borrowing, Interest and Repayment (Unified Trading Account)". Quantities are of the coin, rates
fractions an hour.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from exchanges.matching import MarginState

HOUR = timedelta(hours=1)
# What is owed five minutes after an hour is charged for a whole one, at the rate of then.
CHARGED_AFTER = timedelta(minutes=5)
# The part of a coin's value that counts as collateral, and what a debt of coins needs of it.
COLLATERAL_RATE = Decimal("0.95")
BORROW_INITIAL_RATE, BORROW_MAINTENANCE_RATE = Decimal("0.1"), Decimal("0.04")
SMALLEST = Decimal("0.000000000001")
ZERO = Decimal(0)


def next_charge(after: datetime) -> datetime:
    """Return the first moment after `after` at which what is owed is charged."""
    hour = (after - CHARGED_AFTER).replace(minute=0, second=0, microsecond=0)
    return hour + HOUR + CHARGED_AFTER


def owed(balance: Decimal) -> Decimal:
    """Return what is owed of a coin whose balance fell below 0 by selling it; never below 0."""
    return max(ZERO, -balance)


def interest(borrowed: Decimal, hourly_rate: Decimal) -> Decimal:
    """Return an hour's charge in the coin itself, > 0 paid, to twelve decimals."""
    return (borrowed * hourly_rate).quantize(SMALLEST)


def indebted(state: MarginState, worth: Decimal) -> MarginState:
    """Return a wallet that owes coins worth `worth` of its asset besides: debts count whole.

    Worked: 6,000 owed of a wallet of 106,000 leave 100,000 of equity, hold 600 and need 240.
    """
    return replace(
        state,
        wallet_balance=state.wallet_balance - worth,
        initial_margin=state.initial_margin + worth * BORROW_INITIAL_RATE,
        maintenance_margin=state.maintenance_margin + worth * BORROW_MAINTENANCE_RATE,
    )
