"""Stop an account from opening anything until a person has looked."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from exchanges.models import ExchangeAccount
from trading.events import announce
from trading.models import Event


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
