"""`carry balance`: what the venues said last of every account."""

from __future__ import annotations

from typing import Any

from arbsite.accounts.models import User
from trading.core.money import plain
from trading.management.person import PersonCommand
from trading.selectors.balances import balances_of

COLUMNS = ("venue", "account", "asset", "free", "total", "equity", "observed_at")


class Command(PersonCommand):
    help = "Tell the balances of every account, as the venues said them last."

    def act(self, user: User, **options: Any) -> None:
        """Print a line per account and asset."""
        rows = [
            {
                "venue": row.account.exchange.code,
                "account": row.account.label,
                "asset": row.asset,
                "free": plain(row.free),
                "total": plain(row.total),
                "equity": plain(row.equity),
                "observed_at": row.observed_at.isoformat(timespec="seconds"),
            }
            for row in balances_of(user)
        ]
        self.table(rows, COLUMNS)
