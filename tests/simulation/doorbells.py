"""What services rang to have a position driven, taken from the broker as a worker takes it."""

from __future__ import annotations

from uuid import UUID

from arbsite.celery import CLOSE, ENTRY, app

DRIVES = frozenset({"trading.tasks.close_position", "trading.tasks.drive_position"})


class Doorbells:
    """The queues of the workers that drive; the broker of tests lives in this process."""

    def __init__(self) -> None:
        self._channel = app.connection_for_read().channel()
        # What the messages said, each once.
        self.rung: set[str] = set()

    def take(self) -> list[UUID]:
        """Return the positions that were rung for, in order, each once, and forget them."""
        found: list[UUID] = []
        for queue in (CLOSE, ENTRY):
            while (message := self._channel.basic_get(queue, no_ack=True)) is not None:
                arguments, _, _ = message.payload
                self.rung.add(f"{message.headers} {message.payload}")
                if message.headers["task"] in DRIVES:
                    found.append(UUID(arguments[0]))
        return list(dict.fromkeys(found))
