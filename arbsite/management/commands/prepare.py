from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from arbsite.launcher import state
from arbsite.launcher.errors import StartRefused


class Command(BaseCommand):
    help = "Make a server ready for this build: key file, tables, schedules, static files, checks."
    # A new server has no key file yet; all checks are run at the end.
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what is missing; what is there stays, so that each start may run it."""
        try:
            state.check_key(settings.CARRY_KEY_FILE)
            state.prepare_database()
            # Of two new machines that began together one has made a key that is not the database's.
            state.check_key(settings.CARRY_KEY_FILE)
            state.refuse_unsafe()
            state.collect_static()
        except StartRefused as refusal:
            raise CommandError(str(refusal)) from None
        except OperationalError as error:
            raise CommandError(f"The database does not answer: {error}") from None
        self.stdout.write(f"Ready for Carry {settings.VERSION}.")
