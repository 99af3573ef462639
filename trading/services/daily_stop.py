"""What a user lost since midnight UTC; money that was moved is neither lost nor gained."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import QuerySet

from arbsite.accounts.models import User
from exchanges.models import AccountBalance, ExchangeAccount
from trading.core.sentence import percent
from trading.events import announce_once
from trading.models import AccountEquity, EquitySnapshot, Event, Transfer
from trading.services import configure
from trading.services.capital import DOLLARS, capital_of
from trading.services.engine import usable_accounts
from trading.services.money_mode import mode_of

ZERO = Decimal(0)
KIND = "equity.daily_stop"


def lost_today(
    user: User, accounts: Collection[ExchangeAccount], equity: Decimal, now: datetime
) -> Decimal:
    """Return what was lost, as a part of what there was at midnight UTC and was paid in since.

    < 0 is a gain. Without a reading of today nothing is known to be lost.
    """
    today = EquitySnapshot.objects.filter(user=user, mode=mode_of(user), at__gte=_midnight(now))
    first = today.order_by("at").first()
    if first is None:
        return ZERO
    moved = _moved(user, first, accounts)
    capital = first.equity_usd + max(moved, ZERO)
    lost: Decimal = first.equity_usd + moved - equity
    return lost / capital if capital > 0 else ZERO


def announce_daily_stop(user: User, *, now: datetime) -> None:
    """Tell a user once a day that its loss has reached what halts entries."""
    accounts = {account.exchange.code: account for account in usable_accounts(user)}
    most = configure.current(user).parameters.daily_stop
    lost = lost_today(user, accounts.values(), capital_of(accounts)[1], now)
    if lost < most:
        return
    announce_once(
        user_id=user.pk,
        kind=KIND,
        severity=Event.Severity.CRITICAL,
        sentence=f"{percent(lost)} of the capital was lost since midnight UTC, transfers aside: "
        f"automation enters nothing from {percent(most)} on, until the loss is smaller or a new "
        "day begins",
        within=now - _midnight(now),
        now=now,
    )


def _moved(user: User, first: EquitySnapshot, accounts: Collection[ExchangeAccount]) -> Decimal:
    """Return what was paid in since the day's first reading, < 0 out.

    An account that was connected since counts as paid in, one that is gone as paid out.
    """
    present = {account.pk for account in accounts}
    known = set(first.accounts.values_list("account_id", flat=True)) or present
    read_at = first.read_at or first.at
    spans: dict[UUID, tuple[datetime, datetime | None]]
    spans = dict.fromkeys(known & present, (read_at, None))
    moved = ZERO
    for account_id in present - known:
        row = _readings(account_id, first).first()
        moved += _balance(account_id) if row is None else row.equity_usd
        if row is not None:
            spans[account_id] = _read_at(row), None
    for account_id in known - present:
        row = _readings(account_id, first).last()
        if row is not None:
            moved -= row.equity_usd
            spans[account_id] = read_at, _read_at(row)
    rows = Transfer.objects.filter(account__user=user, asset__in=DOLLARS, moved_at__gt=read_at)
    for transfer in rows:
        since, until = spans.get(transfer.account_id, (transfer.moved_at, None))
        if since < transfer.moved_at and (until is None or transfer.moved_at <= until):
            moved += transfer.amount
    return moved


def _readings(account_id: UUID, first: EquitySnapshot) -> QuerySet[AccountEquity]:
    own = AccountEquity.objects.filter(account=account_id, snapshot__at__gte=first.at)
    return own.select_related("snapshot").order_by("snapshot__at")


def _read_at(row: AccountEquity) -> datetime:
    return row.snapshot.read_at or row.snapshot.at


def _balance(account_id: UUID) -> Decimal:
    rows = AccountBalance.objects.filter(account=account_id, asset__in=DOLLARS)
    return sum((row.equity for row in rows), ZERO)


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)
