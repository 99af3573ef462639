"""`carry report --days 7`: what ended in that time and what is open, in parts that add up."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.core.management.base import CommandParser

from arbsite.accounts.models import User
from trading.core.money import for_display
from trading.management.person import PersonCommand
from trading.selectors.positions import PositionLine, ended_positions, position_line, with_parts
from trading.selectors.screen import Screen

PARTS = ("total", "funding", "price_pnl", "fees", "borrow")


class Command(PersonCommand):
    help = "Tell the result of the last days in its parts."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--days", type=int, default=1, help="how many (default %(default)s)")

    def act(self, user: User, **options: Any) -> None:
        """Print closed, open and equity."""
        screen = Screen(user, now=self.now)
        since = screen.now - timedelta(days=options["days"])
        ended = with_parts(ended_positions(user).filter(close_timestamp__gte=since))
        closed = [position_line(row, {}, screen.board, screen.now) for row in ended]
        summary = screen.summary
        self.facts(
            {
                "days": options["days"],
                "closed": {"positions": len(closed)} | _parts(closed),
                "open": {"positions": len(screen.positions)} | _parts(screen.positions),
                "equity_usd": _usd(summary.equity),
                "today_usd": _usd(summary.today),
                "gross_usd": _usd(summary.gross),
                "unhedged_usd": _usd(summary.delta),
            }
        )


def _parts(lines: Iterable[PositionLine]) -> dict[str, Any]:
    pnls = [line.pnl for line in lines]
    return {
        f"{part.removesuffix('_pnl')}_usd": _usd(
            sum((getattr(pnl, part) for pnl in pnls), Decimal(0))
        )
        for part in PARTS
    }


def _usd(value: Decimal | None) -> str | None:
    return None if value is None else f"{for_display(value, 2):f}"
