"""Pay the first-call costs before the first order: venue clients, markets, connections."""

from __future__ import annotations

import logging

from django.utils import timezone

from exchanges.models import ExchangeAccount
from trading.services.equity import read_accounts
from trading.services.venues import REAL

logger = logging.getLogger(__name__)


def warm_venues() -> int:
    """Open every active account's ports and read it once; return how many answered."""
    accounts = ExchangeAccount.objects.active().select_related("exchange")
    answered = read_accounts(accounts, venues=REAL, now=timezone.now())
    logger.info("venues warm", extra={"accounts": answered})
    return answered
