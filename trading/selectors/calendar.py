"""What venues announced and what has changed there, as everybody sees it; fees only one's own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q

from arbsite.accounts.models import User
from exchanges.models.notices import FactChange, VenueNotice

CHANGES_SHOWN = 200


def coming_notices(now: datetime) -> Sequence[VenueNotice]:
    """Return what is to come or goes on at venues in use, the next one first."""
    return list(VenueNotice.objects.coming(now).filter(exchange__is_enabled=True))


def recent_changes(user: User) -> Sequence[FactChange]:
    """Return the newest changes of listed facts, and of the user's own fees."""
    seen = Q(account=None) | Q(account__user=user)
    rows = FactChange.objects.filter(seen).select_related(
        "exchange", "instrument__exchange", "account__exchange"
    )
    return list(rows[:CHANGES_SHOWN])
