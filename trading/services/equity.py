"""Read what the accounts are worth and what moved in and out, as the venues say it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from arbsite.accounts.models import User
from exchanges.domain import Balance, VenuePosition
from exchanges.models import AccountBalance, AccountPosition, ExchangeAccount
from exchanges.ports import Account
from trading.models import AccountEquity, EquitySnapshot
from trading.services.capital import DOLLARS
from trading.services.coins import OwnCoins, own_coins
from trading.services.daily_stop import note_daily_stop
from trading.services.halt import openable
from trading.services.in_use import accounts_in_use
from trading.services.position_facts import store_positions
from trading.services.rehearsal import note_hour
from trading.services.transfers import book_transfers
from trading.services.venues import READ_SECONDS, Venues


def read_accounts(accounts: Iterable[ExchangeAccount], *, venues: Venues, now: datetime) -> int:
    """Store balances and positions of each account that answers; return how many did."""
    return len(read_each(accounts, venues=venues, now=now))


def read_each(accounts: Iterable[ExchangeAccount], *, venues: Venues, now: datetime) -> set[UUID]:
    """Store balances and positions of each account that answers; return which did."""
    rows = openable(accounts, venues=venues, now=now)
    answers = venues.call_all([_ask(venues.account(account)) for account in rows], READ_SECONDS)
    answered = set()
    for account, answer in zip(rows, answers, strict=True):
        if not isinstance(answer, BaseException):
            _store(account, *answer, now)
            answered.add(account.pk)
    return answered


async def _ask(port: Account) -> tuple[Sequence[Balance], Sequence[VenuePosition]]:
    return await port.balances(), await port.positions()


def snapshot_equity(*, venues: Venues, now: datetime) -> int:
    """Read all accounts in use and keep one equity row per user, mode and minute.

    A user with an account that did not answer gets no row: a partial sum would look like a loss.
    What is left of another mode is never added to what is in use.
    """
    minute = now.replace(second=0, microsecond=0)
    written = 0
    in_use = accounts_in_use()
    by_user: dict[tuple[User, str], list[ExchangeAccount]] = {}
    for account in in_use:
        by_user.setdefault((account.user, account.exchange.mode), []).append(account)
    answered = read_each(in_use, venues=venues, now=now)
    for (user, mode), accounts in by_user.items():
        if any(account.pk not in answered for account in accounts):
            continue
        _write_snapshot(user, mode, accounts, minute, now)
        book_transfers(accounts, venues=venues, now=now)
        note_daily_stop(user, now=now)
        note_hour(user, accounts, now)
        written += 1
    return written


def _write_snapshot(
    user: User, mode: str, accounts: Iterable[ExchangeAccount], minute: datetime, now: datetime
) -> None:
    """Write a user's snapshot with each account's part, once a minute."""
    coins = own_coins(accounts)
    equity, free = _dollars(accounts)
    equity += sum((held.value for held in coins), Decimal(0))
    with transaction.atomic():
        snapshot, is_new = EquitySnapshot.objects.get_or_create(
            user=user,
            mode=mode,
            at=minute,
            defaults={"equity_usd": equity, "free_usd": free, "read_at": now},
        )
        if is_new:
            AccountEquity.objects.bulk_create(
                [_account_equity(snapshot, account, coins) for account in accounts]
            )


def _account_equity(
    snapshot: EquitySnapshot, account: ExchangeAccount, coins: Iterable[OwnCoins]
) -> AccountEquity:
    own = [held for held in coins if held.account_id == account.pk]
    rows = AccountBalance.objects.filter(account=account, asset__in=DOLLARS)
    held = AccountPosition.objects.filter(account=account).select_related("instrument")
    return AccountEquity(
        snapshot=snapshot,
        account=account,
        wallet_usd=sum((row.total for row in rows), Decimal(0)),
        equity_usd=sum((row.equity for row in rows), Decimal(0))
        + sum((held.value for held in own), Decimal(0)),
        coins=[
            {
                "symbol": held.symbol,
                "base_quantity": str(held.base_quantity),
                "mid": str(held.mid),
            }
            for held in own
        ],
        positions=[
            {
                "symbol": row.instrument.symbol,
                "base_quantity": str(row.base_quantity),
                "mark_price": None if row.mark_price is None else str(row.mark_price),
                "unrealised_pnl": str(row.unrealised_pnl or 0),
            }
            for row in held
            if row.base_quantity
        ],
    )


def worth(accounts: Iterable[ExchangeAccount]) -> tuple[Decimal, Decimal]:
    """Return equity and free collateral in USD: the stored dollars, and the coins of our legs."""
    equity, free = _dollars(accounts)
    return equity + sum((held.value for held in own_coins(accounts)), Decimal(0)), free


def _dollars(accounts: Iterable[ExchangeAccount]) -> tuple[Decimal, Decimal]:
    rows = AccountBalance.objects.filter(account__in=list(accounts), asset__in=DOLLARS)
    equity = sum((row.equity for row in rows), Decimal(0))
    free = sum((row.free for row in rows), Decimal(0))
    return equity, free


def _store(
    account: ExchangeAccount,
    balances: Iterable[Balance],
    positions: Iterable[VenuePosition],
    now: datetime,
) -> None:
    """Keep what was read; an asset that is no longer listed is held no more."""
    listed = set()
    for balance in balances:
        listed.add(balance.asset)
        AccountBalance.objects.update_or_create(
            account=account,
            asset=balance.asset,
            defaults={
                "free": balance.free,
                "total": balance.total,
                "equity": balance.equity,
                "observed_at": now,
            },
        )
    nothing = dict.fromkeys(("free", "total", "equity"), Decimal(0))
    gone = AccountBalance.objects.filter(account=account).exclude(asset__in=listed)
    gone.update(**nothing, observed_at=now)
    store_positions(account, positions, now=now)
