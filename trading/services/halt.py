"""Stop an account from opening anything until a person has looked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from exchanges.errors import VenueError
from exchanges.models import ExchangeAccount
from exchanges.sealing import SealError
from trading.events import announce
from trading.models import Event
from trading.services.venues import Venues


def halt_account(account: ExchangeAccount, *, reason: str, now: datetime) -> bool:
    """Halt the account and say why; return False, changing nothing, if it is halted already."""
    with transaction.atomic():
        halted = ExchangeAccount.objects.filter(pk=account.pk, halted_at=None).update(
            halted_at=now, halted_reason=reason[:300]
        )
        if halted != 1:
            return False
        announce(
            user_id=account.user_id,
            kind="account.halted",
            severity=Event.Severity.CRITICAL,
            sentence=f"{account}: no new positions until a person has looked. {reason}",
            now=now,
        )
    return True


def why_barred(account: ExchangeAccount) -> str:
    """Return why a halted account opens nothing."""
    return f"{account} is halted: {account.halted_reason}"


def openable(
    accounts: Iterable[ExchangeAccount], *, venues: Venues, now: datetime
) -> list[ExchangeAccount]:
    """Return the accounts whose keys open; halt the others, so that none keeps the rest waiting."""
    found = []
    for account in accounts:
        try:
            venues.account(account)
        except (SealError, VenueError) as error:
            halt_account(account, reason=str(error), now=now)
        else:
            found.append(account)
    return found


def release_account(account: ExchangeAccount, *, actor: str, now: datetime) -> bool:
    """Let a halted account open positions again, on a person's word."""
    with transaction.atomic():
        released = (
            ExchangeAccount.objects.filter(pk=account.pk)
            .exclude(halted_at=None)
            .update(halted_at=None, halted_reason="")
        )
        if released == 1:
            announce(
                user_id=account.user_id,
                kind="account.released",
                sentence=f"{account}: released by {actor}",
                now=now,
            )
    return released == 1
