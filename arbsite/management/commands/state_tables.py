from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from arbsite.state_tables import order_lines, position_lines


class Command(BaseCommand):
    help = "Print the life cycles of positions and orders as docs/ARCHITECTURE.md shows them."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Print both tables."""
        self.stdout.write("\n".join([*position_lines(), "", *order_lines()]))
