"""Which accounts are read and watched: those in use, and those that a live position is on."""

from __future__ import annotations

from django.db.models import Q

from exchanges.models import ExchangeAccount, ExchangeAccountQuerySet
from trading.core.states import LIVE_POSITION_STATES
from trading.models import Leg


def accounts_in_use() -> ExchangeAccountQuerySet:
    """Return the active accounts, and inactive ones until what is open on them has ended.

    Nothing is opened with an inactive account; what it holds is managed to its end all the same.
    """
    held = Leg.objects.filter(position__state__in=LIVE_POSITION_STATES).values("account")
    in_use = Q(is_active=True) | Q(pk__in=held)
    return ExchangeAccount.objects.filter(in_use).select_related("exchange", "user")
