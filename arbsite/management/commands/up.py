from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from arbsite.launcher.errors import StartRefused
from arbsite.launcher.machine import Machine
from arbsite.launcher.processes import PARTS

PREFERRED_PORT = 8000


class Command(BaseCommand):
    help = "Run all of Carry on this machine until Ctrl-C."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--var", type=Path, help="folder of all state (default: var)")
        parser.add_argument(
            "--port", type=int, default=PREFERRED_PORT, help="of the web pages; another if taken"
        )
        parser.add_argument(
            "--without",
            nargs="+",
            choices=PARTS,
            default=[],
            metavar="PART",
            help=f"leave parts out: {', '.join(PARTS)}",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until Ctrl-C, SIGTERM or a closed terminal."""
        if options["var"]:
            _restart_on(options["var"].resolve())
        Path(settings.VAR_DIR).mkdir(parents=True, exist_ok=True)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.default_int_handler)
        try:
            Machine(port=options["port"], without=options["without"], say=self._say).run()
        except StartRefused as refusal:
            raise CommandError(str(refusal)) from None
        except KeyboardInterrupt:
            self._say("Everything is stopped.")

    def _say(self, sentence: str) -> None:
        # The terminal may be gone; the processes must be stopped in order all the same.
        with suppress(OSError):
            self.stdout.write(sentence)
            self.stdout.flush()


def _restart_on(var_dir: Path) -> None:
    """Start this command again with settings of another folder, unless they are loaded already."""
    if var_dir != settings.VAR_DIR:
        os.environ["CARRY_VAR"] = str(var_dir)
        _replace_process()


def _replace_process() -> NoReturn:
    os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606 - our own command line
