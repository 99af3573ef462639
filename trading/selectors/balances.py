"""What the venues said last of a user's accounts in use."""

from __future__ import annotations

from arbsite.accounts.models import User
from exchanges.models import AccountBalance


def balances_of(user: User) -> list[AccountBalance]:
    """Return a row per account and asset, those of nothing left out."""
    rows = AccountBalance.objects.filter(account__user=user, account__is_active=True)
    ordered = rows.select_related("account__exchange").order_by("account__exchange__code", "asset")
    return [row for row in ordered if row.total or row.equity]
