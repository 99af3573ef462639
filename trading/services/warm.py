"""At the start of a process: reconcile each account, and pay the costs of first calls."""

from __future__ import annotations

import logging
from uuid import UUID

from django.utils import timezone

from exchanges import registry
from exchanges.account_keys import account_key
from exchanges.models import ExchangeAccount
from trading.services.equity import read_accounts
from trading.services.reconcile import reconcile_account
from trading.services.venues import REAL

logger = logging.getLogger(__name__)

_warm: set[UUID] = set()


def warm_venues() -> int:
    """Read and reconcile every active account that this process has not met yet.

    Return how many answered; the others are tried again next time.
    """
    cold = list(ExchangeAccount.objects.active().exclude(pk__in=_warm).select_related("exchange"))
    if not cold:
        return 0
    answered = read_accounts(cold, venues=REAL, now=timezone.now())
    if answered == len(cold):
        registry.warm_up([account_key(account) for account in cold])
        for account in cold:
            reconcile_account(account, venues=REAL, now=timezone.now())
        _warm.update(account.pk for account in cold)
    logger.info("venues warm", extra={"accounts": answered, "of": len(cold)})
    return answered
