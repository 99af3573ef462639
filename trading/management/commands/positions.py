"""`carry positions`: what is live, or with `--closed` what ended."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from arbsite.accounts.models import User
from trading.management.person import PersonCommand
from trading.selectors.screen import Screen
from trading.views.api.positions import PositionOut

COLUMNS = ("short_id", "base", "strategy", "state", "legs", "size_usd", "net_usd", "apr")


class Command(PersonCommand):
    help = "List live positions, or those that ended."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--closed", action="store_true", help="the newest that ended")

    def act(self, user: User, **options: Any) -> None:
        """Print a line per position."""
        screen = Screen(user, now=self.now)
        lines = screen.closed if options["closed"] else screen.positions
        told = list(PositionOut(lines, many=True).data)
        self.table([row | _short(row) for row in told] if not self.as_json else told, COLUMNS)


def _short(row: dict[str, Any]) -> dict[str, str]:
    return {
        "short_id": row["id"][:8],
        "legs": " ".join(f"{leg['side'][0]}:{leg['venue']}" for leg in row["legs"]),
        "net_usd": row["pnl"]["total"],
    }
