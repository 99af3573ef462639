"""`manage.py reconcile`: compare accounts with their venues now and print both sides.

Exit status: 0 everything agrees, 3 something differs or could not be read, 2 wrong arguments.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from exchanges import loop, registry
from exchanges.models import ExchangeAccount
from trading.selectors.board import load_board
from trading.selectors.reconciliation import AccountBooks, QuantityLine, books_of
from trading.services.in_use import accounts_in_use
from trading.services.reconcile import reconcile_each
from trading.services.venues import REAL

DIFFERS, WRONG = 3, 2
HEAD = ("symbol", "ours", "venue's", "not ours", "difference", "read ago", "verdict")
ROW = "  {:<20}{:>16}{:>16}{:>12}{:>16}{:>10}  {}"


class Command(BaseCommand):
    help = "Compare accounts with their venues now and print both sides."
    requires_system_checks: list[str] = []  # noqa: RUF012  # Django's own declaration

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", help="only this user's accounts")
        parser.add_argument("--account", type=UUID, help="only the account of this id")

    def handle(self, *, user: str | None, account: UUID | None, **_: Any) -> None:
        """Read what can be read, print every account, and say by the status whether all agree."""
        accounts = _chosen(user, account)
        try:
            unread = _compare(accounts)
        finally:
            registry.close_all()
            loop.close()
        now = timezone.now()
        board = load_board({row.exchange.code for row in accounts})
        for row in accounts:
            row.refresh_from_db(fields=["halted_at", "halted_reason"])
        books = books_of(accounts, board, now)
        for each in books:
            self._print(each, is_unread=each.account.pk in unread)
        if unread or not all(each.is_equal and not each.account.is_halted for each in books):
            raise SystemExit(DIFFERS)

    def _print(self, books: AccountBooks, *, is_unread: bool) -> None:
        account = books.account
        compared = f"{books.compared_at:%d %b %H:%M:%S} UTC" if books.compared_at else "never"
        self.stdout.write(f"{account.user.get_username()}, {account}: compared {compared}")
        if is_unread:
            self.stdout.write("  could not be read now")
        if account.is_halted:
            self.stdout.write(f"  HALTED: {account.halted_reason}")
        if not books.lines:
            self.stdout.write("  nothing is held there")
            return
        self.stdout.write(ROW.format(*HEAD))
        for line in books.lines:
            self.stdout.write(_row(line))


def _chosen(user: str | None, account: UUID | None) -> list[ExchangeAccount]:
    accounts = accounts_in_use()
    if user is not None:
        accounts = accounts.filter(user__username=user)
    if account is not None:
        accounts = accounts.filter(pk=account)
    found = list(accounts)
    if not found:
        raise CommandError("No account in use matches.", returncode=WRONG)
    return found


def _compare(accounts: list[ExchangeAccount]) -> set[UUID]:
    """Compare each account that opens; return those that could not be read."""
    read = reconcile_each(accounts, venues=REAL, now=timezone.now())
    return {account.pk for account in accounts} - read


def _row(line: QuantityLine) -> str:
    return ROW.format(
        line.symbol,
        _quantity(line.ours),
        _quantity(line.theirs),
        _quantity(line.ignored) if line.ignored else "",
        _quantity(line.difference),
        "?" if line.age is None else f"{line.age // timedelta(seconds=1)} s",
        line.verdict,
    )


def _quantity(value: Decimal | None) -> str:
    return "?" if value is None else f"{value.normalize():+f}" if value else "0"
