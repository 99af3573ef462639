"""`carry close BTC`: ask for the end of a position, or of `all`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from arbsite.accounts.models import User
from trading import desk
from trading.management.person import PersonCommand, from_terminal, positions_named


class Command(PersonCommand):
    help = "Close positions: both legs, by the engine."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("position", help="a base, an id or its first characters, or all")
        parser.add_argument("--yes", action="store_true", help="close without asking")

    def act(self, user: User, **options: Any) -> None:
        """Ask for each exit, once a person or `--yes` has confirmed it."""
        positions = positions_named(user, options["position"])
        names = ", ".join(position.base for position in positions) or "nothing"
        if not (options["yes"] or from_terminal(f"Close {names}?")):
            raise self.refuse(f"Not closed: {names}. Say --yes.")
        said = [desk.close(position, actor=self.actor, now=self.now) for position in positions]
        self.say(" ".join(said) or "Nothing is open.")
