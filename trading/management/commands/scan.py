"""`carry scan`: have all markets scanned now."""

from __future__ import annotations

from typing import Any

from arbsite.accounts.models import User
from trading import desk
from trading.management.person import PersonCommand


class Command(PersonCommand):
    help = "Have all markets scanned now, by the engine."

    def act(self, user: User, **options: Any) -> None:
        """Ring, and say whether anybody hears it."""
        said = desk.scan(user)
        if said == desk.BROKER_AWAY:
            raise self.refuse(said)
        self.say(said)
