"""`carry probe-venue bybit`: ask a venue a few public things now and time each.

Exit status: 0 all answered, 3 something did not, 2 wrong arguments.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from exchanges import loop, registry
from exchanges.errors import VenueError
from exchanges.models import Exchange
from exchanges.modes import Mode

SECONDS = 20.0
SILENT, WRONG = 3, 2


class Command(BaseCommand):
    help = "Ask a venue for its clock, listings, rates and prices, and time the answers."
    requires_system_checks: list[str] = []  # noqa: RUF012  # Django's own declaration

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("venue", help="its code")

    def handle(self, *, venue: str, **_: Any) -> None:
        """Ask one thing after the other and print a line each."""
        exchange = Exchange.objects.filter(code=venue).first()
        if exchange is None:
            known = ", ".join(Exchange.objects.values_list("code", flat=True))
            raise CommandError(f"There is no venue {venue!r}; known: {known}.", returncode=WRONG)
        try:
            market = registry.market_data(exchange.code, Mode(exchange.mode))
            answered = [
                self._ask("clock", market.server_time, _offset),
                self._ask("listings", market.instruments, _count),
                self._ask("funding rates", market.funding_rates, _count),
                self._ask("quotes", market.quotes, _count),
            ]
        finally:
            registry.close_all()
            loop.close()
        if not all(answered):
            raise SystemExit(SILENT)

    def _ask(
        self,
        what: str,
        read: Callable[[], Coroutine[Any, Any, Any]],
        words: Callable[[Any], str],
    ) -> bool:
        began = time.monotonic()
        try:
            answer = loop.call(read(), SECONDS)
        except (VenueError, TimeoutError) as error:
            self.stdout.write(f"{what}: no answer, {type(error).__name__}: {error}")
            return False
        spent = (time.monotonic() - began) * 1000
        self.stdout.write(f"{what}: {words(answer)}, {spent:.0f} ms")
        return True


def _count(answer: Any) -> str:
    return f"{len(answer)} rows"


def _offset(answer: Any) -> str:
    return f"{(answer - timezone.now()).total_seconds():+.3f} s against ours"
