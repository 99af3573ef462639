"""`manage.py watch_venue VENUE`: read a venue's real market; nothing is traded by that."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from exchanges.models import Exchange
from exchanges.paper.accounts import PaperRefused, watched_exchange
from exchanges.venues import PROFILES


class Command(BaseCommand):
    help = "Enable a venue with its real market, to be watched and traded on paper."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("venue", help=", ".join(PROFILES))
        parser.add_argument("--off", action="store_true", help="Read it no longer.")

    def handle(self, *args: Any, venue: str, off: bool, **options: Any) -> None:
        try:
            exchange = watched_exchange(venue)
        except PaperRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        Exchange.objects.filter(pk=exchange.pk).update(is_enabled=not off)
        self.stdout.write(f"{exchange.name} is {'off' if off else 'read from now on'}.")
        if not off and (why := PROFILES[venue].read_only):
            self.stdout.write(why)
