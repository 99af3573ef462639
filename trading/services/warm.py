"""At the start of a process: reconcile each account, and pay the costs of first calls."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from exchanges import registry
from exchanges.account_keys import account_key
from exchanges.models import ExchangeAccount
from trading.models import EnginePulse
from trading.services.engine import unreconciled
from trading.services.equity import read_each
from trading.services.in_use import accounts_in_use
from trading.services.reconcile import reconcile_each
from trading.services.reviews import ask_for_review
from trading.services.venues import REAL

logger = logging.getLogger(__name__)

# A refused key is no reason to ask its venue again at every round.
AGAIN_AFTER = timedelta(seconds=30)

_warm: set[UUID] = set()
_tried: dict[UUID, datetime] = {}


def warm_venues() -> int:
    """Read and reconcile every account in use that this process has not met yet.

    For what was not compared since the engine came to life, after a stand-still too, a review is
    asked. Return how many new ones answered; what did not is tried again by itself a while later.
    """
    now = timezone.now()
    accounts = list(accounts_in_use())
    cold = [account for account in accounts if account.pk not in _warm and _may_try(account, now)]
    for account in unreconciled(accounts, EnginePulse.objects.first()):
        if account.pk in _warm:
            ask_for_review(account.pk, reason="the engine came back to life", now=now)
    return _warm_up(cold, now) if cold else 0


def _may_try(account: ExchangeAccount, now: datetime) -> bool:
    tried = _tried.get(account.pk)
    return tried is None or abs(now - tried) >= AGAIN_AFTER


def _warm_up(cold: list[ExchangeAccount], now: datetime) -> int:
    """Warm each account that answers, whatever the others do."""
    answered = read_each(cold, venues=REAL, now=now)
    warm = [account for account in cold if account.pk in answered]
    if warm:
        registry.warm_up([account_key(account) for account in warm])
        reconcile_each(warm, venues=REAL, now=timezone.now())
    _warm.update(answered)
    _tried.update((account.pk, now) for account in cold)
    logger.info("venues warm", extra={"accounts": len(warm), "of": len(cold)})
    return len(warm)
