"""What every way out of the installation has in common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from alerts.wording import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a message goes; the secret signs it and shows nowhere."""

    address: str
    secret: str = field(default="", repr=False)


class Undelivered(Exception):
    """A message that did not arrive: a sentence without secrets, and whether to try again."""

    def __init__(
        self, sentence: str, *, retry_after: timedelta | None = None, is_final: bool = False
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.retry_after = retry_after
        self.is_final = is_final


Send = Callable[[Target, Message], Awaitable[None]]
