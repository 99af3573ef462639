"""`carry export trades --format parquet --output trades.parquet`: the ledger as a file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from arbsite.accounts.models import User
from trading.exports import FORMATS
from trading.management.person import WRONG, PersonCommand
from trading.selectors.exports import TABLES, Span, TooManyRows, export


class Command(PersonCommand):
    help = "Write the ledger or the positions that ended into a file."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("table", choices=list(TABLES))
        parser.add_argument("--format", choices=list(FORMATS), default="csv")
        parser.add_argument("--output", type=Path, help="default: TABLE.FORMAT here")
        parser.add_argument("--since", type=_time, help="the first moment: 2026-01-31, UTC")
        parser.add_argument("--until", type=_time, help="the moment before which it ends")

    def act(self, user: User, **options: Any) -> None:
        """Write the file and say how many rows it has."""
        span = Span(since=options["since"], until=options["until"])
        try:
            table = export(options["table"], user, span)
        except TooManyRows as error:
            raise self.refuse(str(error)) from None
        target = options["output"] or Path(f"{options['table']}.{options['format']}")
        try:
            target.write_bytes(FORMATS[options["format"]][1](table))
        except OSError as error:
            raise CommandError(f"{target}: {error.strerror}.", returncode=WRONG) from None
        self.say(f"{len(table.rows)} rows in {target}.", rows=len(table.rows))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
