"""`carry pause`: the switch of automation."""

from __future__ import annotations

from typing import Any

from arbsite.accounts.models import User
from trading import desk
from trading.management.person import PersonCommand


class Command(PersonCommand):
    help = "Stop entries; open positions are cared for as before."

    def act(self, user: User, **options: Any) -> None:
        """Set it and say so."""
        self.say(desk.pause(user, actor=self.actor, now=self.now))
