"""What all commands of a person share: whose book, table or JSON, how it ends.

Exit status: 0 done, 1 something broke, 2 the arguments are wrong, 3 refused or not as it should be,
with a sentence.
"""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from arbsite.accounts.models import User
from trading.models import Position

WRONG, REFUSED = 2, 3
GAP = "  "


class PersonCommand(BaseCommand):
    """A command in the name of one user; with `--json` it prints what REST answers."""

    requires_system_checks: list[str] = []  # noqa: RUF012  # Django's own declaration

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", help="whose book; needed where there are several users")
        parser.add_argument("--json", action="store_true", help="JSON instead of a table")

    def handle(self, *, user: str | None, json: bool, **options: Any) -> None:
        """Find the user, then act."""
        self.as_json = json
        self.act(user_named(user), **options)

    def act(self, user: User, **options: Any) -> None:
        """Do what the command is for."""
        raise NotImplementedError

    @property
    def actor(self) -> str:
        return f"{getpass.getuser()} (command)"

    @property
    def now(self) -> datetime:
        return timezone.now()

    def say(self, sentence: str, **facts: Any) -> None:
        """Print what was done: a sentence, or as JSON with its facts."""
        self.stdout.write(_json({"detail": sentence, **facts}) if self.as_json else sentence)

    def refuse(self, sentence: str) -> SystemExit:
        """Print why not and return the end of the process."""
        self.say(sentence)
        return SystemExit(REFUSED)

    def table(self, rows: Sequence[Any], columns: Sequence[str]) -> None:
        """Print rows: all of them as JSON, or these columns side by side."""
        if self.as_json:
            self.stdout.write(_json(rows))
            return
        cells = [[_cell(row.get(name)) for name in columns] for row in rows]
        widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
        for line in ([*columns], *cells):
            padded = (text.ljust(width) for text, width in zip(line, widths, strict=True))
            self.stdout.write(GAP.join(padded).rstrip())

    def facts(self, told: Mapping[str, Any]) -> None:
        """Print one thing, a fact a line; what is inside another has a dotted name."""
        if self.as_json:
            self.stdout.write(_json(told))
            return
        for name, value in told.items():
            if isinstance(value, Mapping):
                for inner, each in value.items():
                    self.stdout.write(f"{name}.{inner}: {_cell(each)}")
            elif not isinstance(value, list):
                self.stdout.write(f"{name}: {_cell(value)}")


def user_named(name: str | None) -> User:
    """Return the user of that name, or the only one there is."""
    users = User.objects.filter(is_active=True)
    found = list((users if name is None else users.filter(username=name))[:2])
    if len(found) == 1:
        return found[0]
    known = ", ".join(users.order_by("username").values_list("username", flat=True)[:10])
    why = "Say whose book with --user" if name is None else f"There is no user {name!r}"
    raise CommandError(f"{why}; known: {known or 'none'}.", returncode=WRONG)


def positions_named(user: User, name: str) -> list[Position]:
    """Return the live positions that `all`, a base, an id or its first characters name."""
    live = list(Position.objects.for_user(user).live())
    if name.lower() == "all":
        return live
    found = [one for one in live if one.base == name.upper() or _begins(one.pk, name)]
    if len(found) != 1:
        known = ", ".join(f"{one.base} {one.short_id}" for one in live) or "none"
        raise CommandError(f"{name!r} names no live position: {known}.", returncode=WRONG)
    return found


def from_terminal(sentence: str) -> bool:
    """Ask a person who sits there; nobody there is a no."""
    return sys.stdin.isatty() and input(f"{sentence} [y/N] ").strip().lower() == "y"


def _begins(position_id: UUID, name: str) -> bool:
    return len(name) >= 4 and str(position_id).startswith(name.lower())


def _cell(value: Any) -> str:
    return "?" if value is None else str(value)


def _json(value: Any) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2)
