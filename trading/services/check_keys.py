"""Check what a key may do before anything is opened with it, and again every day."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from exchanges.errors import CredentialRefused
from exchanges.models import ExchangeAccount
from trading.models import Discrepancy
from trading.services.halt import halt_account, openable
from trading.services.venues import READ_SECONDS, Venues

CHECK_LASTS = timedelta(hours=24)


def check_keys(*, venues: Venues, now: datetime) -> int:
    """Check new keys and those not checked for a day; return how many may trade.

    A refused key, or one that may withdraw, halts its account with the venue's reason. A new key
    lifts a halt, but not that of a difference nobody has resolved. A venue that does not answer is
    asked again next time.
    """
    due = ExchangeAccount.objects.active().filter(
        Q(checked_at=None) | Q(checked_at__lte=now - CHECK_LASTS), halted_at=None
    )
    accounts = openable(due.select_related("exchange"), venues=venues, now=now)
    answers = venues.call_all(
        [venues.account(account).check_key() for account in accounts], READ_SECONDS
    )
    passed = 0
    for account, answer in zip(accounts, answers, strict=True):
        if answer is None:
            passed += _pass(account, now)
        elif isinstance(answer, CredentialRefused):
            halt_account(account, reason=answer.detail, now=now)
    return passed


def _pass(account: ExchangeAccount, now: datetime) -> bool:
    """Note a good key; False where a difference that still stands halts its account again."""
    standing = Discrepancy.objects.confirmed().filter(account=account).first()
    with transaction.atomic():
        if standing is not None:
            halt_account(account, reason=standing.sentence, now=now)
        ExchangeAccount.objects.filter(pk=account.pk).update(checked_at=now)
    return standing is None
