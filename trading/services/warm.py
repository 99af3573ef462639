"""At the start of a process: reconcile each account, and pay the costs of first calls."""

from __future__ import annotations

import logging
from uuid import UUID

from django.utils import timezone

from exchanges import registry
from exchanges.account_keys import account_key
from exchanges.models import ExchangeAccount
from trading.models import EnginePulse
from trading.services.engine import unreconciled
from trading.services.equity import read_accounts
from trading.services.reconcile import reconcile_account
from trading.services.reviews import ask_for_review
from trading.services.venues import REAL

logger = logging.getLogger(__name__)

_warm: set[UUID] = set()


def warm_venues() -> int:
    """Read and reconcile every active account that this process has not met yet.

    For what was not compared since the engine came to life, after a stand-still too, a review is
    asked. Return how many new ones answered; what did not is tried again next time.
    """
    now = timezone.now()
    accounts = list(ExchangeAccount.objects.active().select_related("exchange"))
    cold = [account for account in accounts if account.pk not in _warm]
    for account in unreconciled(accounts, EnginePulse.objects.first()):
        if account.pk in _warm:
            ask_for_review(account.pk, reason="the engine came back to life", now=now)
    return _warm_up(cold) if cold else 0


def _warm_up(cold: list[ExchangeAccount]) -> int:
    answered = read_accounts(cold, venues=REAL, now=timezone.now())
    if answered == len(cold):
        registry.warm_up([account_key(account) for account in cold])
        for account in cold:
            reconcile_account(account, venues=REAL, now=timezone.now())
        _warm.update(account.pk for account in cold)
    logger.info("venues warm", extra={"accounts": answered, "of": len(cold)})
    return answered
