"""What a unified account owes: coins it has sold and not bought back, and interest on them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from exchanges import loans
from exchanges.loans import COLLATERAL_RATE, next_charge
from exchanges.simulator.accounts import Account, InterestRow
from exchanges.simulator.ledger import Ledger
from exchanges.simulator.listings import BYBIT, BYBIT_SPOT, UNIFIED, Listing
from exchanges.simulator.market import Market

CHARGED_UNTIL = "charged_until"
ZERO = Decimal(0)


class InterestClock:
    """Charges every hour exactly once, those missed while stopped included."""

    def __init__(self, *, ledger: Ledger, market: Market, started_at: datetime) -> None:
        self._ledger = ledger
        self._market = market
        stored = ledger.meta(CHARGED_UNTIL)
        self._charged_until = datetime.fromisoformat(stored) if stored else started_at
        if stored is None:
            ledger.put_meta(CHARGED_UNTIL, started_at.isoformat())
            ledger.commit()
        self._due_at = next_charge(self._charged_until)

    def charge_due(self, now: datetime) -> None:
        """Charge all hours of (charged until, now], in order of time."""
        if now < self._due_at:
            return
        while self._due_at <= now:
            for account in self._ledger.accounts.values():
                self.charge(account, self._due_at)
            self._charged_until = self._due_at
            self._due_at = next_charge(self._due_at)
        self._ledger.put_meta(CHARGED_UNTIL, self._charged_until.isoformat())
        self._ledger.commit()

    def charge(self, account: Account, at: datetime) -> None:
        """Charge an hour on everything the account owes at `at`."""
        for listing in coins(self._market, account):
            borrowed = owed(account, listing.base)
            if not borrowed:
                continue
            rate = self._market.borrow_rate(listing, at)
            number = len(self._ledger.interest) + 1
            row = InterestRow(
                number=number,
                venue_interest_id=f"interest-{number}",
                api_key=account.api_key,
                asset=listing.base,
                borrowed=borrowed,
                hourly_rate=rate,
                interest=loans.interest(borrowed, rate),
                charged_at=at,
            )
            account.credit(UNIFIED, listing.base, -row.interest)
            self._ledger.add_interest(row)
            self._ledger.put_account(account)


def coins(market: Market, account: Account) -> Iterator[Listing]:
    """Yield the spot listing of each coin in the unified wallet; others are worth nothing."""
    for asset in tuple(account.wallets.get(UNIFIED, ())):
        listing = market.listings.get((BYBIT_SPOT, f"{asset}USDT"))
        if listing is not None:
            yield listing


def owed(account: Account, asset: str) -> Decimal:
    """Return how much of `asset` the unified account has borrowed."""
    return loans.owed(account.balance(UNIFIED, asset))


def coin_worth(market: Market, account: Account, *, venue: str, now: datetime) -> Decimal:
    """Return what coins add to the margin of a venue's wallet, in USDT: debts count whole."""
    if venue != BYBIT:
        return ZERO
    total = ZERO
    for listing in coins(market, account):
        amount = account.balance(UNIFIED, listing.base)
        rate = COLLATERAL_RATE if amount > 0 else 1
        total += amount * rate * market.index(listing, now)
    return total


def debt_worth(market: Market, account: Account, *, venue: str, now: datetime) -> Decimal:
    """Return what the coins that a venue's wallet owes are worth, in USDT."""
    if venue != BYBIT:
        return ZERO
    debts = (
        owed(account, listing.base) * market.index(listing, now)
        for listing in coins(market, account)
    )
    return sum(debts, ZERO)
