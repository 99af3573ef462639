"""What a user lost since midnight UTC; money that was moved is neither lost nor gained."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from arbsite.accounts import audit
from arbsite.accounts.models import User
from exchanges.models import AccountBalance, ExchangeAccount
from exchanges.modes import Mode
from trading.core.refusal import Refusal
from trading.core.sentence import percent
from trading.events import announce
from trading.models import AccountEquity, DailyStop, EquitySnapshot, Event, Transfer
from trading.services import configure
from trading.services.capital import DOLLARS, capital_of
from trading.services.engine import usable_accounts
from trading.services.money_mode import mode_of

ZERO, PLACES = Decimal(0), Decimal("1e-12")
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


def stop_of(user: User, lost: Decimal, most: Decimal, now: datetime) -> DailyStop | None:
    """Return the stop in force; one that `lost` reaches just now is written and told once.

    What was lost when somebody lifted the last one of the day is accepted: the next is reached when
    as much again is lost.
    """
    today = list(_of_day(user, now))
    standing = next((stop for stop in today if stop.lifted_at is None), None)
    accepted = max((stop.lifted_lost for stop in today), default=ZERO)
    if standing is not None or lost - accepted < most:
        return standing
    try:
        with transaction.atomic():
            stop = DailyStop.objects.create(
                user=user,
                mode=mode_of(user),
                day=now.date(),
                reached_at=now,
                lost=_rate(lost),
                most=most,
            )
            announce(
                user_id=user.pk,
                kind=KIND,
                severity=Event.Severity.CRITICAL,
                sentence=f"{percent(lost)} of the capital was lost since midnight UTC, transfers "
                f"aside: automation enters nothing from {percent(most)} on, until a new day "
                "begins or somebody lifts the stop on the dashboard",
                now=now,
            )
    except IntegrityError:
        # Another process saw it at the same moment, and told it.
        return in_force(user, now)
    return stop


def note_daily_stop(user: User, *, now: datetime) -> None:
    """Look at what was lost at balances that were read just now."""
    accounts = {account.exchange.code: account for account in usable_accounts(user)}
    lost = lost_today(user, accounts.values(), capital_of(accounts)[1], now)
    stop_of(user, lost, configure.current(user).parameters.daily_stop, now)


def lift_daily_stop(user: User, *, actor: str, now: datetime) -> bool:
    """Let automation enter again until as much more is lost; tell whether a stop was lifted."""
    accounts = {account.exchange.code: account for account in usable_accounts(user)}
    lost = lost_today(user, accounts.values(), capital_of(accounts)[1], now)
    with transaction.atomic():
        lifted = (
            _of_day(user, now)
            .filter(lifted_at=None)
            .update(lifted_at=now, lifted_by=actor, lifted_lost=_rate(max(lost, ZERO)))
        )
        if lifted:
            sentence = f"Daily stop lifted by {actor} at {percent(lost)} lost since midnight UTC"
            announce(user_id=user.pk, kind="engine", sentence=sentence, now=now)
            audit.record(
                actor=actor,
                action="daily stop lifted",
                subject=user.get_username(),
                details={"lost": str(_rate(lost))},
                now=now,
            )
    return bool(lifted)


def refusal_of(stop: DailyStop | None, lost: Decimal) -> Refusal | None:
    """Return why automation enters nothing, with what was lost, since when and now."""
    if stop is None:
        return None
    return Refusal(code="daily_stop", sentence=f"{halted_by(stop)} {percent(lost)} is lost now.")


def halted_by(stop: DailyStop) -> str:
    """Say what a stop halts, at which loss and since when."""
    return (
        f"{percent(stop.lost)} of the capital was lost since midnight UTC, transfers aside, when "
        f"the daily stop of {percent(stop.most)} was reached at {stop.reached_at:%H:%M:%S} UTC: "
        "automation enters nothing until midnight UTC or until somebody lifts the stop."
    )


def in_force(user: User, now: datetime, mode: Mode | None = None) -> DailyStop | None:
    """Return the stop that halts a user's automation; `mode` if it is known."""
    return _of_day(user, now, mode).filter(lifted_at=None).first()


def _of_day(user: User, now: datetime, mode: Mode | None = None) -> QuerySet[DailyStop]:
    return DailyStop.objects.filter(user=user, mode=mode or mode_of(user), day=now.date())


def _rate(part: Decimal) -> Decimal:
    return part.quantize(PLACES)


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
