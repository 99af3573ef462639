"""`carry rates --top 20`: the largest annualised funding rates of either sign."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.management.base import CommandParser

from arbsite.accounts.models import User
from trading.management.person import PersonCommand
from trading.selectors.rates import rate_lines
from trading.selectors.screen import Screen
from trading.views.api.market import RateOut

COLUMNS = ("base", "venue", "symbol", "funding_rate", "interval_seconds", "apr", "next_funding_at")


class Command(PersonCommand):
    help = "List funding rates, the largest first."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--top", type=int, default=20, help="how many (default %(default)s)")
        parser.add_argument("--base", help="only this base")

    def act(self, user: User, **options: Any) -> None:
        """Print a line per perpetual, from the board that the streams keep."""
        screen = Screen(user, now=self.now)
        base = (options["base"] or "").upper()
        lines = [line for line in rate_lines(screen.sheet, screen.board) if base in ("", line.base)]
        lines.sort(key=lambda line: -abs(line.apr or Decimal(0)))
        shown = RateOut(lines[: max(options["top"], 0)], many=True)
        self.table(list(shown.data), COLUMNS)
