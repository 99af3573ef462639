"""Who speaks, when, and what about: what a command needs to answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from alerts.bot.said import Answer
from arbsite.accounts.models import User


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """A user in the chat that is linked to them; `argument` is what follows the command."""

    user: User
    chat_id: str
    now: datetime
    argument: str = ""

    @property
    def actor(self) -> str:
        return f"{self.user.get_username()} (Telegram)"


Command = Callable[[Speaker], Answer]


def told(*lines: str) -> Answer:
    """Return an answer without buttons."""
    return Answer(lines=lines)
