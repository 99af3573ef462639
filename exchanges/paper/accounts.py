"""Opening a paper account: no key, a starting balance, one mode per person."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from arbsite.accounts import audit
from arbsite.accounts.models import User
from exchanges.account_keys import refuse_mixed_modes
from exchanges.models import Exchange, ExchangeAccount
from exchanges.modes import Mode
from exchanges.paper.rows import PaperAccount, PaperBalance
from exchanges.sealing import keyed_fingerprint
from exchanges.venues import PROFILES


class PaperRefused(ValueError):
    """This paper account may not be opened; the sentence says what stands in the way."""


def watched_exchange(venue: str) -> Exchange:
    """Return the venue in paper mode, with its real market, enabled, made where it is missing.

    Raise PaperRefused where it is unknown or in use in another mode.
    """
    if venue not in PROFILES:
        raise PaperRefused(f"{venue!r} is not a supported venue: choose {', '.join(PROFILES)}")
    other = Exchange.objects.filter(code=venue, is_enabled=True).exclude(mode=Mode.PAPER).first()
    if other is not None:
        raise PaperRefused(
            f"{other.name} is in use in mode {other.mode}: one installation asks a venue in one "
            "mode only. Switch that one off in the admin first."
        )
    profile = PROFILES[venue]
    # Binance's spot and its futures are two venues: BIS and BIN.
    short_code = profile.short_code or (f"{venue[:2]}s" if profile.is_spot else venue[:3])
    exchange, _ = Exchange.objects.get_or_create(
        code=venue,
        mode=Mode.PAPER,
        defaults={"name": profile.title, "short_code": short_code.upper()},
    )
    return exchange


def open_paper_account(
    *,
    user: User,
    exchange: Exchange,
    label: str,
    starting_balance: Decimal,
    actor: str,
    now: datetime,
    asset: str = "USDT",
    allocation: Decimal = Decimal(1),
    **assumptions: Any,
) -> PaperAccount:
    """Open an account with `starting_balance` x `allocation` of `asset` to trade with.

    `assumptions` are columns of `PaperAccount`: fees, slippage, leverage, maintenance. Raise
    PaperRefused, or ModesMixed where the user trades in another mode.
    """
    check_paper_account(
        user=user,
        exchange=exchange,
        label=label,
        starting_balance=starting_balance,
        allocation=allocation,
    )
    with transaction.atomic():
        account = ExchangeAccount(user=user, exchange=exchange, label=label)
        account.key_fingerprint = keyed_fingerprint(f"paper:{account.pk}")
        account.save(force_insert=True)
        paper = PaperAccount.objects.create(
            account=account,
            asset=asset,
            starting_balance=starting_balance,
            allocation=allocation,
            created_at=now,
            **assumptions,
        )
        PaperBalance.objects.create(paper=paper, asset=asset, total=starting_balance * allocation)
        audit.record(
            actor=actor,
            action="paper account opened",
            subject=f"{user.get_username()}: {account}",
            details={"starting_balance": str(starting_balance), "allocation": str(allocation)},
            now=now,
        )
    return paper


def check_paper_account(
    *, user: User, exchange: Exchange, label: str, starting_balance: Decimal, allocation: Decimal
) -> None:
    """Raise PaperRefused or ModesMixed where such an account may not be opened."""
    if exchange.mode != Mode.PAPER:
        raise PaperRefused(f"{exchange} is no paper venue.")
    if starting_balance <= 0 or not 0 < allocation <= 1:
        raise PaperRefused(
            f"A starting balance is above 0 and an allocation within 0 and 1, not "
            f"{starting_balance} and {allocation}."
        )
    refuse_mixed_modes(user, exchange)
    if ExchangeAccount.objects.for_user(user).filter(exchange=exchange, label=label).exists():
        raise PaperRefused(f"{user.get_username()} has an account {label!r} there already.")
