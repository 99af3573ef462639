"""`manage.py kill`: press the kill switch and close everything, with nothing but the database.

Exit status: 0 flat (or nothing was to be closed), 3 something is left, told of line by line,
2 the arguments are wrong.
"""

from __future__ import annotations

import getpass
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from arbsite.accounts.models import User
from exchanges import loop, registry
from trading.services import kill_switch
from trading.services.flatten import flatten

LEFT, WRONG = 3, 2


class Command(BaseCommand):
    help = "Press the kill switch and drive the closing; needs neither Redis nor workers."
    requires_system_checks: list[str] = []  # noqa: RUF012  # Django's own declaration

    def add_arguments(self, parser: CommandParser) -> None:
        scope = parser.add_mutually_exclusive_group(required=True)
        scope.add_argument("--user", help="stop this user's book")
        scope.add_argument("--all", action="store_true", help="stop everyone's")
        parser.add_argument("--reason", required=True, help="why; everyone it stops reads this")
        parser.add_argument(
            "--no-close", action="store_true", help="only stop entries and cancel their orders"
        )
        parser.add_argument(
            "--within",
            type=int,
            default=int(kill_switch.FLAT_WITHIN.total_seconds()),
            help="seconds to try before what is left is told of (default %(default)s)",
        )

    def handle(self, *, user: str | None, reason: str, **options: Any) -> None:
        """Press, drive, and print one line per leftover."""
        owner = _owner(user)
        pressed = kill_switch.press(
            user=owner,
            actor=f"{getpass.getuser()} (command)",
            reason=reason,
            closes_positions=not options["no_close"],
            now=timezone.now(),
        )
        whose = "everyone" if owner is None else owner.get_username()
        self.stdout.write(f"Pressed for {whose}, epoch {pressed.epoch}: entries are stopped.")
        try:
            left = flatten(pressed, within=timedelta(seconds=options["within"]))
        finally:
            registry.close_all()
            loop.close()
        for leftover in left:
            self.stdout.write(leftover.sentence)
        if left:
            raise SystemExit(LEFT)
        self.stdout.write("Positions are kept." if options["no_close"] else "Flat.")


def _owner(username: str | None) -> User | None:
    if username is None:
        return None
    found = User.objects.filter(username=username).first()
    if found is None:
        known = ", ".join(User.objects.values_list("username", flat=True)[:10])
        raise CommandError(f"There is no user {username!r}; known: {known}.", returncode=WRONG)
    return found
