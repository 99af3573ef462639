"""What accounts hold, as their venues said last: venues leave out what an account holds no more.

Bybit ("currency information with assets or liabilities of 0 is not returned") and OKX (non-zero
assets only) do so; the scripted port answers after their documentation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar, cast

import pytest

from arbsite.accounts.models import User
from exchanges.domain import Balance, VenuePosition
from exchanges.models import ExchangeAccount
from exchanges.ports import Account
from tests.web.rows import make_account, make_exchange
from trading.services.capital import capital_of
from trading.services.equity import read_accounts, worth
from trading.services.venues import REAL, Venues

pytestmark = pytest.mark.db

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
D = Decimal
T = TypeVar("T")


class Wallet:
    """An account's port that lists what it was given."""

    def __init__(self, **held: int) -> None:
        self.held = held

    async def balances(self) -> Sequence[Balance]:
        return [
            Balance(
                venue="bybit",
                asset=asset,
                free=D(held),
                total=D(held),
                equity=D(held),
                observed_at=NOW,
                borrowed=D(0),
                interest=D(0),
            )
            for asset, held in self.held.items()
        ]

    async def positions(self) -> Sequence[VenuePosition]:
        return []


def call_all(
    coroutines: Sequence[Coroutine[Any, Any, T]], timeout: float
) -> list[T | BaseException]:
    async def gathered() -> list[T | BaseException]:
        return await asyncio.gather(*coroutines, return_exceptions=True)

    return asyncio.run(gathered())


def read(account: ExchangeAccount, wallet: Wallet, *, now: datetime) -> None:
    venues: Venues = replace(REAL, account=lambda each: cast(Account, wallet), call_all=call_all)
    assert read_accounts([account], venues=venues, now=now) == 1


@pytest.fixture
def account(owner: User) -> ExchangeAccount:
    account = make_account(owner, make_exchange("bybit", "BYB", "Bybit"), NOW)
    account.balances.all().delete()
    return account


def test_dollars_that_were_withdrawn_whole_are_neither_equity_nor_collateral(
    account: ExchangeAccount,
) -> None:
    read(account, Wallet(USDT=10_000, USDC=5_000), now=NOW)
    assert worth([account]) == (D(15_000), D(15_000))

    read(account, Wallet(USDT=10_000), now=LATER)

    assert worth([account]) == (D(10_000), D(10_000))
    capital, equity = capital_of({"bybit": account})
    assert (capital["bybit"].free, equity) == (D(10_000), D(10_000))


def test_an_account_that_was_emptied_is_worth_nothing(account: ExchangeAccount) -> None:
    read(account, Wallet(USDT=10_000), now=NOW)

    read(account, Wallet(), now=LATER)

    assert worth([account]) == (D(0), D(0))
