"""What each account of a user holds, as its venue said last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from arbsite.accounts.models import User
from exchanges.models import AccountBalance


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceLine:
    """One asset of one account; `observed_at` is when its venue said so."""

    venue: str
    asset: str
    free: Decimal
    equity: Decimal
    observed_at: datetime


def balance_lines(user: User) -> list[BalanceLine]:
    """Return the balances of the user's active accounts, by venue and asset."""
    rows = AccountBalance.objects.filter(account__user=user, account__is_active=True)
    return [
        BalanceLine(
            venue=row.account.exchange.name,
            asset=row.asset,
            free=row.free,
            equity=row.equity,
            observed_at=row.observed_at,
        )
        for row in rows.select_related("account__exchange").order_by(
            "account__exchange__name", "asset"
        )
    ]
