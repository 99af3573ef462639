"""`carry status`: engine, kill switch, money and venues of one user."""

from __future__ import annotations

from typing import Any

from arbsite.accounts.models import User
from trading.management.person import PersonCommand
from trading.selectors.screen import Screen
from trading.views.api.status import MoneyOut, StatusOut


class Command(PersonCommand):
    help = "Tell how everything stands."

    def act(self, user: User, **options: Any) -> None:
        """Print the facts, then a line per venue."""
        screen = Screen(user, now=self.now)
        told = StatusOut(screen).data | {"money": MoneyOut(screen.summary).data}
        self.facts(told)
        if not self.as_json:
            self.stdout.write("")
            self.table(told["venues"], ("name", "health", "data_age", "margin_used", "halted"))
