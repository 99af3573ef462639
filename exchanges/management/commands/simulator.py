"""`manage.py simulator`: the rehearsal venues in a process of their own."""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from exchanges.simulator.cli import add_arguments, serve


class Command(BaseCommand):
    help = "Run the simulated venues on loopback: real protocols, own ledger, fault hooks."
    # The venues need neither pages nor database, and a rehearsal should start at once.
    requires_system_checks: tuple[str, ...] = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_arguments(parser, state=settings.VAR_DIR / "simulator")

    def handle(self, *args: Any, **options: Any) -> None:
        asyncio.run(serve(argparse.Namespace(**options)))
