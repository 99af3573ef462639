"""The ranges staff leaves to users: read with every configuration, written with an audit entry."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Q

from arbsite.accounts import audit
from arbsite.accounts.models import User
from trading.core.money import plain
from trading.core.staff_range import StaffRange
from trading.models import StaffLimit


def ranges_for(user: User) -> dict[str, StaffRange]:
    """Return the range by outer key: the tighter of everyone's and the user's own."""
    ranges: dict[str, StaffRange] = {}
    for row in StaffLimit.objects.filter(Q(user=user) | Q(user=None)):
        own = StaffRange(least=row.least, most=row.most)
        ranges[row.field] = own.narrowed(ranges.get(row.field, own))
    return ranges


def save_limit(limit: StaffLimit, *, actor: str, now: datetime) -> None:
    """Write one range; it is in force with the next read of any configuration."""
    with transaction.atomic():
        limit.save()
        _record(limit, "staff limit set", actor, now)


def remove_limit(limit: StaffLimit, *, actor: str, now: datetime) -> None:
    with transaction.atomic():
        _record(limit, "staff limit removed", actor, now)
        limit.delete()


def _record(limit: StaffLimit, action: str, actor: str, now: datetime) -> None:
    audit.record(
        actor=actor,
        action=action,
        subject=str(limit),
        details={"least": _written(limit.least), "most": _written(limit.most)},
        now=now,
    )


def _written(bound: Decimal | None) -> str:
    return "" if bound is None else plain(bound)
