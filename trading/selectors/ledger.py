"""Orders, fills and funding payments of one user, for lists and exports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from arbsite.accounts.models import User
from trading.models import FundingEvent, Order, Trade

PARTS = ("position", "leg__instrument__exchange")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What of the ledger is asked for; None is all of it."""

    position_id: UUID | None = None
    base: str | None = None

    def columns(self, user: User) -> dict[str, Any]:
        """Return the filter: always through the user."""
        columns: dict[str, Any] = {"position__user": user}
        if self.position_id is not None:
            columns["position"] = self.position_id
        if self.base is not None:
            columns["position__base"] = self.base
        return columns


ALL = Wanted()


def orders_of(user: User, wanted: Wanted = ALL) -> QuerySet[Order]:
    """Return the user's orders with what a line of them shows."""
    return Order.objects.filter(**wanted.columns(user)).select_related(*PARTS)


def trades_of(user: User, wanted: Wanted = ALL) -> QuerySet[Trade]:
    """Return the user's fills with what a line of them shows."""
    return Trade.objects.filter(**wanted.columns(user)).select_related(*PARTS)


def funding_of(user: User, wanted: Wanted = ALL) -> QuerySet[FundingEvent]:
    """Return the user's funding payments with what a line of them shows."""
    return FundingEvent.objects.filter(**wanted.columns(user)).select_related(*PARTS)
